// SPDX-License-Identifier: Apache-2.0
import type { PciIdentity } from "../pci/function.js";

/** The controller that virtual machines have: no vendor's quirks apply to it. */
export const XHCI_IDENTITY: PciIdentity = {
  vendorId: 0x1b36,
  deviceId: 0x000d,
  revision: 1,
  // Serial bus, USB, xHCI (5.2.1).
  classCode: 0x0c_0330,
  subsystemVendorId: 0x1af4,
  subsystemId: 0x1100,
};

export const REGISTER_BAR = 0;
export const REGISTER_SPACE = 0x4000;
export const MSIX_BAR = 4;
/** Release number of the serial bus, in configuration space (5.2.3). */
export const SBRN = 0x60;
export const SBRN_USB3 = 0x30;

export const SLOTS = 32;
export const INTERRUPTERS = 8;
/** Ports for devices up to high speed come first, then as many for super speed. */
export const PORTS_OF_KIND = 8;
export const PORTS = 2 * PORTS_OF_KIND;
/** Segments of an event ring, as a power of two. */
export const EVENT_SEGMENTS_LOG2 = 3;
export const MIN_EVENT_SEGMENT = 16;
export const MAX_EVENT_SEGMENT = 4096;
export const ENDPOINTS = 32;
export const CONTEXT_SIZE = 32;
export const TRB_SIZE = 16;

/** Where the parts of the register space begin. */
export const enum Part {
  Capabilities = 0x0000,
  Operational = 0x0040,
  Ports = 0x0440,
  Runtime = 0x1000,
  Doorbells = 0x2000,
}
export const PORT_SPAN = 0x10;
/** The registers of the first interrupter, from the start of the runtime registers. */
export const INTERRUPTER_START = 0x20;
export const INTERRUPTER_SPAN = 0x20;

/** Capability registers and extended capabilities (5.3, 7.2): dwords from offset 0 on. */
const EXTENDED_OFFSET = 0x20;
const USB = 0x2042_5355;
const VERSION_1_0 = 0x0100;
export const CAPABILITIES: readonly number[] = [
  Part.Operational | (VERSION_1_0 << 16),
  ((PORTS << 24) | (INTERRUPTERS << 8) | SLOTS) >>> 0,
  // Isochronous scheduling threshold of 8 frames; no scratchpads.
  0x0f | (EVENT_SEGMENTS_LOG2 << 4),
  0,
  // 64-bit addresses, contexts of 32 bytes.
  1 | ((EXTENDED_OFFSET >> 2) << 16),
  Part.Doorbells,
  Part.Runtime,
  0,
  // Supported protocol USB 2.0: the next one is four dwords on.
  ...[0x0200_0402, USB, (PORTS_OF_KIND << 8) | 1, 0],
  ...[0x0300_0002, USB, (PORTS_OF_KIND << 8) | (PORTS_OF_KIND + 1), 0],
];

/** Operational registers (5.4), from {@link Part.Operational}. */
export const enum Op {
  Command = 0x00,
  Status = 0x04,
  PageSize = 0x08,
  Notifications = 0x14,
  CommandRingLow = 0x18,
  CommandRingHigh = 0x1c,
  ContextsLow = 0x30,
  ContextsHigh = 0x34,
  Configure = 0x38,
}

/** USBCMD (5.4.1). */
export const enum UsbCommand {
  Run = 1 << 0,
  Reset = 1 << 1,
  InterruptEnable = 1 << 2,
  HostErrorEnable = 1 << 3,
  LightReset = 1 << 7,
  SaveState = 1 << 8,
  RestoreState = 1 << 9,
  EnableWrapEvent = 1 << 10,
  Kept = Run | InterruptEnable | HostErrorEnable | EnableWrapEvent,
}

/** USBSTS (5.4.2). */
export const enum UsbStatus {
  Halted = 1 << 0,
  HostError = 1 << 2,
  EventInterrupt = 1 << 3,
  PortChange = 1 << 4,
  RestoreError = 1 << 10,
  ControllerError = 1 << 12,
  Clearable = HostError | EventInterrupt | PortChange | RestoreError,
}

/** CRCR (5.4.5). */
export const enum CommandRing {
  CycleState = 1 << 0,
  Stop = 1 << 1,
  Abort = 1 << 2,
  Running = 1 << 3,
}

/** PORTSC (5.4.8). */
export const enum PortBit {
  Connected = 1 << 0,
  Enabled = 1 << 1,
  Reset = 1 << 4,
  LinkShift = 5,
  LinkMask = 15 << 5,
  Power = 1 << 9,
  SpeedShift = 10,
  LinkWrite = 1 << 16,
  ConnectChange = 1 << 17,
  EnableChange = 1 << 18,
  WarmResetChange = 1 << 19,
  OverCurrentChange = 1 << 20,
  ResetChange = 1 << 21,
  LinkChange = 1 << 22,
  ConfigErrorChange = 1 << 23,
  Changes = 0x7f << 17,
  Wake = 7 << 25,
  WarmReset = 1 << 31,
}

export const enum Link {
  U0 = 0,
  U3 = 3,
  Disabled = 4,
  RxDetect = 5,
  Polling = 7,
  Resume = 15,
}

/** Registers of an interrupter (5.5.2). */
export const enum Interrupt {
  Management = 0x00,
  Moderation = 0x04,
  TableSize = 0x08,
  TableLow = 0x10,
  TableHigh = 0x14,
  DequeueLow = 0x18,
  DequeueHigh = 0x1c,
}
export const IMAN_PENDING = 1;
export const IMAN_ENABLE = 2;
export const ERDP_BUSY = 8;

/** Kinds of transfer request block (6.4.6). */
export const enum TrbType {
  Normal = 1,
  Setup = 2,
  Data = 3,
  Status = 4,
  Isochronous = 5,
  Link = 6,
  EventData = 7,
  NoOp = 8,
  EnableSlot = 9,
  DisableSlot = 10,
  AddressDevice = 11,
  ConfigureEndpoint = 12,
  EvaluateContext = 13,
  ResetEndpoint = 14,
  StopEndpoint = 15,
  SetDequeue = 16,
  ResetDevice = 17,
  GetPortBandwidth = 21,
  NoOpCommand = 23,
  TransferEvent = 32,
  CommandCompletion = 33,
  PortStatusChange = 34,
  HostController = 37,
}

/** Bits of a block's control dword (6.4.1). */
export const enum TrbBit {
  Cycle = 1 << 0,
  /** Of a link: the cycle state of the ring changes. */
  ToggleCycle = 1 << 1,
  InterruptOnShort = 1 << 2,
  Chain = 1 << 4,
  InterruptOnCompletion = 1 << 5,
  ImmediateData = 1 << 6,
  BlockInterrupt = 1 << 9,
  TypeShift = 10,
  TypeMask = 0x3f,
  /** Of a data or status stage: towards the host. */
  DirectionIn = 1 << 16,
}

/** Completion codes (6.4.5). */
export const enum Completion {
  Success = 1,
  DataBuffer = 2,
  TransactionError = 4,
  TrbError = 5,
  Stall = 6,
  NoSlots = 9,
  SlotNotEnabled = 11,
  EndpointNotEnabled = 12,
  ShortPacket = 13,
  ParameterError = 17,
  ContextState = 19,
  EventRingFull = 21,
  CommandRingStopped = 24,
  Stopped = 26,
  StoppedLengthInvalid = 27,
}

/** Slot states (4.5.3); a slot that is enabled and has no context yet is in none of those that contexts can have. */
export const enum SlotPhase {
  Disabled = 0,
  Default = 1,
  Addressed = 2,
  Configured = 3,
  Enabled = 4,
}

/** Endpoint states (4.8.3). */
export const enum EndpointPhase {
  Disabled = 0,
  Running = 1,
  Halted = 2,
  Stopped = 3,
  Error = 4,
}

/** Doorbell target and device context index of the endpoint for control transfers. */
export const CONTROL_ENDPOINT = 1;

/** Blocks of one transfer descriptor; more are an error. */
export const MAX_TD_BLOCKS = 2048;
/** Links in a row. */
export const MAX_LINKS = 32;
/** Blocks and pieces of data that are worked on before the guest goes on, and how long the rest waits, in ns. */
export const BUDGET = 8192;
export const CHUNK_COST = 64;
export const REST_DELAY = 50_000;
/** Events that one step can make, beside those of several blocks that all want one. */
export const EVENT_ROOM = 3;
/** A microframe in ns, and how many MFINDEX counts (5.5.1). */
export const MICROFRAME = 125_000;
export const MICROFRAMES = 1 << 14;
