// SPDX-License-Identifier: Apache-2.0
import { Delivery, Lvt, LVT_WRITABLE, Reg, type TimerMode } from "./registers.js";

/** What the table asks of its APIC. */
export interface LvtActions {
  /** Requests a vector; `level` is its trigger mode. */
  request(vector: number, level: boolean): void;
  nmi(): void;
  smi(): void;
  init(): void;
}

/** The entries from the timer's on, with the two local pins that feed some of them (SDM 3A "Local Vector Table"). */
export class LocalVectorTable {
  entries: number[] = [];
  pins: [boolean, boolean] = [false, false];

  constructor(private readonly actions: LvtActions) {}

  read(reg: number): number {
    return this.entries[reg - Reg.LvtTimer];
  }

  /** Writes an entry; while the APIC is disabled by software it stays masked. */
  write(reg: number, value: number, enabled: boolean): void {
    const index = reg - Reg.LvtTimer;
    const entry = (value & LVT_WRITABLE[index]) | (this.entries[index] & Lvt.RemoteIrr);
    this.entries[index] = enabled ? entry : entry | Lvt.Masked;
  }

  maskAll(): void {
    for (let i = 0; i < this.entries.length; i++) this.entries[i] |= Lvt.Masked;
  }

  get timerMode(): TimerMode {
    return (this.entries[0] >> Lvt.TimerModeShift) & 3;
  }

  /** A local pin changed; delivers what its entry asks for if `present`. */
  setPin(pin: 0 | 1, asserted: boolean, present: boolean): void {
    const rising = asserted && !this.pins[pin];
    this.pins[pin] = asserted;
    const level = (this.read(pinRegister(pin)) & Lvt.Level) !== 0;
    if (present && (rising || (level && asserted))) this.fire(pinRegister(pin));
  }

  /** Delivers what an entry asks for, unless it is masked. */
  fire(reg: number): void {
    const index = reg - Reg.LvtTimer;
    const entry = this.entries[index];
    if ((entry & Lvt.Masked) !== 0) return;
    const isPin = reg === Reg.LvtLint0 || reg === Reg.LvtLint1;
    // The timer's and the error entry have no delivery mode.
    const fixed = reg === Reg.LvtTimer || reg === Reg.LvtError;
    const mode: Delivery = fixed ? Delivery.Fixed : (entry >> Lvt.ModeShift) & Lvt.ModeMask;
    switch (mode) {
      case Delivery.Fixed: {
        const level = isPin && (entry & Lvt.Level) !== 0;
        if (level && (entry & Lvt.RemoteIrr) !== 0) break;
        if (level) this.entries[index] |= Lvt.RemoteIrr;
        this.actions.request(entry & Lvt.Vector, level);
        break;
      }
      case Delivery.Nmi:
        this.actions.nmi();
        break;
      case Delivery.Smi:
        this.actions.smi();
        break;
      case Delivery.Init:
        this.actions.init();
        break;
      default:
        // ExtINT follows the pin's level, see `external`.
        break;
    }
  }

  /** A level-triggered vector was ended: pins that raised it and are still asserted raise it again. */
  endOfInterrupt(vector: number): void {
    for (const pin of [0, 1] as const) {
      const index = pinRegister(pin) - Reg.LvtTimer;
      const entry = this.entries[index];
      if ((entry & Lvt.RemoteIrr) === 0 || (entry & Lvt.Vector) !== vector) continue;
      this.entries[index] = entry & ~Lvt.RemoteIrr;
      if (this.pins[pin]) this.fire(pinRegister(pin));
    }
  }

  /** Whether LINT0 passes a request of the 8259. With the APIC switched off it is the plain INTR pin. */
  external(present: boolean): boolean {
    if (!this.pins[0]) return false;
    if (!present) return true;
    const entry = this.read(Reg.LvtLint0);
    return (entry & Lvt.Masked) === 0 && ((entry >> Lvt.ModeShift) & Lvt.ModeMask) === Delivery.ExtInt;
  }
}

function pinRegister(pin: 0 | 1): Reg {
  return pin === 0 ? Reg.LvtLint0 : Reg.LvtLint1;
}
