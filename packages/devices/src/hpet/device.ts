// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler, IrqLine } from "@isola/memory";
import type { Timer as ClockTimer, Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import {
  CAPABILITIES,
  Configuration,
  HPET_TIMERS,
  Register,
  ROUTES,
  TICK_FS,
  TICK_NS,
  Timer,
  TIMER_STRIDE,
  TimerRegister,
} from "./registers.js";
import { type HpetState, type HpetTimerState, hpetResetState } from "./state.js";

export interface HpetPorts {
  readonly timers: Timers;
  /** I/O APIC pins by number; those in `ROUTES` are used. */
  readonly pins: readonly IrqLine[];
  /** What timers 0 and 1 drive while they replace the 8254 and the real-time clock. */
  readonly legacy: readonly [IrqLine, IrqLine];
  /** The replacement has been switched on or off: the other timers' interrupts are cut off meanwhile. */
  legacyChanged(on: boolean): void;
}

const WORD = 2 ** 32;
/** Shortest time between two interrupts of a periodic timer in ticks: a guest must not keep the machine busy with it. */
const MIN_PERIOD = 1000;

/** Interrupts of a periodic timer that are made up for at most. */
const MAX_BACKLOG = 100;

/** Three timers on one counter of 100 MHz; all can be periodic. */
export class Hpet implements Device<HpetState> {
  readonly handler: IoHandler = {
    read: (offset, size) => partOf(this.readAligned(offset & ~3), offset, size),
    write: (offset, size, value) => this.write(offset, size, value),
  };
  private s: HpetState = hpetResetState();
  private readonly clockTimers: readonly ClockTimer[];
  /** Lines that timers hold asserted, so that they can be let go wherever they were routed. */
  private readonly driven: (IrqLine | null)[] = Array.from({ length: HPET_TIMERS }, () => null);

  constructor(private readonly ports: HpetPorts) {
    this.clockTimers = this.s.timers.map((_, i) => ports.timers.create(() => this.expired(i)));
  }

  reset(): void {
    const legacy = this.legacy;
    this.s = hpetResetState();
    this.s.timers.forEach((_, i) => {
      this.release(i);
      this.clockTimers[i].cancel();
    });
    if (legacy) this.ports.legacyChanged(false);
  }

  save(): HpetState {
    return copyState(this.s);
  }

  restore(state: HpetState): void {
    checkState(state, "hpet", 1);
    this.s = copyState(state);
    this.ports.legacyChanged(this.legacy);
    this.s.timers.forEach((_, i) => {
      this.driven[i] = ((this.s.status >> i) & 1) !== 0 ? this.lineOf(i) : null;
      this.schedule(i);
    });
  }

  private get enabled(): boolean {
    return (this.s.configuration & Configuration.Enable) !== 0;
  }

  private get legacy(): boolean {
    return (this.s.configuration & Configuration.Legacy) !== 0;
  }

  private ticks(): number {
    return Math.floor(this.ports.timers.now() / TICK_NS);
  }

  private counter(): number {
    return this.enabled ? Math.max(0, this.ticks() + this.s.counter) : this.s.counter;
  }

  private readAligned(offset: number): number {
    const { s } = this;
    switch (offset) {
      case Register.Capabilities:
        return CAPABILITIES;
      case Register.Capabilities + 4:
        return TICK_FS;
      case Register.Configuration:
        return s.configuration;
      case Register.Status:
        return s.status;
      case Register.Counter:
        return this.counter() % WORD;
      case Register.Counter + 4:
        return Math.floor(this.counter() / WORD) % WORD;
      default:
        return this.readTimer(offset - Register.Timers);
    }
  }

  private readTimer(offset: number): number {
    const timer = offset < 0 ? undefined : this.s.timers[Math.floor(offset / TIMER_STRIDE)];
    if (timer === undefined) return 0;
    switch (offset % TIMER_STRIDE) {
      case TimerRegister.Configuration:
        return timer.configuration | Timer.Capable;
      case TimerRegister.Configuration + 4:
        return ROUTES;
      case TimerRegister.Comparator:
        return timer.comparator[0];
      case TimerRegister.Comparator + 4:
        return (timer.configuration & Timer.Mode32) !== 0 ? 0 : timer.comparator[1];
      default:
        return 0;
    }
  }

  /** Registers are written as dwords; narrower writes change their part. */
  private write(offset: number, size: AccessSize, value: number): void {
    const at = offset & ~3;
    const shift = (offset & 3) * 8;
    const mask = size === 4 ? 0xffff_ffff : ((size === 2 ? 0xffff : 0xff) << shift) >>> 0;
    const whole = ((this.readAligned(at) & ~mask) | ((value << shift) & mask)) >>> 0;
    switch (at) {
      case Register.Configuration:
        return this.configure(whole);
      case Register.Status:
        return this.clearStatus((value << shift) & mask);
      case Register.Counter:
        return this.setCounter(Math.floor(this.counter() / WORD) * WORD + whole);
      case Register.Counter + 4:
        return this.setCounter((whole % 2 ** 20) * WORD + (this.counter() % WORD));
      default:
        return this.writeTimer(at - Register.Timers, whole);
    }
  }

  private configure(value: number): void {
    const { s } = this;
    const before = this.counter();
    const legacy = this.legacy;
    s.configuration = value & (Configuration.Enable | Configuration.Legacy);
    s.counter = this.enabled ? before - this.ticks() : before;
    if (this.legacy !== legacy) {
      s.timers.forEach((_, i) => this.release(i));
      this.ports.legacyChanged(this.legacy);
    }
    this.scheduleAll();
  }

  private setCounter(value: number): void {
    this.s.counter = this.enabled ? value - this.ticks() : value;
    this.scheduleAll();
  }

  private clearStatus(bits: number): void {
    this.s.status &= ~bits;
    this.s.timers.forEach((_, i) => {
      if (((bits >> i) & 1) !== 0) this.release(i);
    });
  }

  private writeTimer(offset: number, value: number): void {
    const index = Math.floor(offset / TIMER_STRIDE);
    const timer = offset < 0 ? undefined : this.s.timers[index];
    if (timer === undefined) return;
    const register = offset % TIMER_STRIDE;
    if (register === TimerRegister.Configuration) {
      timer.configuration = value & Timer.Writable;
      const level = (value & Timer.Level) !== 0 && (value & Timer.Enable) !== 0;
      if (!level) this.release(index);
    } else if (register === TimerRegister.Comparator) this.writeComparator(timer, 0, value);
    else if (register === TimerRegister.Comparator + 4) this.writeComparator(timer, 1, value);
    else return;
    this.schedule(index);
  }

  /** A periodic timer takes the first value behind the set bit as its comparator, and any as its period (2.3.9.2.2). */
  private writeComparator(timer: HpetTimerState, half: 0 | 1, value: number): void {
    const periodic = (timer.configuration & Timer.Periodic) !== 0;
    if (!periodic || (timer.configuration & Timer.SetValue) !== 0) timer.comparator[half] = value;
    if (!periodic) return;
    const [low, high] = [timer.period % WORD, Math.floor(timer.period / WORD)];
    timer.period = half === 0 ? high * WORD + value : (value % 2 ** 20) * WORD + low;
    // Of a 64-bit comparator both halves belong to the value; the upper one comes last.
    const last = (timer.configuration & Timer.Mode32) !== 0 ? 0 : 1;
    if (half === last) timer.configuration &= ~Timer.SetValue;
  }

  private scheduleAll(): void {
    this.s.timers.forEach((_, i) => this.schedule(i));
  }

  /** Ticks until the counter meets the comparator, or Infinity. */
  private ticksLeft(timer: HpetTimerState): number {
    const counter = this.counter();
    const [low, high] = timer.comparator;
    if ((timer.configuration & Timer.Mode32) !== 0) {
      const left = (low - (counter % WORD) + WORD) % WORD;
      // A periodic timer that is behind makes up for it.
      const behind = WORD - left < timer.period * (MAX_BACKLOG + 2) && (timer.configuration & Timer.Periodic) !== 0;
      return behind ? 0 : left || WORD;
    }
    const left = high * WORD + low - counter;
    if (left > 0) return left;
    return (timer.configuration & Timer.Periodic) !== 0 && timer.period > 0 ? 0 : Infinity;
  }

  private schedule(index: number): void {
    const timer = this.s.timers[index];
    const left = this.enabled && (timer.configuration & Timer.Enable) !== 0 ? this.ticksLeft(timer) : Infinity;
    if (left === Infinity) this.clockTimers[index].cancel();
    else this.clockTimers[index].set((this.ticks() + left) * TICK_NS);
  }

  private expired(index: number): void {
    const timer = this.s.timers[index];
    if ((timer.configuration & Timer.Periodic) !== 0 && timer.period > 0) this.nextPeriod(timer);
    this.interrupt(index);
    this.schedule(index);
  }

  /**
   * Periods that have passed unseen are made up for one by one, since guests count them; only when there are many of
   * them, as after a host's sleep, are they left out.
   */
  private nextPeriod(timer: HpetTimerState): void {
    const period = Math.max(timer.period, MIN_PERIOD);
    const [low, high] = timer.comparator;
    const narrow = (timer.configuration & Timer.Mode32) !== 0;
    const comparator = high * WORD + low;
    const late = narrow ? (this.counter() - low + WORD) % WORD : Math.max(0, this.counter() - comparator);
    const missed = Math.floor(late / period);
    const steps = missed > MAX_BACKLOG ? missed + 1 : 1;
    if (narrow) timer.comparator[0] = (low + period * steps) % WORD;
    else {
      const next = comparator + period * steps;
      timer.comparator = [next % WORD, Math.floor(next / WORD) % WORD];
    }
  }

  private lineOf(index: number): IrqLine | null {
    if (this.legacy && index < 2) return this.ports.legacy[index];
    const route = (this.s.timers[index].configuration >> Timer.RouteShift) & Timer.Route;
    return ((ROUTES >> route) & 1) !== 0 ? (this.ports.pins[route] ?? null) : null;
  }

  private interrupt(index: number): void {
    const timer = this.s.timers[index];
    const line = this.lineOf(index);
    if ((timer.configuration & Timer.Level) === 0) {
      line?.set(false);
      line?.set(true);
      line?.set(false);
      return;
    }
    this.s.status |= 1 << index;
    this.driven[index] = line;
    line?.set(true);
  }

  private release(index: number): void {
    this.driven[index]?.set(false);
    this.driven[index] = null;
  }
}
