// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { DriveState } from "../ide/state.js";
import { Fis, FIS_INTERRUPT, FIS_TO_HOST, Received } from "./registers.js";

/** Registers of the drive in the order that register and PIO setup FISes share (Serial ATA 3.0, 10.3.5 and 10.3.10). */
function shadow(s: DriveState): number[] {
  return [
    ...[s.lbaLow[0], s.lbaMid[0], s.lbaHigh[0], s.device],
    ...[s.lbaLow[1], s.lbaMid[1], s.lbaHigh[1], 0],
    ...[s.count[0], s.count[1]],
  ];
}

/** Puts FISes from a drive where software wants them. Addresses outside RAM swallow them. */
export class ReceivedFis {
  constructor(
    private readonly ram: GuestRam,
    private readonly base: number,
  ) {}

  register(s: DriveState, interrupt: boolean): void {
    const flags = interrupt ? FIS_INTERRUPT : 0;
    this.put(Received.Register, [Fis.DeviceToHost, flags, s.status, s.error, ...shadow(s), 0, 0, 0, 0, 0, 0]);
  }

  /** A block of `bytes` is about to move; `end` is the status behind it. */
  pioSetup(s: DriveState, before: number, end: number, bytes: number, toHost: boolean): void {
    const flags = FIS_INTERRUPT | (toHost ? FIS_TO_HOST : 0);
    const tail = [0, end, bytes & 0xff, (bytes >> 8) & 0xff, 0, 0];
    this.put(Received.PioSetup, [Fis.PioSetup, flags, before, s.error, ...shadow(s), ...tail]);
  }

  /** Queued commands have ended: one bit for each tag. */
  setDeviceBits(status: number, error: number, done: number): void {
    const bits = [done & 0xff, (done >>> 8) & 0xff, (done >>> 16) & 0xff, done >>> 24];
    this.put(Received.SetDeviceBits, [Fis.SetDeviceBits, FIS_INTERRUPT, status & 0x77, error, ...bits]);
  }

  private put(offset: number, bytes: readonly number[]): void {
    this.ram.write(this.base + offset, Uint8Array.from(bytes));
  }
}
