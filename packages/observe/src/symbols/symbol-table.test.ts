// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { describe, expect, it } from "vitest";
import { isKernel, loadSymbols } from "./load-symbols.js";
import { parseSymbolMap } from "./symbol-map.js";
import { SymbolTable } from "./symbol-table.js";

const code = (address: bigint, name: string, size = 0n) => ({ address, name, size, code: true });
const data = (address: bigint, name: string, size = 0n) => ({ address, name, size, code: false });

describe("SymbolTable", () => {
  it("finds the function that holds an address", () => {
    const table = new SymbolTable([code(0x2000n, "b", 0x10n), code(0x1000n, "a"), code(0x3000n, "last")]);
    expect([0xfffn, 0x1000n, 0x1fffn, 0x2000n, 0x200fn, 0x2010n, 0x3abcn].map((at) => table.nameOf(at))).toEqual([
      null,
      "a",
      "a",
      "b",
      "b",
      null,
      "last",
    ]);
    // Nothing says where the last one ends, but it is not everything.
    expect(table.nameOf(0xffff_0000n)).toBe(null);
  });

  it("looks past marks and data without a size, but not into data with one", () => {
    const table = new SymbolTable([code(0x1000n, "f"), data(0x1010n, "mark"), data(0x1020n, "table", 0x10n)]);
    expect(table.nameOf(0x1018n)).toBe("f");
    expect(table.nameOf(0x1028n)).toBe(null);
    expect(table.nameOf(0x1030n)).toBe("f");
  });

  it("can be moved, as a kernel is by KASLR", () => {
    const table = new SymbolTable([code(0xffff_ffff_8100_0000n, "_text", 16n)]).moved(0x1c0_0000n);
    expect(table.nameOf(0xffff_ffff_82c0_0008n)).toBe("_text");
    expect(table.addressOf("_text")).toBe(0xffff_ffff_82c0_0000n);
    expect(table.addressOf("none")).toBe(undefined);
  });
});

const KALLSYMS = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81001000 t local.part.0
ffffffff81002000 D some_data
ffffffff81003000 T entry_SYSCALL_64
ffffffffc0000000 t probe\t[virtio_blk]
`;

describe("symbols from files", () => {
  it("are read from System.map and /proc/kallsyms", () => {
    const table = parseSymbolMap(KALLSYMS, "k");
    expect(table.nameOf(0xffff_ffff_8100_1234n)).toBe("local.part.0");
    expect(table.nameOf(0xffff_ffff_c000_0010n)).toBe("probe [virtio_blk]");
    expect(isKernel(table)).toBe(true);
    expect(loadSymbols(new TextEncoder().encode(KALLSYMS), "k").size).toBe(table.size);
  });

  it.each([
    [
      "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n",
      /in another package; leave it/,
    ],
    ["0000000000000000 T _text\n0000000000000000 T _stext\n", /k: all addresses are 0; read \/proc\/kallsyms as root/],
    ["hello\n", /k is neither an ELF file nor a list/],
    ["", /k is neither an ELF file nor a list/],
  ])("are refused from %j", (text, message) => {
    expect(() => parseSymbolMap(text, "k")).toThrow(OperatorError);
    expect(() => parseSymbolMap(text, "k")).toThrow(message);
  });
});
