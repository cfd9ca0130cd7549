// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { BOOT_PAGE_TABLES } from "./low-memory.js";

const PRESENT_WRITABLE = 3n;
const LARGE_PAGE = 0x80n;
const TABLE_BYTES = 0x1000;
const ENTRIES = 512;
const DIRECTORIES = 4;
const TWO_MIB = 0x20_0000n;

/**
 * Writes 4-level page tables that map the first 4 GiB to themselves with 2 MiB pages (SDM 3A 4.5.4), which needs no
 * 1 GiB page support. Returns the value for CR3.
 */
export function writeIdentityMap(ram: GuestRam): number {
  const pml4 = BOOT_PAGE_TABLES;
  const pdpt = pml4 + TABLE_BYTES;
  const directories = pdpt + TABLE_BYTES;
  ram.write(pml4, new Uint8Array((2 + DIRECTORIES) * TABLE_BYTES));
  ram.setU64(pml4, BigInt(pdpt) | PRESENT_WRITABLE);
  for (let i = 0; i < DIRECTORIES; i++)
    ram.setU64(pdpt + 8 * i, BigInt(directories + i * TABLE_BYTES) | PRESENT_WRITABLE);
  for (let i = 0; i < DIRECTORIES * ENTRIES; i++)
    ram.setU64(directories + 8 * i, (BigInt(i) * TWO_MIB) | PRESENT_WRITABLE | LARGE_PAGE);
  return pml4;
}
