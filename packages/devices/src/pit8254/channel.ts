// SPDX-License-Identifier: Apache-2.0
import { Access, Control, Status } from "./registers.js";
import { type PitChannelState, pitChannelResetState } from "./state.js";

/**
 * One counter of an 8254. Nothing runs: count and output are computed from the number of input clocks (`tick`) since
 * the counting element was loaded. One-clock delays between a write and its load are not modelled.
 */
export class PitChannel {
  s: PitChannelState;

  constructor(private readonly gateAtReset: boolean) {
    this.s = pitChannelResetState(gateAtReset);
  }

  reset(): void {
    this.s = pitChannelResetState(this.gateAtReset);
  }

  /** Control word for this channel; a latch command when the access code is zero. */
  control(value: number, tick: number): void {
    const access = (value >> Control.AccessShift) & 3;
    if (access === Access.Latch) {
      this.latchCount(tick);
      return;
    }
    const gate = this.s.gate;
    this.s = pitChannelResetState(gate);
    const s = this.s;
    const mode = (value >> Control.ModeShift) & 7;
    // Codes 6 and 7 are modes 2 and 3 again.
    s.mode = mode > 5 ? mode - 4 : mode;
    s.access = access;
    s.bcd = (value & Control.Bcd) !== 0;
  }

  writeCount(value: number, tick: number): void {
    const s = this.s;
    switch (s.access) {
      case Access.Low:
        this.load(value, tick);
        break;
      case Access.High:
        this.load(value << 8, tick);
        break;
      default:
        if (s.writtenLow < 0) {
          s.writtenLow = value;
          // In mode 0 the first byte of a new count stops the old one.
          if (s.mode === 0) s.loaded = false;
        } else {
          const low = s.writtenLow;
          s.writtenLow = -1;
          this.load(low | (value << 8), tick);
        }
        break;
    }
  }

  read(tick: number): number {
    const s = this.s;
    if (s.latchedStatus >= 0) {
      const status = s.latchedStatus;
      s.latchedStatus = -1;
      return status;
    }
    const latched = s.latched.shift();
    if (latched !== undefined) return latched;
    const count = this.countRegister(tick);
    if (s.access === Access.Low) return count & 0xff;
    if (s.access === Access.High) return count >> 8;
    s.readHigh = !s.readHigh;
    return s.readHigh ? count & 0xff : count >> 8;
  }

  latchCount(tick: number): void {
    const s = this.s;
    // A second latch command before the first is read is ignored.
    if (s.latched.length > 0) return;
    const count = this.countRegister(tick);
    if (s.access !== Access.High) s.latched.push(count & 0xff);
    if (s.access !== Access.Low) s.latched.push(count >> 8);
  }

  latchStatus(tick: number): void {
    const s = this.s;
    if (s.latchedStatus >= 0) return;
    this.settle(tick);
    const nullCount = !s.loaded || s.next >= 0;
    s.latchedStatus =
      (this.output(tick) ? Status.Out : 0) |
      (nullCount ? Status.NullCount : 0) |
      (s.access << Control.AccessShift) |
      (s.mode << Control.ModeShift) |
      (s.bcd ? Control.Bcd : 0);
  }

  setGate(gate: boolean, tick: number): void {
    const s = this.s;
    if (gate === s.gate) return;
    this.settle(tick);
    const elapsed = this.elapsed(tick);
    s.gate = gate;
    switch (s.mode) {
      case 1:
      case 5:
        // A rising gate triggers, and triggers again.
        if (gate && (s.loaded || s.next >= 0)) this.start(tick);
        break;
      case 2:
      case 3:
        if (gate && s.loaded) this.start(tick);
        else if (s.loaded) this.hold(0);
        break;
      default:
        if (!s.loaded) break;
        if (gate) this.resume(elapsed, tick);
        else this.hold(elapsed);
        break;
    }
  }

  /** Level of OUT. */
  output(tick: number): boolean {
    const s = this.s;
    if (!s.loaded) return s.mode !== 0;
    this.settle(tick);
    const elapsed = this.elapsed(tick);
    switch (s.mode) {
      case 0:
      case 1:
        return elapsed >= s.active;
      case 2:
        return !s.running || elapsed % s.active !== s.active - 1;
      case 3:
        // High for the longer half of an odd count.
        return !s.running || elapsed % s.active < (s.active + 1) >> 1;
      default:
        return elapsed !== s.active;
    }
  }

  /** Tick of the next rising edge of OUT after `tick`, or -1. */
  nextRise(tick: number): number {
    const s = this.s;
    if (!s.loaded || !s.running) return -1;
    this.settle(tick);
    const elapsed = tick - s.origin;
    switch (s.mode) {
      case 0:
      case 1:
        return elapsed < s.active ? s.origin + s.active : -1;
      case 2:
      case 3:
        return s.origin + (Math.floor(elapsed / s.active) + 1) * s.active;
      default:
        return elapsed <= s.active ? s.origin + s.active + 1 : -1;
    }
  }

  /** Whether OUT goes up and down for ever. */
  get oscillates(): boolean {
    const { loaded, running, mode } = this.s;
    return loaded && running && (mode === 2 || mode === 3);
  }

  /** Share of the time between two ticks, whole or not, in which OUT is high. */
  highShare(from: number, to: number): number {
    const s = this.s;
    if (!s.loaded) return s.mode === 0 ? 0 : 1;
    if (!s.running) return this.output(Math.floor(from)) ? 1 : 0;
    this.settle(Math.floor(from));
    if (s.mode > 3) return 1;
    if (s.mode < 2) return Math.min(Math.max((to - s.origin - s.active) / (to - from), 0), 1);
    const high = s.mode === 2 ? s.active - 1 : (s.active + 1) >> 1;
    const highUntil = (tick: number): number => {
      const periods = Math.floor((tick - s.origin) / s.active);
      return periods * high + Math.min(tick - s.origin - periods * s.active, high);
    };
    return (highUntil(to) - highUntil(from)) / (to - from);
  }

  private load(count: number, tick: number): void {
    const s = this.s;
    const length = this.lengthOf(count);
    s.count = count;
    switch (s.mode) {
      case 1:
      case 5:
        // Takes effect at the next trigger.
        s.next = length;
        break;
      case 2:
      case 3:
        this.settle(tick);
        if (s.loaded && s.running) {
          // From here on `origin` is the start of the present period, which `settle` counts on.
          s.origin += Math.floor((tick - s.origin) / s.active) * s.active;
          s.next = length;
          break;
        }
        s.active = length;
        s.loaded = true;
        if (s.gate) this.start(tick);
        else this.hold(0);
        break;
      default:
        s.active = length;
        s.loaded = true;
        if (s.gate) this.resume(0, tick);
        else this.hold(0);
        break;
    }
  }

  private start(tick: number): void {
    const s = this.s;
    if (s.next >= 0) s.active = s.next;
    s.next = -1;
    s.loaded = true;
    this.resume(0, tick);
  }

  private resume(elapsed: number, tick: number): void {
    this.s.running = true;
    this.s.origin = tick - elapsed;
  }

  private hold(elapsed: number): void {
    this.s.running = false;
    this.s.origin = elapsed;
  }

  /** Puts a new count of modes 2 and 3 into effect once the period in which it was written is over. */
  private settle(tick: number): void {
    const s = this.s;
    if (s.next < 0 || !s.running || (s.mode !== 2 && s.mode !== 3)) return;
    if (tick < s.origin + s.active) return;
    s.origin += s.active;
    s.active = s.next;
    s.next = -1;
  }

  private elapsed(tick: number): number {
    return this.s.running ? tick - this.s.origin : this.s.origin;
  }

  /** Counts in a run: the register's value, with zero for the largest. */
  private lengthOf(count: number): number {
    if (!this.s.bcd) return count === 0 ? 0x1_0000 : count;
    const value = (count & 15) + ((count >> 4) & 15) * 10 + ((count >> 8) & 15) * 100 + ((count >> 12) & 15) * 1000;
    return value === 0 ? 10_000 : value;
  }

  /** The counting element as the guest reads it. */
  private countRegister(tick: number): number {
    const s = this.s;
    if (!s.loaded) return s.count & 0xffff;
    this.settle(tick);
    const elapsed = this.elapsed(tick);
    const span = s.bcd ? 10_000 : 0x1_0000;
    let value: number;
    if (s.mode === 2) value = s.active - (elapsed % s.active);
    // Mode 3 counts by two, through the range twice a period.
    else if (s.mode === 3) value = (s.active & ~1) - ((2 * (elapsed % s.active)) % Math.max(s.active & ~1, 2));
    else value = (((s.active - elapsed) % span) + span) % span;
    value %= span;
    return s.bcd ? toBcd(value) : value & 0xffff;
  }
}

function toBcd(value: number): number {
  return (
    (value % 10) |
    ((Math.floor(value / 10) % 10) << 4) |
    ((Math.floor(value / 100) % 10) << 8) |
    ((Math.floor(value / 1000) % 10) << 12)
  );
}
