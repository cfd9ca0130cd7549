// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { EBDA_START, HIGH_MEMORY, LEGACY_HOLE_START } from "./low-memory.js";

/** Kinds of range, with the numbers that E820, Multiboot and PVH share (ACPI 6.5, table 15.4). */
export enum MemoryKind {
  Ram = 1,
  Reserved = 2,
}

export interface MemoryRange {
  readonly start: number;
  readonly length: number;
  readonly kind: MemoryKind;
}

const FOUR_GIB = 0x1_0000_0000;

/**
 * What the guest is told about physical memory, in ascending order. `reserved` ranges (for example PCI's ECAM window)
 * lie outside RAM.
 */
export function guestMemoryMap(ram: GuestRam, reserved: readonly MemoryRange[] = []): MemoryRange[] {
  const ranges: MemoryRange[] = [
    { start: 0, length: EBDA_START, kind: MemoryKind.Ram },
    { start: EBDA_START, length: LEGACY_HOLE_START - EBDA_START, kind: MemoryKind.Reserved },
    { start: 0xe_0000, length: 0x2_0000, kind: MemoryKind.Reserved },
    { start: HIGH_MEMORY, length: ram.lowSize - HIGH_MEMORY, kind: MemoryKind.Ram },
    ...reserved,
  ];
  if (ram.highSize > 0) ranges.push({ start: FOUR_GIB, length: ram.highSize, kind: MemoryKind.Ram });
  return ranges.toSorted((a, b) => a.start - b.start);
}

const E820_ENTRY = 20;

/** RAM as firmware is told of it: entries of 64-bit start, 64-bit length and 32-bit kind, as INT 15h E820 has them. */
export function firmwareMemoryMap(lowSize: number, highSize: number): Uint8Array {
  const ranges = [
    { start: 0, length: lowSize },
    { start: FOUR_GIB, length: highSize },
  ].filter(({ length }) => length > 0);
  const view = new DataView(new ArrayBuffer(ranges.length * E820_ENTRY));
  ranges.forEach(({ start, length }, i) => {
    view.setBigUint64(i * E820_ENTRY, BigInt(start), true);
    view.setBigUint64(i * E820_ENTRY + 8, BigInt(length), true);
    view.setUint32(i * E820_ENTRY + 16, MemoryKind.Ram, true);
  });
  return new Uint8Array(view.buffer);
}
