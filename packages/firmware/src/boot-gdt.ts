// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import type { SegmentState, TableRegister } from "./boot-state.js";
import { BOOT_GDT } from "./low-memory.js";

// Access byte and flags as bits 8-23 of a descriptor's second word (SDM 3A 3.4.5): G D/B L AVL limit | P DPL S type.
const CODE_32 = 0xc09b;
const CODE_64 = 0xa09b;
const DATA_32 = 0xc093;
const TSS_32_BUSY = 0x008b;
const FLAT_LIMIT = 0xffff_ffff;
const TSS_LIMIT = 0x67;

/** Selectors that the Linux boot protocol prescribes (`__BOOT_CS`, `__BOOT_DS`); the other protocols leave them open. */
const CODE_SELECTOR = 0x10;
const DATA_SELECTOR = 0x18;
const TASK_SELECTOR = 0x20;

export interface BootSegments {
  readonly gdtr: TableRegister;
  readonly cs: SegmentState;
  readonly data: SegmentState;
  readonly tr: SegmentState;
}

function descriptor(base: number, limit: number, attributes: number): bigint {
  const granular = (attributes & 0x8000) !== 0;
  const field = granular ? Math.floor(limit / 4096) : limit;
  const low = ((base & 0xffff) * 0x1_0000 + (field & 0xffff)) >>> 0;
  const high =
    ((base & 0xff00_0000) | ((attributes & 0xf0ff) << 8) | (field & 0xf_0000) | ((base >>> 16) & 0xff)) >>> 0;
  return (BigInt(high) << 32n) | BigInt(low);
}

/**
 * Writes a GDT with flat code and data segments to its place in low memory, and returns what the segment registers
 * hold after loading them.
 */
export function writeBootGdt(ram: GuestRam, codeBits: 32 | 64): BootSegments {
  const codeAttributes = codeBits === 64 ? CODE_64 : CODE_32;
  const entries = [
    0n,
    0n,
    descriptor(0, FLAT_LIMIT, codeAttributes),
    descriptor(0, FLAT_LIMIT, DATA_32),
    descriptor(0, TSS_LIMIT, TSS_32_BUSY),
    0n,
  ];
  entries.forEach((entry, i) => ram.setU64(BOOT_GDT + 8 * i, entry));
  return {
    gdtr: { base: BOOT_GDT, limit: 8 * entries.length - 1 },
    cs: { selector: CODE_SELECTOR, base: 0, limit: FLAT_LIMIT, attributes: codeAttributes },
    data: { selector: DATA_SELECTOR, base: 0, limit: FLAT_LIMIT, attributes: DATA_32 },
    tr: { selector: TASK_SELECTOR, base: 0, limit: TSS_LIMIT, attributes: TSS_32_BUSY },
  };
}
