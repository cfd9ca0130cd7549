// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, GuestRam, IoHandler } from "@isola/memory";
import { partOf } from "../access-width.js";
import { copyState } from "../device.js";
import type { DmaEngine } from "./drive.js";
import { BusMasterCommand, BusMasterPort, BusMasterStatus, REGION_LAST, REGION_MAX, REGION_SIZE } from "./registers.js";
import { type BusMasterState, busMasterResetState } from "./state.js";

/** The DMA engine of one channel: scatters and gathers by a table of regions in guest memory. */
export class BusMaster implements DmaEngine {
  /** Eight ports. */
  readonly handler: IoHandler = {
    read: (offset, size) => partOf(this.readAligned(offset & ~3), offset, size),
    write: (offset, size, value) => this.writeBytes(offset, size, value),
  };
  private s: BusMasterState = busMasterResetState();

  /**
   * @param mayMaster whether the function may access memory
   * @param started called when the guest starts the engine
   */
  constructor(
    private readonly ram: GuestRam,
    private readonly mayMaster: () => boolean,
    private readonly started: () => void,
  ) {}

  reset(): void {
    this.s = busMasterResetState();
  }

  save(): BusMasterState {
    return copyState(this.s);
  }

  restore(state: BusMasterState): void {
    this.s = copyState(state);
  }

  /** Whether it runs in the direction that a drive needs. */
  ready(toMemory: boolean): boolean {
    const { command } = this.s;
    const direction = (command & BusMasterCommand.ToMemory) !== 0;
    return (
      (command & BusMasterCommand.Start) !== 0 &&
      direction === toMemory &&
      (this.s.status & BusMasterStatus.Active) !== 0
    );
  }

  /** Moves all of `bytes` to or from the regions; false, with the engine stopped, if they end or are not RAM. */
  move(bytes: Uint8Array, toMemory: boolean): boolean {
    const { s } = this;
    for (let done = 0; done < bytes.length;) {
      if (s.left === 0 && !this.nextRegion()) return this.fail();
      const length = Math.min(s.left, bytes.length - done);
      const part = bytes.subarray(done, done + length);
      const moved = this.mayMaster() && (toMemory ? this.ram.write(s.address, part) : this.ram.read(s.address, part));
      if (!moved) return this.fail();
      s.address += length;
      s.left -= length;
      done += length;
    }
    return true;
  }

  /** The drive has interrupted. With a table that is used up the transfer is over. */
  interrupted(): void {
    this.s.status |= BusMasterStatus.Interrupt;
  }

  /** The drive has moved everything. */
  finished(): void {
    this.s.status &= ~BusMasterStatus.Active;
  }

  private fail(): boolean {
    this.s.status = (this.s.status & ~BusMasterStatus.Active) | BusMasterStatus.Error;
    return false;
  }

  private nextRegion(): boolean {
    const { s } = this;
    if (s.last || this.ram.offsetOf(s.next, REGION_SIZE) < 0) return false;
    const length = this.ram.u32(s.next + 4);
    s.address = this.ram.u32(s.next) & ~1;
    s.address >>>= 0;
    s.left = length & (REGION_MAX - 2) || REGION_MAX;
    s.last = (length & REGION_LAST) !== 0;
    s.next += REGION_SIZE;
    return true;
  }

  private readAligned(offset: number): number {
    return offset === 0 ? this.s.command | (this.s.status << 16) : this.s.table;
  }

  private writeBytes(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) this.writeByte(offset + i, (value >>> (8 * i)) & 0xff);
  }

  private writeByte(offset: number, value: number): void {
    const { s } = this;
    if (offset === BusMasterPort.Command) this.writeCommand(value);
    else if (offset === BusMasterPort.Status) {
      const kept = s.status & ~(value & (BusMasterStatus.Interrupt | BusMasterStatus.Error));
      s.status = (kept & ~BusMasterStatus.Capable) | (value & BusMasterStatus.Capable);
    } else if (offset >= BusMasterPort.Table) {
      const shift = (offset & 3) * 8;
      s.table = ((s.table & ~(0xff << shift)) | (value << shift)) >>> 0;
      s.table = (s.table & ~3) >>> 0;
    }
  }

  private writeCommand(value: number): void {
    const { s } = this;
    const before = s.command;
    s.command = value & (BusMasterCommand.Start | BusMasterCommand.ToMemory);
    const start = (s.command & BusMasterCommand.Start) !== 0;
    if (!start) s.status &= ~BusMasterStatus.Active;
    if (!start || (before & BusMasterCommand.Start) !== 0) return;
    s.status |= BusMasterStatus.Active;
    s.next = s.table;
    s.left = 0;
    s.last = false;
    this.started();
  }
}
