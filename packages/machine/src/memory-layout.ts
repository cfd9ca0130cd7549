// SPDX-License-Identifier: Apache-2.0
import { type MemoryRange, MemoryKind, type Window } from "@isola/firmware";

/** Guest-physical addresses of the board. RAM ends below 3 GiB and goes on at 4 GiB. */
export const ECAM = 0xe000_0000;
export const LAST_PCI_BUS = 0;
export const IOAPIC_ADDRESS = 0xfec0_0000;
export const LAPIC_ADDRESS = 0xfee0_0000;
/** Where PCI functions have their memory. */
export const PCI_WINDOW_32: Window = { start: 0xc000_0000, length: 0x2000_0000 };
export const PCI_WINDOW_64: Window = { start: 0x10_0000_0000, length: 0x10_0000_0000 };

const BUS_CONFIG_BYTES = 0x10_0000;

/** Ranges outside RAM that the guest's memory map shows as taken. */
export const RESERVED_RANGES: readonly MemoryRange[] = [
  { start: ECAM, length: (LAST_PCI_BUS + 1) * BUS_CONFIG_BYTES, kind: MemoryKind.Reserved },
  { start: IOAPIC_ADDRESS, length: 0x1000, kind: MemoryKind.Reserved },
  { start: LAPIC_ADDRESS, length: 0x1000, kind: MemoryKind.Reserved },
];

/** I/O ports of the board. */
export const enum PortBase {
  PicMaster = 0x20,
  Pit = 0x40,
  SystemControlB = 0x61,
  Rtc = 0x70,
  PicSlave = 0xa0,
  Elcr = 0x4d0,
  PowerManagement = 0x600,
  PciConfig = 0xcf8,
  ResetControl = 0xcf9,
  /** First port that PCI functions get. */
  PciWindow = 0xc000,
}

/** UARTs in the order in which PCs number them. */
export const SERIAL_PORTS: readonly { readonly port: number; readonly irq: number }[] = [
  { port: 0x3f8, irq: 4 },
  { port: 0x2f8, irq: 3 },
  { port: 0x3e8, irq: 4 },
  { port: 0x2e8, irq: 3 },
];

export const SCI_IRQ = 9;
export const RTC_IRQ = 8;
/** As its own register says after reset; it may equal the id of a local APIC since those have a bus of their own. */
export const IOAPIC_ID = 0;
const FIRST_PCI_PIN = 16;
const PCI_WIRES = 8;
const LEGACY_PCI_IRQS = [10, 11] as const;

/** Number of the wire, 0-7, that carries INTA#-INTD# (`pin` 0-3) of a PCI slot. */
export function pciWire(slot: number, pin: number): number {
  return (slot + pin) % PCI_WIRES;
}

/** IOAPIC pin of that wire. */
export function pciWirePin(wire: number): number {
  return FIRST_PCI_PIN + wire;
}

/** Input of the 8259 pair that the wire shares. */
export function pciWireIrq(wire: number): number {
  return LEGACY_PCI_IRQS[wire % LEGACY_PCI_IRQS.length] ?? LEGACY_PCI_IRQS[0];
}

export const PCI_WIRE_COUNT = PCI_WIRES;
