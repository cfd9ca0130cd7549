// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler, IrqLine } from "@isola/memory";
import type { Timer, Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import { GPE_COUNT, Pm, Pm1, Pm1Control, PM_TIMER_HZ, ResetControl, SLEEP_TYPE_S5 } from "./registers.js";
import { type AcpiPmState, acpiPmResetState } from "./state.js";

/** What the guest asks of the machine through the power-management block. */
export interface AcpiPmEvents {
  /** The guest went into S5. */
  powerOff(): void;
  /** The guest wrote the reset register. */
  resetRequested(): void;
}

/** Timer ticks between two changes of its top bit. */
const HALF_RANGE = 2 ** 31;

/** ACPI fixed hardware: PM1 events and control, the PM timer, one GPE block and the reset register. */
export class AcpiPm implements Device<AcpiPmState> {
  /** The register block, `PM_BLOCK_SIZE` ports. */
  readonly handler: IoHandler = {
    read: (offset, size) => partOf(this.readAligned(offset & ~3), offset, size),
    write: (offset, size, value) => this.writeBytes(offset, size, value),
  };
  /** The reset register, one port. */
  readonly resetHandler: IoHandler = {
    read: () => this.s.resetControl,
    write: (_offset, _size, value) => {
      const before = this.s.resetControl;
      this.s.resetControl = value & ResetControl.Writable;
      if ((value & ResetControl.ResetCpu) !== 0 && (before & ResetControl.ResetCpu) === 0) this.events.resetRequested();
    },
  };
  private s: AcpiPmState = acpiPmResetState();
  private readonly timer: Timer;

  /**
   * @param sci level-triggered system control interrupt
   * @param softOff SLP_TYP value of S5
   */
  constructor(
    private readonly sci: IrqLine,
    private readonly timers: Timers,
    private readonly events: AcpiPmEvents,
    private readonly softOff: number = SLEEP_TYPE_S5,
  ) {
    this.timer = timers.create(() => this.update());
    this.s.timerCarries = this.carries();
  }

  reset(): void {
    this.s = acpiPmResetState();
    this.s.timerCarries = this.carries();
    this.update();
  }

  save(): AcpiPmState {
    return copyState(this.s);
  }

  restore(state: AcpiPmState): void {
    checkState(state, "acpi-pm", 1);
    this.s = copyState(state);
    this.schedule();
  }

  /** A short press of the power button: the guest is asked to shut down. */
  pressPowerButton(): void {
    this.s.status |= Pm1.PowerButton;
    this.update();
  }

  /** Raises a general-purpose event, 0-15; it stays until the guest clears it. */
  raiseGpe(event: number): void {
    if (event < 0 || event >= GPE_COUNT) return;
    this.s.gpeStatus |= 1 << event;
    this.update();
  }

  private ticks(): number {
    return Math.floor((this.timers.now() * PM_TIMER_HZ) / 1e9);
  }

  private carries(): number {
    return Math.floor(this.ticks() / HALF_RANGE);
  }

  private readAligned(offset: number): number {
    const s = this.s;
    switch (offset) {
      case Pm.Status:
        this.collectCarry();
        return s.status | (s.enable << 16);
      case Pm.Control:
        return s.control;
      case Pm.Timer:
        return this.ticks() % 2 ** 32;
      case Pm.GpeStatus:
        return s.gpeStatus | (s.gpeEnable << 16);
      default:
        return 0;
    }
  }

  /** Writes reach each byte on its own: ACPI code uses byte, word and dword accesses. */
  private writeBytes(offset: number, size: AccessSize, value: number): void {
    this.collectCarry();
    let sleep = false;
    for (let i = 0; i < size; i++) {
      const at = offset + i;
      sleep = this.writeByte(at & ~1, (at & 1) * 8, (value >>> (8 * i)) & 0xff) || sleep;
    }
    this.update();
    if (sleep) this.enterSleep();
  }

  /** Writes one byte of a 16-bit register; true when it asked to sleep. */
  private writeByte(register: number, shift: number, value: number): boolean {
    const s = this.s;
    const bits = value << shift;
    const keep = ~(0xff << shift);
    switch (register) {
      case Pm.Status:
        s.status &= ~(bits & Pm1.StatusBits);
        return false;
      case Pm.Enable:
        s.enable = ((s.enable & keep) | bits) & Pm1.EnableBits;
        return false;
      case Pm.Control:
        s.control = (((s.control & keep) | bits) & Pm1Control.Stored) | Pm1Control.SciEnable;
        return (bits & Pm1Control.SleepEnable) !== 0;
      case Pm.GpeStatus:
        s.gpeStatus &= ~bits;
        return false;
      case Pm.GpeEnable:
        s.gpeEnable = (s.gpeEnable & keep) | bits;
        return false;
      default:
        return false;
    }
  }

  /** S5 ends the machine; the lighter states wake at once. */
  private enterSleep(): void {
    const type = (this.s.control >> Pm1Control.SleepTypeShift) & Pm1Control.SleepTypeMask;
    if (type === this.softOff) {
      this.events.powerOff();
      return;
    }
    this.s.status |= Pm1.Wake;
    this.update();
  }

  /** TMR_STS follows each change of the timer's top bit. */
  private collectCarry(): void {
    const carries = this.carries();
    if (carries !== this.s.timerCarries) this.s.status |= Pm1.Timer;
    this.s.timerCarries = carries;
  }

  private update(): void {
    this.collectCarry();
    const s = this.s;
    this.sci.set((s.status & s.enable) !== 0 || (s.gpeStatus & s.gpeEnable) !== 0);
    this.schedule();
  }

  private schedule(): void {
    const s = this.s;
    if ((s.enable & Pm1.Timer) === 0 || (s.status & Pm1.Timer) !== 0) this.timer.cancel();
    else this.timer.set(Math.ceil(((s.timerCarries + 1) * HALF_RANGE * 1e9) / PM_TIMER_HZ) + 1);
  }
}
