// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseElfSymbols } from "./elf-symbols.js";

const FUNC = 2;
const OBJECT = 1;
const NOTYPE = 0;
const SYMTAB = 2;
const DYNSYM = 11;
const STRTAB = 3;
const PROGBITS = 1;
const EXECINSTR = 4;

interface Symbol {
  readonly name: string;
  readonly value: number;
  readonly size?: number;
  readonly type: number;
  readonly section?: number;
}

/** An ELF file with sections: null, executable code, data, symbols, their names. */
function elf(bits: 32 | 64, symbols: readonly Symbol[], tableType = SYMTAB): Uint8Array {
  const wide = bits === 64;
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number) =>
    wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1]);
  const [table, strings, names] = [0x100, 0x400, 0x800];
  const entry = wide ? 24 : 16;
  let text = 1;
  symbols.forEach(({ name, value, size = 0, type, section = 1 }, i) => {
    const at = strings + i * entry;
    view.setUint32(at, text, true);
    word(at + (wide ? 8 : 4), value);
    word(at + (wide ? 16 : 8), size);
    view.setUint8(at + (wide ? 4 : 12), type);
    view.setUint16(at + (wide ? 6 : 14), section, true);
    bytes.set(new TextEncoder().encode(name), names + text);
    text += name.length + 1;
  });
  const headers = [
    [0, 0, 0, 0, 0, 0],
    [PROGBITS, EXECINSTR, 0, 0, 0, 0],
    [PROGBITS, 0, 0, 0, 0, 0],
    [tableType, 0, strings, symbols.length * entry, 4, entry],
    [STRTAB, 0, names, text, 0, 0],
  ];
  word(wide ? 40 : 32, table);
  view.setUint16(wide ? 58 : 46, wide ? 64 : 40, true);
  view.setUint16(wide ? 60 : 48, headers.length, true);
  headers.forEach(([type = 0, flags = 0, offset = 0, size = 0, link = 0, entrySize = 0], i) => {
    const at = table + i * (wide ? 64 : 40);
    const step = wide ? 8 : 4;
    view.setUint32(at + 4, type, true);
    word(at + 8, flags);
    word(at + 8 + 2 * step, offset);
    word(at + 8 + 3 * step, size);
    view.setUint32(at + 8 + 4 * step, link, true);
    word(at + 16 + 5 * step, entrySize);
  });
  return bytes;
}

const SYMBOLS: readonly Symbol[] = [
  { name: "main", value: 0x1000, size: 0x20, type: FUNC },
  { name: "table", value: 0x1010, size: 4, type: OBJECT, section: 2 },
  { name: "label", value: 0x2000, type: NOTYPE },
  { name: "data_label", value: 0x3000, type: NOTYPE, section: 2 },
  { name: "elsewhere", value: 0x4000, type: FUNC, section: 0 },
];

describe("parseElfSymbols", () => {
  it.each([32, 64] as const)("finds functions, and marks in code, of a %i-bit file", (bits) => {
    const table = parseElfSymbols(elf(bits, SYMBOLS), "f");
    expect(table.size).toBe(2);
    expect([0x101fn, 0x1020n, 0x2004n, 0x3000n, 0x4000n].map((at) => table.nameOf(at))).toEqual([
      "main",
      null,
      "label",
      "label",
      "label",
    ]);
  });

  it("takes dynamic symbols where there are no others", () => {
    expect(parseElfSymbols(elf(64, SYMBOLS, DYNSYM), "f").nameOf(0x1000n)).toBe("main");
  });

  it("refuses files without functions, and damaged ones", () => {
    expect(() => parseElfSymbols(elf(64, []), "f")).toThrow(
      /f has no symbols of functions; give one that is not stripped/,
    );
    expect(() => parseElfSymbols(elf(64, SYMBOLS).subarray(0, 0x110), "f")).toThrow(/f is a damaged ELF file/);
    expect(() => parseElfSymbols(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), "f")).toThrow(OperatorError);
  });

  it("never fails otherwise, whatever is in the file", () => {
    const whole = elf(64, SYMBOLS);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(0x440), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        bytes.set([0x7f, 0x45, 0x4c, 0x46]);
        try {
          parseElfSymbols(bytes, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(OperatorError);
        }
      }),
    );
  });
});
