// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import type { PciFunctionState } from "../pci/function.js";
import type { MsixState } from "../pci/msix.js";
import { EndpointPhase, SlotPhase } from "./registers.js";

/** Where a consumer of a ring is: address of a block, and the cycle bit of those that are its. */
export interface RingState {
  address: number;
  cycle: boolean;
}

export interface EndpointState {
  phase: EndpointPhase;
  /** Of packets in bytes, as the guest says. */
  maxPacket: number;
  ring: RingState;
  /** Bytes moved of the transfer descriptor at the ring's position. */
  done: number;
  /** Control transfers: the setup packet whose stages follow, and whether the device has had it. */
  setup: [low: number, high: number] | null;
  answered: boolean;
  /** Data of a control transfer that go with the status stage. */
  data: number[];
}

export interface SlotState {
  phase: SlotPhase;
  /** Address of the device context. */
  context: number;
  /** Number of the port, from 1. */
  port: number;
  /** By device context index, 1-31. */
  endpoints: Record<string, EndpointState>;
}

export interface InterrupterState {
  management: number;
  moderation: number;
  tableSize: number;
  table: [low: number, high: number];
  dequeue: [low: number, high: number];
  /** Where the next event goes: segment, block in it, cycle bit. */
  segment: number;
  index: number;
  cycle: boolean;
}

export interface PortState {
  bits: number;
  /** A change that the guest has not been told of. */
  news: boolean;
}

export interface XhciState extends DeviceState {
  readonly device: "xhci";
  readonly version: 1;
  pci: PciFunctionState;
  msix: MsixState;
  command: number;
  status: number;
  notifications: number;
  configure: number;
  commandRing: RingState;
  commandRingRunning: boolean;
  /** Upper half of the command ring's address as it was written last. */
  commandRingHigh: number;
  contexts: [low: number, high: number];
  frameStart: number;
  interrupters: InterrupterState[];
  ports: PortState[];
  slots: SlotState[];
  /** Doorbells that have not been answered: slot times 32 and target. */
  waiting: number[];
  /** When the rest of the work goes on; null if nothing waits for time. */
  restDeadline: number | null;
  /** State records of the devices by port, null where nothing is plugged in. */
  devices: (DeviceState | null)[];
}

export function endpointState(address: number, cycle: boolean, maxPacket: number): EndpointState {
  const ring = { address, cycle };
  return { phase: EndpointPhase.Running, maxPacket, ring, done: 0, setup: null, answered: false, data: [] };
}

export function slotResetState(): SlotState {
  return { phase: SlotPhase.Disabled, context: 0, port: 0, endpoints: {} };
}

export function interrupterResetState(): InterrupterState {
  return {
    management: 0,
    // 1 ms (5.5.2.2).
    moderation: 4000,
    tableSize: 0,
    table: [0, 0],
    dequeue: [0, 0],
    segment: 0,
    index: 0,
    cycle: true,
  };
}
