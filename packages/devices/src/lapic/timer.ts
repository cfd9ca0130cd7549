// SPDX-License-Identifier: Apache-2.0
import type { Timer, Timers } from "@isola/ports";
import { TIMER_TICK_NS, TimerMode } from "./registers.js";
import { type LapicTimerState, lapicTimerResetState } from "./state.js";

const TWO_32 = 0x1_0000_0000;
/** Shortest time between two expiries of a periodic timer, so that no guest can keep the host in timer callbacks. */
export const MIN_PERIOD_NS = 50_000;

/** The timer of a local APIC: one-shot, periodic and TSC-deadline (SDM 3A "APIC Timer"). */
export class LapicTimer {
  state: LapicTimerState = lapicTimerResetState();
  private readonly timer: Timer;

  /**
   * @param expired called at each expiry, whether or not the LVT entry is masked
   * @param tscToNs machine time at which the guest's time-stamp counter reaches a value
   * @param mode what the LVT entry says now
   */
  constructor(
    private readonly timers: Timers,
    private readonly tscToNs: (tsc: number) => number,
    private readonly mode: () => TimerMode,
    private readonly expired: () => void,
  ) {
    this.timer = timers.create(() => this.onDeadline());
  }

  reset(): void {
    this.timer.cancel();
    this.state = lapicTimerResetState();
  }

  restore(state: LapicTimerState): void {
    this.state = { ...state };
    this.timer.cancel();
    if (this.mode() === TimerMode.TscDeadline) this.armTscDeadline();
    else if (state.deadline >= 0) this.timer.set(state.deadline);
  }

  /** Restarts the count; zero stops it. Ignored in TSC-deadline mode. */
  setInitialCount(count: number): void {
    if (this.mode() === TimerMode.TscDeadline) return;
    this.state.initialCount = count;
    this.state.startedAt = this.timers.now();
    this.schedule();
  }

  initialCount(): number {
    return this.state.initialCount;
  }

  currentCount(): number {
    const s = this.state;
    if (s.initialCount === 0 || this.mode() === TimerMode.TscDeadline) return 0;
    const ticks = Math.floor((this.timers.now() - s.startedAt) / this.tickNs());
    if (this.mode() === TimerMode.Periodic) return s.initialCount - (ticks % s.initialCount);
    return ticks >= s.initialCount ? 0 : s.initialCount - ticks;
  }

  setDivideConfig(value: number): void {
    const count = this.currentCount();
    this.state.divideConfig = value;
    if (this.state.initialCount === 0) return;
    // The remaining count carries on at the new rate.
    this.state.startedAt = this.timers.now() - (this.state.initialCount - count) * this.tickNs();
    this.schedule();
  }

  /** To be called when the LVT's mode bits changed; entering or leaving TSC-deadline mode disarms the timer. */
  modeChanged(before: TimerMode): void {
    const now = this.mode();
    if (now === before) return;
    if (now === TimerMode.TscDeadline || before === TimerMode.TscDeadline) {
      this.timer.cancel();
      this.state.initialCount = 0;
      this.state.deadline = -1;
      this.state.tscDeadlineLow = 0;
      this.state.tscDeadlineHigh = 0;
    } else {
      this.schedule();
    }
  }

  /** WRMSR IA32_TSC_DEADLINE; ignored in the other modes, zero disarms. */
  setTscDeadline(low: number, high: number): void {
    if (this.mode() !== TimerMode.TscDeadline) return;
    this.state.tscDeadlineLow = low >>> 0;
    this.state.tscDeadlineHigh = high >>> 0;
    this.armTscDeadline();
  }

  /** To be called when the guest moved its time-stamp counter. */
  tscChanged(): void {
    if (this.mode() === TimerMode.TscDeadline) this.armTscDeadline();
  }

  private armTscDeadline(): void {
    const tsc = this.state.tscDeadlineHigh * TWO_32 + this.state.tscDeadlineLow;
    if (tsc === 0) this.timer.cancel();
    else this.timer.set(Math.ceil(this.tscToNs(tsc)));
  }

  private schedule(): void {
    const s = this.state;
    s.deadline = -1;
    this.timer.cancel();
    if (s.initialCount === 0) return;
    const now = this.timers.now();
    const period = s.initialCount * this.tickNs();
    if (this.mode() === TimerMode.Periodic) {
      const elapsed = Math.floor((now - s.startedAt) / period) + 1;
      s.deadline = s.startedAt + elapsed * period;
    } else if (s.startedAt + period > now) {
      s.deadline = s.startedAt + period;
    }
    if (s.deadline >= 0) this.timer.set(s.deadline);
  }

  private onDeadline(): void {
    const s = this.state;
    switch (this.mode()) {
      case TimerMode.TscDeadline:
        s.tscDeadlineLow = 0;
        s.tscDeadlineHigh = 0;
        break;
      case TimerMode.Periodic: {
        const now = this.timers.now();
        const period = s.initialCount * this.tickNs();
        // Expiries that were missed or come too fast are merged into one.
        const next = s.startedAt + (Math.floor((now - s.startedAt) / period) + 1) * period;
        s.deadline = Math.max(next, now + MIN_PERIOD_NS);
        this.timer.set(s.deadline);
        break;
      }
      default:
        s.deadline = -1;
        break;
    }
    this.expired();
  }

  /** Nanoseconds a tick: the divider is 2, 4 .. 128 for codes 0-6 and 1 for code 7; bit 2 of the register is unused. */
  private tickNs(): number {
    const code = (this.state.divideConfig & 3) | ((this.state.divideConfig & 8) >> 1);
    return TIMER_TICK_NS * (code === 7 ? 1 : 2 << code);
  }
}
