// SPDX-License-Identifier: Apache-2.0
/** The high precision event timer (IA-PC HPET Specification 1.0a). */
export const HPET_ADDRESS = 0xfed0_0000;
export const HPET_LENGTH = 0x400;
export const HPET_TIMERS = 3;
/** Nanoseconds of a tick, and femtoseconds as the capabilities say it. */
export const TICK_NS = 10;
export const TICK_FS = TICK_NS * 1_000_000;

/** Offsets of 64-bit registers. */
export const enum Register {
  Capabilities = 0x000,
  Configuration = 0x010,
  Status = 0x020,
  Counter = 0x0f0,
  Timers = 0x100,
}
export const TIMER_STRIDE = 0x20;
/** Registers of a timer. */
export const enum TimerRegister {
  Configuration = 0x00,
  Comparator = 0x08,
}

/** Vendor 8086, legacy replacement, 64-bit counter, three timers, revision 1. */
export const CAPABILITIES = 0x8086_a201;

export const enum Configuration {
  Enable = 0x01,
  /** Timer 0 replaces the 8254, timer 1 the real-time clock. */
  Legacy = 0x02,
}

export const enum Timer {
  Level = 0x002,
  Enable = 0x004,
  Periodic = 0x008,
  /** The next write of the comparator of a periodic timer sets it, and not only the period. */
  SetValue = 0x040,
  Mode32 = 0x100,
  RouteShift = 9,
  Route = 0x1f,
  Writable = 0x3f4e,
  /** Periodic operation and 64 bits are possible. */
  Capable = 0x030,
}

/** I/O APIC pins that a timer can be routed to: 20 to 23. */
export const ROUTES = 0x00f0_0000;
