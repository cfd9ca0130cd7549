// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type GuestSymbol, SymbolTable } from "../symbols/symbol-table.js";
import { FakeMemory, fakeSample } from "./guest-memory.fixture.js";
import { OrcUnwinder } from "./orc.js";

const TEXT = 0xffff_ffff_8100_0000n;
const ADDRESSES = 0xffff_ffff_8200_0000n;
const ENTRIES = 0xffff_ffff_8200_1000n;
const BANNER = 0xffff_ffff_8200_2000n;
const STACK = 0xffff_c900_0000_4000n;

// Registers and types as in asm/orc_types.h.
const UNDEFINED = 0;
const PREVIOUS_SP = 1;
const BP = 4;
const SP = 5;
const SP_INDIRECT = 9;
const CALL = 0;
const REGS = 1;
const IRET = 2;

type Entry = readonly [at: number, spReg: number, spOffset: number, bpReg: number, bpOffset: number, type: number];

/** Functions 0x100 bytes apart: leaf, middle, with a frame pointer, interrupt entry, the end of the stack. */
const TABLE: readonly Entry[] = [
  [0x000, SP, 8, UNDEFINED, 0, CALL],
  [0x100, SP, 24, PREVIOUS_SP, -16, CALL],
  [0x200, BP, 16, PREVIOUS_SP, -16, CALL],
  [0x300, SP, 0, UNDEFINED, 0, REGS],
  [0x400, SP, 8, UNDEFINED, 0, IRET],
  [0x500, SP_INDIRECT, -8, UNDEFINED, 0, CALL],
  [0x600, UNDEFINED, 0, UNDEFINED, 0, CALL],
];

function setUp(banner = "Linux version 6.1.0-56", newTypes = false) {
  const memory = new FakeMemory();
  TABLE.forEach(([at, spReg, spOffset, bpReg, bpOffset, type], i) => {
    const where = ADDRESSES + BigInt(i) * 4n;
    memory.int32(where, Number(TEXT + BigInt(at) - where));
    const entry = ENTRIES + BigInt(i) * 6n;
    memory.int16(entry, spOffset);
    memory.int16(entry + 2n, bpOffset);
    const newType = spReg === UNDEFINED ? 1 : type + 2;
    memory.put(entry + 4n, [spReg | (bpReg << 4), newTypes ? newType : type]);
  });
  memory.put(BANNER, new TextEncoder().encode(banner.padEnd(32, " ")));
  // A page of stack that reads as zeros.
  memory.put(STACK, new Uint8Array(0x1000));
  const symbol = (name: string, address: bigint): GuestSymbol => ({ name, address, size: 0n, code: false });
  const symbols = new SymbolTable([
    symbol("__start_orc_unwind_ip", ADDRESSES),
    symbol("__stop_orc_unwind_ip", ADDRESSES + BigInt(TABLE.length) * 4n),
    symbol("__start_orc_unwind", ENTRIES),
    symbol("linux_banner", BANNER),
  ]);
  const unwinder = OrcUnwinder.of(symbols, memory);
  if (unwinder === null) throw new Error("no tables");
  const callers = (rip: number, rsp: bigint, rbp = 0n) =>
    unwinder.callers(fakeSample({ rip: TEXT + BigInt(rip), rsp, rbp }), memory).map((at) => Number(at - TEXT));
  return { memory, symbols, callers };
}

describe("OrcUnwinder", () => {
  it.each([
    ["6.1", false],
    ["6.12", true],
  ])("unwinds calls with and without frame pointers, in the format of Linux %s", (version, newTypes) => {
    const { memory, callers } = setUp(`Linux version ${version}.0`, newTypes);
    // leaf <- middle <- function with RBP <- end
    memory.word(STACK, TEXT + 0x120n);
    memory.word(STACK + 8n, STACK + 0x80n);
    memory.word(STACK + 24n, TEXT + 0x220n);
    memory.word(STACK + 0x88n, TEXT + 0x620n);
    memory.word(STACK + 16n, STACK + 0x80n);
    expect(callers(0x10, STACK)).toEqual([0x120, 0x220, 0x620]);
  });

  it("looks up the call, not the instruction behind it", () => {
    const { memory, callers } = setUp();
    // The call is the last instruction of a function: its return address is the first of the next one.
    memory.word(STACK, TEXT + 0x600n);
    memory.word(STACK + 8n, TEXT + 0x10n);
    expect(callers(0x10, STACK)[0]).toBe(0x600);
  });

  it("goes through interrupts of the kernel, and stops at those of user mode", () => {
    const { memory, callers } = setUp();
    const registers = STACK + 0x100n;
    memory.word(STACK, TEXT + 0x310n);
    const set = (cs: bigint) => {
      // pt_regs lies where the stack pointer is, once the leaf has returned.
      const at = STACK + 8n;
      memory.word(at + 128n, TEXT + 0x10n);
      memory.word(at + 136n, cs);
      memory.word(at + 152n, registers + 0x100n);
      memory.word(registers + 0x100n, TEXT + 0x620n);
    };
    set(0x10n);
    expect(callers(0x10, STACK)).toEqual([0x310, 0x10, 0x620]);
    set(0x33n);
    expect(callers(0x10, STACK)).toEqual([0x310]);
  });

  it("reads what only the processor has pushed", () => {
    const { memory, callers } = setUp();
    memory.word(STACK + 8n, TEXT + 0x10n);
    memory.word(STACK + 16n, 0x10n);
    memory.word(STACK + 32n, STACK + 0x200n);
    memory.word(STACK + 0x200n, TEXT + 0x620n);
    expect(callers(0x410, STACK)).toEqual([0x10, 0x620]);
  });

  it("follows a stack that was switched, up or down", () => {
    const { memory, callers } = setUp();
    for (const other of [STACK + 0x10_0000n, STACK - 0x10_0000n]) {
      memory.word(other, STACK + 0x300n);
      memory.word(STACK + 0x2f0n, TEXT + 0x620n);
      expect(callers(0x510, other)).toEqual([0x620]);
    }
  });

  it("stops where it knows nothing", () => {
    const { callers } = setUp();
    expect(callers(-0x100, STACK)).toEqual([]);
    expect(callers(0x610, STACK)).toEqual([]);
    expect(callers(0x10, 0x1000n)).toEqual([]);
    expect(callers(0x10, STACK)).toEqual([]);
  });

  it("ends on stacks that lead in circles", () => {
    const { memory, callers } = setUp();
    for (let at = STACK; at < STACK + 0x1000n; at += 8n) memory.word(at, TEXT + 0x20n);
    expect(callers(0x10, STACK).length).toBeLessThanOrEqual(128);
  });

  it("needs tables of a sensible size", () => {
    const { memory } = setUp();
    const symbol = (name: string, address: bigint): GuestSymbol => ({ name, address, size: 0n, code: false });
    expect(OrcUnwinder.of(new SymbolTable([]), memory)).toBe(null);
    const endless = [
      symbol("__start_orc_unwind_ip", ADDRESSES),
      symbol("__stop_orc_unwind_ip", ADDRESSES + (1n << 40n)),
      symbol("__start_orc_unwind", ENTRIES),
    ];
    expect(OrcUnwinder.of(new SymbolTable(endless), memory)).toBe(null);
  });
});
