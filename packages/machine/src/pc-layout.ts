// SPDX-License-Identifier: Apache-2.0
import type { Window } from "@isola/firmware";

/** PCI slots of a `pc`, function numbers of the chip in slot 1, and what else distinguishes it from a `microvm`. */
export const CHIPSET_SLOT = 1;
export const enum ChipsetFunction {
  IsaBridge = 0,
  Ide = 1,
  PowerManagement = 3,
}
export const VIDEO_SLOT = 2;
/** From here on slots belong to what the configuration adds. */
export const FIRST_FREE_SLOT = 3;

export const FOUR_GIB = 0x1_0000_0000;
/** The last 128 KiB of the firmware also appear here, where a BIOS is entered in real mode. */
export const LOW_ROM_START = 0xe_0000;
export const LOW_ROM_END = 0x10_0000;
/** Firmware ends at 4 GiB. Local APICs are below what it may take. */
export const MIN_FIRMWARE = 64 << 10;
export const MAX_FIRMWARE = 16 << 20;
export const VIDEO_MEMORY = 16 << 20;

const PCI_END = 0xfec0_0000;
const TWO_GIB = 0x8000_0000;
const THREE_GIB = 0xc000_0000;

/** Where firmware may put the memory of PCI functions below 4 GiB: SeaBIOS from 3 GiB on, OVMF from 2 GiB if it can. */
export function pcWindow32(lowRam: number): Window {
  const start = lowRam <= TWO_GIB ? TWO_GIB : THREE_GIB;
  return { start, length: PCI_END - start };
}

/** And above it: firmware keeps to the physical address width of the processor. */
export const PC_WINDOW_64: Window = { start: 0x2_0000_0000, length: 0xfe_0000_0000 };

export const enum PcPort {
  /** Firmware writes its log here. */
  FirmwareLog = 0x402,
}

const PIRQ_WIRES = 4;
/** What firmware routes PIRQA# to PIRQD# to. */
const PIRQ_IRQS = [10, 10, 11, 11] as const;
/** Interrupts that firmware makes level-triggered for PCI, and that for ACPI. */
export const LEVEL_IRQS: readonly number[] = [5, 9, 10, 11];

/** The PIRQ wire of INTA#-INTD# (`pin` 0-3) of a slot: each slot begins with the next wire. */
export function pirqOf(slot: number, pin: number): number {
  return (slot - 1 + pin + PIRQ_WIRES) % PIRQ_WIRES;
}

/** The interrupt that this wire becomes. */
export function pirqIrq(slot: number, pin: number): number {
  return PIRQ_IRQS[pirqOf(slot, pin)] ?? PIRQ_IRQS[0];
}
