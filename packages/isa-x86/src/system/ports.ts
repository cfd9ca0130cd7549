// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import type { Entropy } from "@isola/ports";

/** The 64 KiB of I/O ports. */
export interface PortSpace {
  read(port: number, size: AccessSize): number;
  write(port: number, size: AccessSize, value: number): void;
}

/** Model-specific registers of the local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE and 0x800-0x8FF. */
export interface ApicRegisters {
  /** High half of the last value read. */
  readonly high: number;
  /** RDMSR: the low half, unsigned; -1 asks for #GP(0). */
  readMsr(msr: number): number;
  /** WRMSR; false asks for #GP(0). */
  writeMsr(msr: number, low: number, high: number): boolean;
}

/** What the guest can find out about the speed of its clocks. */
export interface ClockRates {
  /** Ticks a second of the time-stamp counter. */
  readonly frequency: number;
  /** Ticks a second of the local APIC's timer at divisor 1. */
  readonly apicTimerFrequency: number;
}

/** What the emulation of system instructions on one vCPU needs from the machine. */
export interface SystemPorts {
  readonly io: PortSpace;
  readonly apicRegisters: ApicRegisters;
  /** The task-priority register; CR8 is its upper four bits. */
  readonly apic: { taskPriority: number };
  readonly time: ClockRates;
  readonly entropy: Entropy;
  /** vCPUs of the machine, for CPUID. */
  readonly cpuCount: number;
}
