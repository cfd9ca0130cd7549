// SPDX-License-Identifier: Apache-2.0
import type { Lapic } from "./device.js";
import { ApicBase, Icr, LVT_WRITABLE, Msr, Reg, Svr } from "./registers.js";

/**
 * The model-specific registers of a local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE and, in x2APIC mode, 0x800-0x8FF
 * (SDM 3A "Extended XAPIC (x2APIC)"). Values travel as two 32-bit halves.
 */
export class LapicMsrs {
  /** High half of the last value read. */
  high = 0;

  /** @param physicalBits width of a physical address, for the reserved bits of IA32_APIC_BASE */
  constructor(
    private readonly lapic: Lapic,
    private readonly physicalBits: number,
  ) {}

  /** Whether `msr` belongs to the local APIC. */
  static owns(msr: number): boolean {
    return msr === Msr.ApicBase || msr === Msr.TscDeadline || (msr >= Msr.X2apicFirst && msr <= Msr.X2apicLast);
  }

  /** RDMSR: the low half, with the other in `high`; -1 asks for #GP. */
  readMsr(msr: number): number {
    const { lapic } = this;
    this.high = 0;
    if (msr === Msr.ApicBase) {
      this.high = lapic.baseHigh;
      return lapic.baseLow;
    }
    if (msr === Msr.TscDeadline) {
      this.high = lapic.timer.state.tscDeadlineHigh;
      return lapic.timer.state.tscDeadlineLow;
    }
    const reg = msr - Msr.X2apicFirst;
    if (!lapic.x2apic || !isReadable(reg)) return -1;
    if (reg === Reg.IcrLow) this.high = lapic.readRegister(Reg.IcrHigh);
    return lapic.readRegister(reg);
  }

  /** WRMSR; false asks for #GP. */
  writeMsr(msr: number, low: number, high: number): boolean {
    const { lapic } = this;
    if (msr === Msr.ApicBase) return this.writeBase(low >>> 0, high >>> 0);
    if (msr === Msr.TscDeadline) {
      lapic.timer.setTscDeadline(low, high);
      return true;
    }
    const reg = msr - Msr.X2apicFirst;
    if (!lapic.x2apic) return false;
    if (reg === Reg.IcrLow) {
      if ((low & ~Icr.Writable) !== 0) return false;
      lapic.writeRegister(Reg.IcrHigh, high >>> 0);
      lapic.writeRegister(Reg.IcrLow, low >>> 0);
      return true;
    }
    if (high !== 0 || (low & ~writableBits(reg)) !== 0) return false;
    if (!isWritable(reg)) return false;
    lapic.writeRegister(reg, low >>> 0);
    return true;
  }

  private writeBase(low: number, high: number): boolean {
    const { lapic } = this;
    const enable = (low & ApicBase.Enable) !== 0;
    const x2apic = (low & ApicBase.X2apic) !== 0;
    if ((low & ApicBase.Reserved) !== 0) return false;
    if (this.physicalBits < 64 && high >>> 0 >= 2 ** Math.max(this.physicalBits - 32, 0)) return false;
    // Transitions of figure "Local x2APIC State Transitions": x2APIC is entered from xAPIC and left by disabling only.
    if (x2apic && !enable) return false;
    if (x2apic && !lapic.present) return false;
    if (enable && !x2apic && lapic.x2apic) return false;
    lapic.setBase(low, high);
    return true;
  }
}

/** Table "Local APIC Register Address Map Supported by x2APIC". */
function isReadable(reg: number): boolean {
  if (reg >= Reg.Isr && reg < Reg.Irr + 8) return true;
  if (reg >= Reg.LvtTimer && reg <= Reg.CurrentCount) return true;
  switch (reg) {
    case Reg.Id:
    case Reg.Version:
    case Reg.Tpr:
    case Reg.Ppr:
    case Reg.Ldr:
    case Reg.Svr:
    case Reg.Esr:
    case Reg.IcrLow:
    case Reg.DivideConfig:
      return true;
    default:
      return false;
  }
}

function isWritable(reg: number): boolean {
  if (reg >= Reg.LvtTimer && reg <= Reg.InitialCount) return true;
  switch (reg) {
    case Reg.Tpr:
    case Reg.Eoi:
    case Reg.Svr:
    case Reg.Esr:
    case Reg.DivideConfig:
    case Reg.SelfIpi:
      return true;
    default:
      return false;
  }
}

/** Bits that may be set without #GP. Status bits of an LVT entry are read-only but not reserved. */
function writableBits(reg: number): number {
  if (reg >= Reg.LvtTimer && reg <= Reg.LvtError) return LVT_WRITABLE[reg - Reg.LvtTimer] | 0x5000;
  switch (reg) {
    case Reg.Tpr:
    case Reg.SelfIpi:
      return 0xff;
    case Reg.Svr:
      return Svr.Writable;
    case Reg.InitialCount:
      return ~0;
    case Reg.DivideConfig:
      return 0xb;
    default:
      return 0;
  }
}
