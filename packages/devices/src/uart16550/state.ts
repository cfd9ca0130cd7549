// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from "../device.js";
import { Lsr, Msr } from "./registers.js";

export interface UartState extends DeviceState {
  readonly device: "uart16550";
  readonly version: 1;
  ier: number;
  fcr: number;
  lcr: number;
  mcr: number;
  lsr: number;
  msr: number;
  scratch: number;
  divisor: number;
  /** Received bytes, oldest first. */
  received: number[];
  /** The receiver buffer register, which without FIFOs keeps showing the last byte. */
  buffer: number;
  /** Whether the transmit-empty interrupt waits to be identified. */
  transmitEmpty: boolean;
  /** Whether bytes below the trigger level have waited for four character times. */
  timedOut: boolean;
  /** When that will be, in ns on the machine's clock, or -1. */
  timeoutAt: number;
  /** Level of the interrupt output. */
  interrupt: boolean;
}

/** Values after master reset (data sheet, table III); carrier, DSR and CTS are up, as with a plugged null modem. */
export function uartResetState(): UartState {
  return {
    device: "uart16550",
    version: 1,
    ier: 0,
    fcr: 0,
    lcr: 0,
    mcr: 0,
    lsr: Lsr.TransmitHoldingEmpty | Lsr.TransmitterEmpty,
    msr: Msr.Dcd | Msr.Dsr | Msr.Cts,
    scratch: 0,
    divisor: 12,
    received: [],
    buffer: 0,
    transmitEmpty: false,
    timedOut: false,
    timeoutAt: -1,
    interrupt: false,
  };
}
