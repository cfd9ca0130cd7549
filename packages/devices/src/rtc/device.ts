// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { Clock, Timer, Timers } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import {
  type ClockFields,
  DAY_SECONDS,
  daysInMonth,
  decode,
  decodeHour,
  encode,
  encodeHour,
  fieldsOf,
  msOf,
  secondsToAlarm,
} from "./calendar.js";
import { Cmos, CMOS_SIZE, CRYSTAL_HZ, REG_D_VALID, RegA, RegB, RegC, UPDATE_MS } from "./registers.js";
import { type RtcState, rtcResetState } from "./state.js";

/** Shortest delay of a callback; the wall clock may be coarser than the machine's. */
const MIN_DELAY_NS = 1000;

/**
 * An MC146818 clock with 256 bytes of CMOS RAM. It shows the host's wall time plus what the guest has set. Causes in
 * register C are found when something looks; the timer only runs for interrupts that are enabled and not yet pending.
 */
export class Rtc implements Device<RtcState> {
  /** Ports 0x70-0x73: index and data of the first 128 bytes, then of the second 128. */
  readonly handler: IoHandler = {
    read: (offset) => {
      if (offset === 1) return this.readCmos(this.s.index);
      if (offset === 3) return this.readCmos(128 + this.s.extendedIndex);
      return offset === 2 ? this.s.extendedIndex : 0xff;
    },
    write: (offset, _size, value) => {
      // Bit 7 of port 0x70 masks NMI on a PC; nothing here raises one.
      if (offset === 0) this.s.index = value & 0x7f;
      else if (offset === 1) this.writeCmos(this.s.index, value & 0xff);
      else if (offset === 2) this.s.extendedIndex = value & 0x7f;
      else if (offset === 3) this.writeCmos(128 + this.s.extendedIndex, value & 0xff);
    },
  };
  private s: RtcState = rtcResetState();
  private readonly timer: Timer;

  constructor(
    private readonly irq: IrqLine,
    private readonly clock: Clock,
    timers: Timers,
  ) {
    this.timer = timers.create(() => {
      this.collect();
      this.settle();
    });
    this.skipCauses();
  }

  /** The reset pin: interrupts off, no causes. Time, modes and CMOS RAM live on the battery. */
  reset(): void {
    this.collect();
    const s = this.s;
    s.index = 0;
    s.extendedIndex = 0;
    s.b &= ~(RegB.Periodic | RegB.Alarm | RegB.UpdateEnded | RegB.SquareWave);
    s.c = 0;
    this.settle();
  }

  save(): RtcState {
    return copyState(this.s);
  }

  restore(state: RtcState): void {
    checkState(state, "rtc", 1);
    this.s = copyState(state);
    this.schedule();
  }

  /** Sets a byte of CMOS RAM, as firmware or a battery would have left it. Clock registers are not reached. */
  setCmos(index: number, value: number): void {
    if (index > Cmos.D && index < CMOS_SIZE && index !== Cmos.Century) this.s.cmos[index] = value & 0xff;
  }

  private readCmos(index: number): number {
    const s = this.s;
    switch (index) {
      case Cmos.SecondsAlarm:
        return s.alarm[0];
      case Cmos.MinutesAlarm:
        return s.alarm[1];
      case Cmos.HoursAlarm:
        return s.alarm[2];
      case Cmos.A:
        return s.a | (this.updating() ? RegA.UpdateInProgress : 0);
      case Cmos.B:
        return s.b;
      case Cmos.C:
        return this.readCauses();
      case Cmos.D:
        return REG_D_VALID;
      default:
        return isClockField(index) ? this.readClock(index) : s.cmos[index];
    }
  }

  private writeCmos(index: number, value: number): void {
    const s = this.s;
    this.collect();
    switch (index) {
      case Cmos.SecondsAlarm:
        s.alarm[0] = value;
        break;
      case Cmos.MinutesAlarm:
        s.alarm[1] = value;
        break;
      case Cmos.HoursAlarm:
        s.alarm[2] = value;
        break;
      case Cmos.A:
        this.change(() => (s.a = value & RegA.Writable));
        break;
      case Cmos.B:
        this.change(() => (s.b = value));
        break;
      case Cmos.C:
      case Cmos.D:
        break;
      default:
        if (isClockField(index)) this.writeClock(index, value);
        else s.cmos[index] = value;
        break;
    }
    this.settle();
  }

  private guestMs(): number {
    return this.clock.wallTimeMs() + this.s.offsetMs;
  }

  private fields(): ClockFields {
    return this.s.stopped ?? fieldsOf(this.guestMs());
  }

  private updating(): boolean {
    return this.s.stopped === null && mod(this.guestMs(), 1000) >= 1000 - UPDATE_MS;
  }

  private readCauses(): number {
    this.collect();
    const value = this.s.c;
    this.s.c = 0;
    this.settle();
    return value;
  }

  private readClock(index: number): number {
    const fields = this.fields();
    const b = this.s.b;
    switch (index) {
      case Cmos.Seconds:
        return encode(fields.second, b);
      case Cmos.Minutes:
        return encode(fields.minute, b);
      case Cmos.Hours:
        return encodeHour(fields.hour, b);
      case Cmos.DayOfWeek:
        return encode(fields.dayOfWeek, b);
      case Cmos.DayOfMonth:
        return encode(fields.day, b);
      case Cmos.Month:
        return encode(fields.month, b);
      case Cmos.Year:
        return encode(mod(fields.year, 100), b);
      default:
        // The century byte is plain CMOS RAM to the chip, and firmware keeps it in BCD whatever register B says.
        return encode(Math.floor(fields.year / 100), 0);
    }
  }

  private writeClock(index: number, value: number): void {
    const s = this.s;
    const fields = this.fields();
    const century = Math.floor(fields.year / 100);
    switch (index) {
      case Cmos.Seconds:
        fields.second = decode(value, s.b);
        break;
      case Cmos.Minutes:
        fields.minute = decode(value, s.b);
        break;
      case Cmos.Hours:
        fields.hour = decodeHour(value, s.b);
        break;
      case Cmos.DayOfWeek:
        fields.dayOfWeek = decode(value, s.b);
        break;
      case Cmos.DayOfMonth:
        fields.day = decode(value, s.b);
        break;
      case Cmos.Month:
        fields.month = decode(value, s.b);
        break;
      case Cmos.Year:
        fields.year = century * 100 + decode(value, s.b);
        break;
      default:
        fields.year = decode(value, 0) * 100 + mod(fields.year, 100);
        break;
    }
    if (s.stopped !== null) return;
    // A running clock never shows the 31st of a short month.
    fields.day = Math.min(fields.day, daysInMonth(fields.year, fields.month));
    const now = this.guestMs();
    s.offsetMs += msOf(fields) + mod(now, 1000) - now;
    this.skipCauses();
  }

  /** Makes a change of register A or B, stopping or starting the clock where it asks for that. */
  private change(write: () => void): void {
    const s = this.s;
    const before = this.fields();
    const fraction = mod(this.guestMs(), 1000);
    const held = this.dividerHeld();
    write();
    const runs = (s.b & RegB.Set) === 0 && !this.dividerHeld();
    if (runs && s.stopped !== null) {
      s.offsetMs = msOf(s.stopped) + s.stoppedFractionMs - this.clock.wallTimeMs();
      s.stopped = null;
      s.stoppedFractionMs = 0;
    } else if (!runs && s.stopped === null) {
      s.stopped = before;
      s.stoppedFractionMs = fraction;
    }
    // The first update comes half a second after the divider is let go (data sheet, "Divider Control").
    if (held || this.dividerHeld()) s.stoppedFractionMs = s.stopped === null ? 0 : 500;
    this.skipCauses();
  }

  private dividerHeld(): boolean {
    return (this.s.a & 0x60) === 0x60;
  }

  /** Periodic interrupts a second, or 0 (data sheet, table "Periodic Interrupt Rate"). */
  private periodicHz(): number {
    const rate = this.s.a & RegA.Rate;
    if (rate === 0 || this.dividerHeld()) return 0;
    // Codes 1 and 2 stand for the rates of 8 and 9 when the crystal has 32.768 kHz.
    return CRYSTAL_HZ >> ((rate <= 2 ? rate + 7 : rate) - 1);
  }

  private guestSecond(): number {
    return Math.floor(this.guestMs() / 1000);
  }

  private period(): number {
    return Math.floor((this.clock.now() * this.periodicHz()) / 1e9);
  }

  /** Forgets causes between the last look and now. */
  private skipCauses(): void {
    this.s.checkedSecond = this.guestSecond();
    this.s.checkedPeriod = this.period();
  }

  /** Notes in register C what has happened since the last look. */
  private collect(): void {
    const s = this.s;
    const period = this.period();
    if (period > s.checkedPeriod) s.c |= RegC.Periodic;
    s.checkedPeriod = period;
    const second = this.guestSecond();
    const passed = second - s.checkedSecond;
    if (passed > 0 && s.stopped === null) {
      s.c |= RegC.UpdateEnded;
      const wait = secondsToAlarm(mod(s.checkedSecond, DAY_SECONDS), s.alarm, s.b);
      if (wait >= 0 && wait <= passed) s.c |= RegC.Alarm;
    }
    s.checkedSecond = second;
  }

  /** Drives the interrupt line from register C and arms the timer. */
  private settle(): void {
    const s = this.s;
    const asserted = (s.c & s.b & RegC.Causes) !== 0;
    s.c = (s.c & RegC.Causes) | (asserted ? RegC.Irq : 0);
    this.irq.set(asserted);
    this.schedule();
  }

  private schedule(): void {
    const s = this.s;
    const wanted = s.b & ~s.c & RegC.Causes;
    let delay = Infinity;
    const hz = this.periodicHz();
    const now = this.clock.now();
    if ((wanted & RegC.Periodic) !== 0 && hz > 0) delay = ((this.period() + 1) * 1e9) / hz - now;
    if ((wanted & (RegC.UpdateEnded | RegC.Alarm)) !== 0 && s.stopped === null) {
      const ms = this.guestMs();
      const toSecond = 1000 - mod(ms, 1000);
      if ((wanted & RegC.UpdateEnded) !== 0) delay = Math.min(delay, toSecond * 1e6);
      const wait = secondsToAlarm(mod(Math.floor(ms / 1000), DAY_SECONDS), s.alarm, s.b);
      if ((wanted & RegC.Alarm) !== 0 && wait > 0) delay = Math.min(delay, (toSecond + (wait - 1) * 1000) * 1e6);
    }
    if (delay === Infinity) this.timer.cancel();
    else this.timer.set(now + Math.max(Math.ceil(delay), MIN_DELAY_NS));
  }
}

function isClockField(index: number): boolean {
  if (index === Cmos.Century) return true;
  return index <= Cmos.Year && index !== Cmos.SecondsAlarm && index !== Cmos.MinutesAlarm && index !== Cmos.HoursAlarm;
}

/** Remainder that is never negative. */
function mod(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
