// SPDX-License-Identifier: Apache-2.0
/** Type 0 configuration header (PCI Local Bus Specification 3.0, section 6.1). */
export const enum Header {
  VendorId = 0x00,
  DeviceId = 0x02,
  Command = 0x04,
  Status = 0x06,
  Revision = 0x08,
  CacheLine = 0x0c,
  LatencyTimer = 0x0d,
  HeaderType = 0x0e,
  Bar0 = 0x10,
  SubsystemVendor = 0x2c,
  Subsystem = 0x2e,
  Rom = 0x30,
  Capabilities = 0x34,
  InterruptLine = 0x3c,
  InterruptPin = 0x3d,
  /** First byte after the header: capabilities live from here on. */
  End = 0x40,
}

export const CONFIG_SIZE = 256;
export const BAR_COUNT = 6;

export const enum Command {
  Io = 1 << 0,
  Memory = 1 << 1,
  BusMaster = 1 << 2,
  IntxDisable = 1 << 10,
  /** I/O, memory, bus master, parity, SERR#, interrupt disable. */
  Writable = 0x547,
}

export const enum Status {
  Interrupt = 1 << 3,
  CapabilityList = 1 << 4,
  /** Error bits, cleared by writing one. */
  Errors = 0xf900,
}

/** Type bits of a base address register (6.2.5.1). */
export const enum Bar {
  Io = 0x1,
  Memory64 = 0x4,
  Prefetchable = 0x8,
}

export const HEADER_MULTIFUNCTION = 0x80;

export const enum CapabilityId {
  Msi = 0x05,
  Vendor = 0x09,
  MsiX = 0x11,
}

/** Configuration mechanism #1 (3.2.2.3.2), offsets from port 0xCF8. */
export const enum ConfigPort {
  Address = 0,
  Data = 4,
}

export const CONFIG_ENABLE = 0x8000_0000;
/** ECAM: one megabyte a bus (PCI Express Base Specification, 7.2.2). */
export const ECAM_BUS_SIZE = 0x10_0000;

/** Message control of MSI (6.8.1.3). */
export const enum MsiControl {
  Enable = 1 << 0,
  MultipleEnableShift = 4,
  MultipleEnable = 7 << 4,
  Address64 = 1 << 7,
}

/** Message control of MSI-X (6.8.2.3). */
export const enum MsixControl {
  FunctionMask = 1 << 14,
  Enable = 1 << 15,
}

/** Dwords of an MSI-X table entry: address low, address high, data, vector control (6.8.2.6). */
export const MSIX_ENTRY_DWORDS = 4;
export const MSIX_VECTOR_MASKED = 1;
