// SPDX-License-Identifier: Apache-2.0
/**
 * Registers of the local APIC (Intel SDM volume 3A, chapter "Advanced Programmable Interrupt Controller"). A register
 * number is the MMIO offset divided by 16 in xAPIC mode and the MSR number minus 0x800 in x2APIC mode.
 */
export const enum Reg {
  Id = 0x02,
  Version = 0x03,
  Tpr = 0x08,
  Apr = 0x09,
  Ppr = 0x0a,
  Eoi = 0x0b,
  RemoteRead = 0x0c,
  Ldr = 0x0d,
  Dfr = 0x0e,
  Svr = 0x0f,
  Isr = 0x10,
  Tmr = 0x18,
  Irr = 0x20,
  Esr = 0x28,
  IcrLow = 0x30,
  IcrHigh = 0x31,
  LvtTimer = 0x32,
  LvtThermal = 0x33,
  LvtPerf = 0x34,
  LvtLint0 = 0x35,
  LvtLint1 = 0x36,
  LvtError = 0x37,
  InitialCount = 0x38,
  CurrentCount = 0x39,
  DivideConfig = 0x3e,
  SelfIpi = 0x3f,
}

/** Version register: integrated APIC 0x14, six LVT entries (highest index 5). */
export const APIC_VERSION = 0x0005_0014;
/** Default physical base; the register page is 4 KiB. */
export const APIC_DEFAULT_BASE = 0xfee0_0000;
export const APIC_MMIO_SIZE = 0x1000;

export const enum Msr {
  ApicBase = 0x1b,
  TscDeadline = 0x6e0,
  X2apicFirst = 0x800,
  X2apicLast = 0x8ff,
}

/** IA32_APIC_BASE, low half. */
export const enum ApicBase {
  Bsp = 1 << 8,
  X2apic = 1 << 10,
  Enable = 1 << 11,
  Reserved = 0x2ff,
}

/** Spurious-interrupt vector register. */
export const enum Svr {
  Vector = 0xff,
  Enable = 0x100,
  /** Vector, software enable, focus processor checking. */
  Writable = 0x3ff,
}

/** Fields shared by the local vector table entries. */
export const enum Lvt {
  Vector = 0xff,
  ModeShift = 8,
  ModeMask = 7,
  ActiveLow = 1 << 13,
  RemoteIrr = 1 << 14,
  Level = 1 << 15,
  Masked = 1 << 16,
  TimerModeShift = 17,
}

/** Which bits of each LVT entry a guest may set, from LvtTimer on (figure "Local Vector Table"). */
export const LVT_WRITABLE = [0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff] as const;

export const enum TimerMode {
  OneShot = 0,
  Periodic = 1,
  TscDeadline = 2,
}

/** Delivery modes of the ICR, the LVT, MSI data and redirection entries. */
export const enum Delivery {
  Fixed = 0,
  LowestPriority = 1,
  Smi = 2,
  Nmi = 4,
  Init = 5,
  StartUp = 6,
  ExtInt = 7,
}

/** Interrupt command register, low half. */
export const enum Icr {
  Vector = 0xff,
  ModeShift = 8,
  Logical = 1 << 11,
  Assert = 1 << 14,
  Level = 1 << 15,
  ShorthandShift = 18,
  Writable = 0xccfff,
}

export const enum Shorthand {
  None = 0,
  Self = 1,
  AllIncludingSelf = 2,
  AllExcludingSelf = 3,
}

/** Error status register. */
export const enum Esr {
  SendIllegalVector = 0x20,
  ReceiveIllegalVector = 0x40,
  IllegalRegister = 0x80,
}

/** Vectors below this one are reserved for exceptions and never accepted. */
export const FIRST_VECTOR = 16;
/** The timer counts one tick a nanosecond, before the divider. */
export const TIMER_TICK_NS = 1;
