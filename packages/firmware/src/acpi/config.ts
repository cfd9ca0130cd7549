// SPDX-License-Identifier: Apache-2.0

/** A range of guest-physical addresses. */
export interface Window {
  readonly start: number;
  readonly length: number;
}

/** The parts of a machine that its ACPI tables describe. */
export interface AcpiConfig {
  /** Processors; their APIC ids count from 0. */
  readonly cpus: number;
  readonly localApicAddress: number;
  readonly ioApic: { readonly id: number; readonly address: number };
  /** Fixed power-management hardware: I/O ports. */
  readonly power: {
    readonly pm1Event: number;
    readonly pm1Control: number;
    readonly timer: number;
    readonly gpe0: { readonly port: number; readonly length: number };
    readonly reset: { readonly port: number; readonly value: number };
    /** SLP_TYP value of the S5 (soft off) state. */
    readonly s5SleepType: number;
    /** Interrupt of the fixed hardware. */
    readonly sci: number;
  };
  readonly pci: {
    /** Memory-mapped configuration space of bus 0 to `lastBus`, or null if there is none. */
    readonly ecam: number | null;
    readonly lastBus: number;
    readonly window32: Window;
    readonly window64: Window;
    /** IOAPIC pin of INTA# to INTD# of device `slot`. */
    readonly pinOf: (slot: number, pin: number) => number;
    /** Interrupt of the same wire on the 8259 pair, used until a guest turns on its IOAPICs. */
    readonly legacyIrqOf: (slot: number, pin: number) => number;
  };
  /** ISA interrupts that are level-triggered and active high, beside that of the power-management hardware. */
  readonly levelIrqs?: readonly number[];
  /** Devices of a classic PC; absent on a machine without them. */
  readonly pc?: {
    readonly hpet: number;
    /** Whether there are floppy drives. */
    readonly floppy: boolean;
  };
  /** 16550 UARTs in order. */
  readonly serial: readonly { readonly port: number; readonly irq: number }[];
}
