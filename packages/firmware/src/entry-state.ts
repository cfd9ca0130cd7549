// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { writeBootGdt } from "./boot-gdt.js";
import {
  type BootState,
  CR0_ET,
  CR0_NE,
  CR0_PE,
  CR0_PG,
  CR4_PAE,
  EFER_LMA,
  EFER_LME,
  RFLAGS_RESERVED,
  type SegmentState,
} from "./boot-state.js";
import { BOOT_STACK_TOP } from "./low-memory.js";
import { writeIdentityMap } from "./page-tables.js";

const NO_IDT = { base: 0, limit: 0 };

/** Flat 32-bit protected mode, paging and interrupts off: how Linux/32, Multiboot and PVH kernels start. */
export function protectedModeEntry(ram: GuestRam, rip: number, registers: BootState["registers"]): BootState {
  return {
    rip,
    rflags: RFLAGS_RESERVED,
    registers,
    cr0: CR0_PE | CR0_ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
    idtr: NO_IDT,
    ...writeBootGdt(ram, 32),
  };
}

/** 64-bit mode with the first 4 GiB mapped to themselves, interrupts off, a small stack. */
export function longModeEntry(ram: GuestRam, rip: number, registers: BootState["registers"]): BootState {
  return {
    rip,
    rflags: RFLAGS_RESERVED,
    registers: { rsp: BOOT_STACK_TOP - 16, ...registers },
    cr0: (CR0_PE | CR0_ET | CR0_NE | CR0_PG) >>> 0,
    cr3: writeIdentityMap(ram),
    cr4: CR4_PAE,
    efer: EFER_LME | EFER_LMA,
    idtr: NO_IDT,
    ...writeBootGdt(ram, 64),
  };
}

const REAL_MODE_LIMIT = 0xffff;

function realModeSegment(selector: number, attributes: number): SegmentState {
  return { selector, base: selector * 16, limit: REAL_MODE_LIMIT, attributes };
}

/** Real mode at `segment:offset` with every data segment at 0, as a BIOS enters a boot sector. */
export function realModeEntry(segment: number, offset: number, registers: BootState["registers"]): BootState {
  return {
    rip: offset,
    rflags: RFLAGS_RESERVED,
    registers,
    cr0: CR0_ET,
    cr3: 0,
    cr4: 0,
    efer: 0,
    gdtr: { base: 0, limit: REAL_MODE_LIMIT },
    idtr: { base: 0, limit: 0x3ff },
    cs: realModeSegment(segment, 0x9b),
    data: realModeSegment(0, 0x93),
    tr: { selector: 0, base: 0, limit: REAL_MODE_LIMIT, attributes: 0x8b },
  };
}
