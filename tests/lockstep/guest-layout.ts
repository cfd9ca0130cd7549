// SPDX-License-Identifier: Apache-2.0
// Where the random programs of the lockstep tests find things, and the page and descriptor tables that make it so.
import type { GuestRam } from "@isola/memory";

/** How a program runs: privilege and code size. `user32` is compatibility mode, `kernel32` legacy paging. */
export type GuestMode = "kernel64" | "user64" | "kernel32" | "user32";
export const GUEST_MODES: readonly GuestMode[] = ["kernel64", "user64", "kernel32", "user32"];

export const is64 = (mode: GuestMode): boolean => mode.endsWith("64");
export const isUser = (mode: GuestMode): boolean => mode.startsWith("user");

export const PAGE = 0x1000;
export const RAM_SIZE = 1 << 20;
/** Not RAM: the registers of the test's device. */
export const DEVICE_PHYSICAL = 0x1000_0000;

/** Linear addresses. The frames of CODE are mapped a second time at ALIAS. */
export const CODE = 0x40_0000;
export const CODE_PAGES = 5;
export const ALIAS = 0x41_0000;
export const DATA = 0x60_0000;
export const DATA_PAGES = 8;
export const READ_ONLY_PAGE = 2;
export const ABSENT_PAGE = 3;
export const DEVICE_PAGE = 6;
export const STACK = 0x70_0000;
export const STACK_PAGES = 4;
export const STACK_TOP: number = STACK + STACK_PAGES * PAGE - 0x100;
const SYSTEM = 0x80_0000;

/** Physical addresses. Each page of code has a second frame with slightly other code. */
export const CODE_FRAMES = 0x2_0000;
export const OTHER_CODE_FRAMES = 0x2_8000;
export const DATA_FRAMES = 0x3_0000;
const STACK_FRAMES = 0x4_0000;
const SYSTEM_FRAMES = 0x5_0000;
const TABLES = 0x1000;
const TABLES_END = 0x1_0000;

/** System pages in order. */
const GDT = 0;
const IDT = 1;
const TSS = 2;
const HANDLERS = 3;
const HANDLER_STACK = 4;
const SYSTEM_PAGES = 5;

const systemAt = (page: number): number => SYSTEM + page * PAGE;
export const GDT_LINEAR: number = systemAt(GDT);
export const IDT_LINEAR: number = systemAt(IDT);
export const TSS_LINEAR: number = systemAt(TSS);
export const HANDLERS_LINEAR: number = systemAt(HANDLERS);
/** Bytes from one interrupt handler to the next: a HLT, which hands the matter to the test, and an IRET. */
export const HANDLER_SIZE = 4;

export const KERNEL_CODE = 0x08;
export const KERNEL_DATA = 0x10;
export const USER_CODE = 0x1b;
export const USER_DATA = 0x23;
export const TSS_SELECTOR = 0x28;

export const enum PageBit {
  Present = 1,
  Writable = 2,
  User = 4,
}
const ALL = PageBit.Present | PageBit.Writable | PageBit.User;
const INT3_VECTOR = 3;
const OVERFLOW_VECTOR = 4;
/** INT n with these is open to user code. */
export const OPEN_VECTORS: readonly number[] = [INT3_VECTOR, OVERFLOW_VECTOR, 0x80, 0x81];

/** Access rights as segment registers hold them. */
export function codeAttributes(mode: GuestMode): number {
  return (is64(mode) ? 0xa09b : 0xc09b) | (isUser(mode) ? 0x60 : 0);
}

export function dataAttributes(mode: GuestMode): number {
  return 0xc093 | (isUser(mode) ? 0x60 : 0);
}

/** Order in which the pages of code take their frames, so that neighbours in linear memory are none in RAM. */
const FRAME_ORDER = [2, 0, 4, 1, 3] as const;

export function codeFrame(page: number, other = false): number {
  return (other ? OTHER_CODE_FRAMES : CODE_FRAMES) + (FRAME_ORDER[page] ?? 0) * PAGE;
}

/** Page tables of one machine. Linear addresses from CODE to SYSTEM_PAGES are in two tables that cover 4 MiB each. */
export class GuestPages {
  /** Page-table entries are 8 bytes in long mode and 4 in legacy mode. */
  private readonly entrySize: number;
  private readonly firstTable: number;

  constructor(
    private readonly ram: GuestRam,
    mode: GuestMode,
  ) {
    const legacy = mode === "kernel32";
    this.entrySize = legacy ? 4 : 8;
    this.firstTable = TABLES + (legacy ? 1 : 3) * PAGE;
    ram.write(TABLES, new Uint8Array(TABLES_END - TABLES));
    if (legacy) for (let i = 0; i < 2; i++) ram.setU32(TABLES + 4 * (1 + i), (this.firstTable + i * PAGE) | ALL);
    else {
      ram.setU64(TABLES, BigInt((TABLES + PAGE) | ALL));
      ram.setU64(TABLES + PAGE, BigInt((TABLES + 2 * PAGE) | ALL));
      for (let i = 0; i < 4; i++)
        ram.setU64(TABLES + 2 * PAGE + 8 * (2 + i), BigInt((this.firstTable + i * PAGE) | ALL));
    }
  }

  get root(): number {
    return TABLES;
  }

  private entryAt(linear: number): number {
    return this.firstTable + ((linear - CODE) >> 12) * this.entrySize;
  }

  /** The entry of a page, 0 for what these tables do not map. */
  entry(linear: number): number {
    return linear >= CODE && linear < SYSTEM + PAGE * SYSTEM_PAGES ? this.ram.u32(this.entryAt(linear)) : 0;
  }

  set(linear: number, physical: number, bits: number): void {
    this.ram.setU32(this.entryAt(linear), physical | bits);
  }

  /** The frames as {@link writeSystem} and the programs want them; lazy pages are absent. */
  mapAll(lazy: ReadonlySet<number>): void {
    const set = (linear: number, physical: number, bits: number = ALL): void =>
      this.set(linear, physical, lazy.has(linear) ? bits & ~PageBit.Present : bits);
    for (let page = 0; page < CODE_PAGES; page++) {
      set(CODE + page * PAGE, codeFrame(page));
      set(ALIAS + page * PAGE, codeFrame(page));
    }
    for (let page = 0; page < DATA_PAGES; page++) {
      if (page === DEVICE_PAGE) set(DATA + page * PAGE, DEVICE_PHYSICAL);
      else if (page === READ_ONLY_PAGE) set(DATA + page * PAGE, DATA_FRAMES + page * PAGE, ALL & ~PageBit.Writable);
      else if (page !== ABSENT_PAGE) set(DATA + page * PAGE, DATA_FRAMES + page * PAGE);
    }
    // Below the stack is nothing.
    for (let page = 1; page < STACK_PAGES; page++) set(STACK + page * PAGE, STACK_FRAMES + page * PAGE);
    for (let page = 0; page < SYSTEM_PAGES; page++)
      this.set(systemAt(page), SYSTEM_FRAMES + page * PAGE, PageBit.Present | PageBit.Writable);
  }
}

/** Writes descriptor tables, TSS and interrupt handlers. */
export function writeSystem(ram: GuestRam, mode: GuestMode): void {
  const at = (page: number): number => SYSTEM_FRAMES + page * PAGE;
  ram.write(at(0), new Uint8Array(SYSTEM_PAGES * PAGE));
  const descriptor = (selector: number, attributes: number): void =>
    void ram.setU64(at(GDT) + (selector & ~7), (BigInt(attributes) << 40n) | (0xfn << 48n) | 0xffffn);
  const legacy = mode === "kernel32";
  descriptor(KERNEL_CODE, legacy ? 0xc09b : 0xa09b);
  descriptor(KERNEL_DATA, 0xc093);
  descriptor(USER_CODE, is64(mode) ? 0xa0fb : 0xc0fb);
  descriptor(USER_DATA, 0xc0f3);
  const tss = BigInt(TSS_LINEAR);
  ram.setU64(at(GDT) + TSS_SELECTOR, 0x67n | ((tss & 0xff_ffffn) << 16n) | (0x8bn << 40n));
  const top = systemAt(HANDLER_STACK) + PAGE;
  // RSP0 and IST1 of a 64-bit TSS; ESP0 and SS0 of a 32-bit one, which only user code would need.
  for (const offset of [4, 36]) ram.setU64(at(TSS) + offset, BigInt(top));
  const iret = legacy ? [0xcf] : [0x48, 0xcf];
  for (let vector = 0; vector < 256; vector++) {
    const handler = BigInt(HANDLERS_LINEAR + vector * HANDLER_SIZE);
    const access = OPEN_VECTORS.includes(vector) ? 0xeen : 0x8en;
    const gate =
      (handler & 0xffffn) | (BigInt(KERNEL_CODE) << 16n) | (access << 40n) | (((handler >> 16n) & 0xffffn) << 48n);
    // Long mode: on a stack of its own (IST1), since the program's may be anywhere.
    if (legacy) ram.setU64(at(IDT) + 8 * vector, gate);
    else ram.setU64(at(IDT) + 16 * vector, gate | (1n << 32n));
    ram.write(at(HANDLERS) + vector * HANDLER_SIZE, Uint8Array.from([0xf4, ...iret]));
  }
}
