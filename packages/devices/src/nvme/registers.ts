// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The NVMe controller that virtual machines have: no vendor's quirks apply to it. */
export const NVME_IDENTITY: PciIdentity = {
  vendorId: 0x1b36,
  deviceId: 0x0010,
  revision: 2,
  classCode: 0x01_0802,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

export const REGISTER_BAR = 0;
export const REGISTER_SPACE = 0x4000;
export const MSIX_BAR = 4;

/** Pairs of I/O queues, beside the admin queue. */
export const IO_QUEUES = 8;
/** Entries of the largest queue. */
export const MAX_ENTRIES = 1024;
export const COMMAND_SIZE = 64;
export const COMPLETION_SIZE = 16;
export const PAGE_SIZE = 4096;
export const BLOCK_SIZE = 512;
/** Largest transfer: 2^8 pages. */
export const TRANSFER_SHIFT = 8;
export const MAX_TRANSFER = PAGE_SIZE << TRANSFER_SHIFT;
/** Commands under way at a time, so that a guest cannot make the host allocate without bound. */
export const MAX_IN_FLIGHT = 64;
/** Asynchronous event requests that may wait. */
export const MAX_EVENT_REQUESTS = 4;

/** Controller registers (3.1). */
export const enum Reg {
  CapabilitiesLow = 0x00,
  CapabilitiesHigh = 0x04,
  Version = 0x08,
  MaskSet = 0x0c,
  MaskClear = 0x10,
  Configuration = 0x14,
  Status = 0x1c,
  AdminAttributes = 0x24,
  AdminSubmissionLow = 0x28,
  AdminSubmissionHigh = 0x2c,
  AdminCompletionLow = 0x30,
  AdminCompletionHigh = 0x34,
  /** Submission tail and completion head of queue 0, then of queue 1. */
  Doorbells = 0x1000,
}

/** Largest queue, contiguous queues required, at most 10 times 500 ms until ready (3.1.1). */
export const CAPABILITIES_LOW = ((10 << 24) | (1 << 16) | (MAX_ENTRIES - 1)) >>> 0;
/** The NVM command set; pages of 4 KiB only. */
export const CAPABILITIES_HIGH = 1 << 5;
export const VERSION = 0x0001_0400;

/** CC (3.1.5). */
export const enum Config {
  Enable = 1,
  /** Command set, page size and arbitration: all zero for what is here. */
  Unsupported = 0x3ff0,
  ShutdownMask = 3 << 14,
  SubmissionShift = 16,
  CompletionShift = 20,
  Writable = 0x00ff_fff1,
}
/** Entry sizes as powers of two. */
export const SUBMISSION_ENTRY = 6;
export const COMPLETION_ENTRY = 4;

/** CSTS (3.1.6). */
export const enum ControllerStatus {
  Ready = 1,
  Fatal = 2,
  ShutdownBusy = 1 << 2,
  ShutdownDone = 2 << 2,
  ShutdownMask = 3 << 2,
}

export const enum AdminCommand {
  DeleteSubmission = 0x00,
  CreateSubmission = 0x01,
  GetLogPage = 0x02,
  DeleteCompletion = 0x04,
  CreateCompletion = 0x05,
  Identify = 0x06,
  Abort = 0x08,
  SetFeatures = 0x09,
  GetFeatures = 0x0a,
  AsynchronousEvent = 0x0c,
}

export const enum IoCommand {
  Flush = 0x00,
  Write = 0x01,
  Read = 0x02,
  WriteZeroes = 0x08,
  DatasetManagement = 0x09,
}

/** Status code with its type in bits 8-10 (4.6.1). */
export const enum Status {
  Success = 0,
  InvalidOpcode = 0x01,
  InvalidField = 0x02,
  DataTransfer = 0x04,
  Internal = 0x06,
  InvalidNamespace = 0x0b,
  InvalidPrpOffset = 0x13,
  OutOfRange = 0x80,
  CompletionQueueInvalid = 0x100,
  InvalidQueue = 0x101,
  InvalidQueueSize = 0x102,
  EventLimit = 0x105,
  InvalidVector = 0x108,
  InvalidLogPage = 0x109,
  InvalidQueueDeletion = 0x10c,
  NotSaveable = 0x10d,
  WriteToReadOnly = 0x182,
  WriteFault = 0x280,
  UnrecoveredRead = 0x281,
  /** Trying again will not help. */
  DoNotRetry = 0x4000,
}

/** Bits 14 and 15 of the first dword: how data is described; only PRPs are known. */
export const DATA_POINTER_MASK = 0xc000;
/** Bits 8 and 9: half of a fused pair. */
export const FUSE_MASK = 0x300;
export const FORCE_UNIT_ACCESS = 0x4000_0000;
export const DEALLOCATE = 4;
export const BROADCAST_NAMESPACE = 0xffff_ffff;
export const NAMESPACE = 1;

/** CREATE I/O queue: the queue is one piece of memory; interrupts are on. */
export const QUEUE_CONTIGUOUS = 1;
export const QUEUE_INTERRUPTS = 2;

export const enum Feature {
  Arbitration = 0x01,
  PowerManagement = 0x02,
  TemperatureThreshold = 0x04,
  ErrorRecovery = 0x05,
  WriteCache = 0x06,
  QueueCount = 0x07,
  InterruptCoalescing = 0x08,
  VectorConfiguration = 0x09,
  WriteAtomicity = 0x0a,
  EventConfiguration = 0x0b,
}
