// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from "node:stream";
import type { Vm } from "@isola/vmm";
import type { MachineSummary } from "./messages.js";

/** What can be connected to in a machine. */
export interface MachineStreams {
  /** Attaches a reader and writer to the first serial port. It ends with the stream. */
  attachConsole(stream: Duplex): void;
  /**
   * Connects to a vsock port of the guest; resolves with what joins a stream to it. Rejects with an OperatorError if
   * nobody listens there.
   */
  dialVsock(port: number): Promise<(stream: Duplex) => void>;
}

/** What a control server needs of a machine's life. */
export type ControlledVm = Pick<Vm, "state" | "perform" | "screen" | "screenText" | "statistics">;

/** The machine that a control server stands for. */
export interface ControlTarget {
  readonly vm: ControlledVm;
  readonly description: Omit<MachineSummary, "state" | "name" | "pid">;
  readonly streams: MachineStreams;
}
