// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { type Environment, type Selectors, WindowRights } from "./vector-target.js";

const PAGE = 0x1000;
const TABLES = 0x1000;
const SYSTEM = 0x10_0000;
const WINDOWS = 0x20_0000;

/** Supervisor addresses: the system pages are mapped here, in this order. */
const SYSTEM_LINEAR = 0xffff_8000_0000_0000n;
const GDT = 0;
const IDT = 1;
const TSS = 2;
const HANDLERS = 3;
const STACK = 4;
const SYSTEM_PAGES = 5;

const PRESENT = 1n;
const WRITE = 2n;
const USER = 4n;
const NX = 1n << 63n;
const HLT = 0xf4;
const TSS_SELECTOR = 0x40;
const KERNEL_CS = 0x08;
/** Access rights as the hidden parts of segment registers hold them: descriptor bits 40-55 without the limit. */
export const USER_CODE_64 = 0xa0fb;
export const USER_CODE_32 = 0xc0fb;
export const USER_DATA = 0xc0f3;
const KERNEL_CODE = 0xa09b;
/** INT3 and INTO are open to user code. */
const USER_VECTORS: ReadonlySet<number> = new Set([3, 4]);

/** Physical addresses of tables that tests may change. */
export const IDT_PHYSICAL: number = SYSTEM + IDT * PAGE;
export const TSS_PHYSICAL: number = SYSTEM + TSS * PAGE;
export const HANDLERS_PHYSICAL: number = SYSTEM + HANDLERS * PAGE;

const systemAddress = (page: number): bigint => SYSTEM_LINEAR + BigInt(page * PAGE);

/** Linear address of the first exception handler. */
export const HANDLERS_LINEAR: bigint = systemAddress(HANDLERS);

export interface SystemAddresses {
  readonly cr3: bigint;
  readonly gdt: bigint;
  readonly idt: bigint;
  readonly tss: bigint;
  readonly tssSelector: number;
  /** One HLT for each vector: handler v is at `handlers + v`. */
  readonly handlers: bigint;
  /** Physical address of the end of the stack that exceptions from user mode are pushed to. */
  readonly stackTop: number;
  /** Physical address of each memory window. */
  readonly windows: readonly number[];
}

/** Four-level page tables in guest RAM. */
class PageTables {
  private next = TABLES + PAGE;

  constructor(private readonly ram: GuestRam) {
    ram.write(TABLES, new Uint8Array(SYSTEM - TABLES));
  }

  map(linear: bigint, physical: number, rights: bigint): void {
    let table = TABLES;
    for (const shift of [39n, 30n, 21n]) {
      const entry = table + 8 * Number((linear >> shift) & 511n);
      if (this.ram.u64(entry) === 0n) {
        this.ram.setU64(entry, BigInt(this.next) | PRESENT | WRITE | USER);
        this.next += PAGE;
      }
      table = Number(this.ram.u64(entry) & 0xf_ffff_ffff_f000n);
    }
    this.ram.setU64(table + 8 * Number((linear >> 12n) & 511n), BigInt(physical) | rights | PRESENT);
  }
}

function descriptor(attr: number): bigint {
  return ((BigInt(attr) << 40n) | (0xfn << 48n) | 0xffffn) & 0xffff_ffff_ffff_ffffn;
}

function writeDescriptors(ram: GuestRam, mode: 32 | 64, selectors: Selectors): void {
  const gdt = SYSTEM + GDT * PAGE;
  const set = (selector: number, attr: number): void => void ram.setU64(gdt + (selector & 0xfff8), descriptor(attr));
  set(KERNEL_CS, KERNEL_CODE);
  set(selectors.cs, mode === 64 ? USER_CODE_64 : USER_CODE_32);
  set(selectors.ss, USER_DATA);
  const tss = systemAddress(TSS);
  const low = 0x67n | ((tss & 0xff_ffffn) << 16n) | (0x8bn << 40n) | (((tss >> 24n) & 0xffn) << 56n);
  ram.setU64(gdt + TSS_SELECTOR, low);
  ram.setU64(gdt + TSS_SELECTOR + 8, tss >> 32n);
}

function writeGates(ram: GuestRam): void {
  for (let vector = 0; vector < 256; vector++) {
    const handler = systemAddress(HANDLERS) + BigInt(vector);
    const access = USER_VECTORS.has(vector) ? 0xeen : 0x8en;
    const low =
      (handler & 0xffffn) | (BigInt(KERNEL_CS) << 16n) | (access << 40n) | (((handler >> 16n) & 0xffffn) << 48n);
    ram.setU64(SYSTEM + IDT * PAGE + 16 * vector, low);
    ram.setU64(SYSTEM + IDT * PAGE + 16 * vector + 8, handler >> 32n);
  }
}

/** Builds page tables, descriptor tables, exception handlers and the memory windows in guest RAM. */
export function buildEnvironment(ram: GuestRam, environment: Environment): SystemAddresses {
  const tables = new PageTables(ram);
  for (let page = 0; page < SYSTEM_PAGES; page++) {
    tables.map(systemAddress(page), SYSTEM + page * PAGE, page === HANDLERS ? 0n : WRITE | NX);
    ram.write(SYSTEM + page * PAGE, new Uint8Array(PAGE).fill(page === HANDLERS ? HLT : 0));
  }
  writeDescriptors(ram, environment.mode, environment.selectors);
  writeGates(ram);
  ram.setU64(SYSTEM + TSS * PAGE + 4, systemAddress(STACK) + BigInt(PAGE));
  ram.setU16(SYSTEM + TSS * PAGE + 102, 0x68);
  const windows: number[] = [];
  let physical = WINDOWS;
  for (const window of environment.windows) {
    windows.push(physical);
    ram.write(physical, window.initial);
    const rights =
      USER | (window.rights & WindowRights.Write ? WRITE : 0n) | (window.rights & WindowRights.Execute ? 0n : NX);
    for (let at = 0; at < window.size; at += PAGE) tables.map(BigInt(window.base + at), physical + at, rights);
    physical += window.size;
  }
  return {
    cr3: BigInt(TABLES),
    gdt: systemAddress(GDT),
    idt: systemAddress(IDT),
    tss: systemAddress(TSS),
    tssSelector: TSS_SELECTOR,
    handlers: systemAddress(HANDLERS),
    stackTop: SYSTEM + (STACK + 1) * PAGE,
    windows,
  };
}
