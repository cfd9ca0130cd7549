// SPDX-License-Identifier: Apache-2.0
/** Constants of the Virtual I/O Device (VIRTIO) specification, version 1.2. */

/** Device status bits (2.1). */
export const enum DeviceStatus {
  Acknowledge = 1,
  Driver = 2,
  DriverOk = 4,
  FeaturesOk = 8,
  NeedsReset = 64,
  Failed = 128,
}

/** Feature bits of every device (6). */
export const enum Feature {
  IndirectDesc = 28,
  EventIdx = 29,
  Version1 = 32,
}

/** Descriptor flags (2.7.5). */
export const enum DescFlag {
  Next = 1,
  Write = 2,
  Indirect = 4,
}

export const DESC_SIZE = 16;
/** Flag of the available ring: the driver wants no interrupts (2.7.6). */
export const AVAIL_NO_INTERRUPT = 1;
/** Ring header: flags and index. */
export const RING_HEADER = 4;
export const USED_ELEMENT_SIZE = 8;
/** Largest queue size (2.7). */
export const MAX_QUEUE_SIZE = 32_768;
/** Longest chain that is walked, direct or indirect, so that a looping one ends. */
export const MAX_CHAIN = 1024;

/** Capability types of the PCI transport (4.1.4). */
export const enum CapType {
  Common = 1,
  Notify = 2,
  Isr = 3,
  Device = 4,
  PciAccess = 5,
}

/** Fields of a virtio PCI capability (4.1.4). */
export const enum Cap {
  Length = 2,
  Type = 3,
  Bar = 4,
  Offset = 8,
  RegionLength = 12,
  /** Notification capability: multiplier of queue_notify_off. */
  NotifyMultiplier = 16,
  /** Configuration access capability: the data window. */
  AccessData = 16,
}

/** Common configuration structure (4.1.4.3). */
export const enum Common {
  DeviceFeatureSelect = 0x00,
  DeviceFeature = 0x04,
  DriverFeatureSelect = 0x08,
  DriverFeature = 0x0c,
  ConfigMsixVector = 0x10,
  NumQueues = 0x12,
  DeviceStatus = 0x14,
  ConfigGeneration = 0x15,
  QueueSelect = 0x16,
  QueueSize = 0x18,
  QueueMsixVector = 0x1a,
  QueueEnable = 0x1c,
  QueueNotifyOff = 0x1e,
  QueueDescLow = 0x20,
  QueueDescHigh = 0x24,
  QueueDriverLow = 0x28,
  QueueDriverHigh = 0x2c,
  QueueDeviceLow = 0x30,
  QueueDeviceHigh = 0x34,
}

/** ISR status bits (4.1.4.5). */
export const enum Isr {
  Queue = 1,
  Config = 2,
}

export const NO_VECTOR = 0xffff;

/** Our BARs: MSI-X in BAR 1, everything else in BAR 4 and 5. */
export const MSIX_BAR = 1;
export const REGION_BAR = 4;
export const REGION_SIZE = 0x4000;
/** Where the structures are in BAR 4, 4 KiB each. */
export const enum Region {
  Common = 0x0000,
  Isr = 0x1000,
  Device = 0x2000,
  Notify = 0x3000,
  Span = 0x1000,
}
export const COMMON_LENGTH = 0x38;
export const NOTIFY_MULTIPLIER = 4;

export const VIRTIO_VENDOR = 0x1af4;
/** PCI device IDs of version 1 devices start here (4.1.2). */
export const VIRTIO_DEVICE_BASE = 0x1040;
