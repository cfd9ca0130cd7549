// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type GuestSymbol, SymbolTable } from "./symbol-table.js";

const MAGIC = 0x464c_457f;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STT_NOTYPE = 0;
const SHF_EXECINSTR = 4;
/** Section indices from here on mean something else than a section. */
const SHN_LORESERVE = 0xff00;
/** Names of templates may be long, but not of use beyond this. */
const MAX_NAME = 1024;

/** Whether a file begins like an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

interface Section {
  readonly type: number;
  readonly executable: boolean;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly entrySize: number;
}

/** Reads numbers of an ELF file; what lies outside the file reads as a DataView does: it throws RangeError. */
class ElfReader {
  private readonly view: DataView;
  readonly wide: boolean;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.wide = this.view.getUint8(4) === CLASS_64;
    if (this.view.getUint8(5) !== LITTLE_ENDIAN) throw new RangeError("big-endian");
  }

  u8(at: number): number {
    return this.view.getUint8(at);
  }

  u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** An address or size: 4 or 8 bytes. */
  word(at: number): bigint {
    return this.wide ? this.view.getBigUint64(at, true) : BigInt(this.u32(at));
  }

  /** The zero-terminated string at `at`; a very long one is cut. */
  text(at: number): string {
    let text = "";
    for (let i = at; this.u8(i) !== 0 && text.length < MAX_NAME; i++) text += String.fromCharCode(this.u8(i));
    return text;
  }

  sections(): Section[] {
    const table = Number(this.word(this.wide ? 40 : 32));
    const entrySize = this.u16(this.wide ? 58 : 46);
    const count = this.u16(this.wide ? 60 : 48);
    return Array.from({ length: table === 0 ? 0 : count }, (_, i) => {
      const at = table + i * entrySize;
      const word = this.wide ? 8 : 4;
      const field = (n: number) => at + 8 + n * word;
      return {
        type: this.u32(at + 4),
        executable: (Number(this.word(field(0))) & SHF_EXECINSTR) !== 0,
        offset: Number(this.word(field(2))),
        size: Number(this.word(field(3))),
        link: this.u32(field(4)),
        entrySize: Number(this.word(field(4) + 8 + word)),
      };
    });
  }

  symbols(table: Section, sections: readonly Section[]): GuestSymbol[] {
    const strings = sections[table.link];
    if (strings === undefined || table.entrySize < 16) return [];
    const found: GuestSymbol[] = [];
    for (let at = table.offset; at + table.entrySize <= table.offset + table.size; at += table.entrySize) {
      const info = this.u8(at + (this.wide ? 4 : 12));
      const section = this.u16(at + (this.wide ? 6 : 14));
      const value = this.word(at + (this.wide ? 8 : 4));
      const size = this.word(at + (this.wide ? 16 : 8));
      const type = info & 15;
      // Assembly code often has no types: a mark in executable code counts as a function, too.
      const mark = type === STT_NOTYPE && section < SHN_LORESERVE && sections[section]?.executable === true;
      if (section === 0 || value === 0n || (type !== STT_FUNC && !mark)) continue;
      const name = this.text(strings.offset + this.u32(at));
      if (name !== "") found.push({ address: value, name, size, code: true });
    }
    return found;
  }
}

/**
 * Functions of a 32-bit or 64-bit ELF file, from its symbol table or, where it is stripped, its dynamic one. `file` names
 * it in messages. Throws OperatorError `no-symbols` if there are none, or if the file is damaged.
 */
export function parseElfSymbols(bytes: Uint8Array, file: string): SymbolTable {
  try {
    const reader = new ElfReader(bytes);
    const sections = reader.sections();
    for (const wanted of [SHT_SYMTAB, SHT_DYNSYM]) {
      const symbols = sections.filter(({ type }) => type === wanted).flatMap((one) => reader.symbols(one, sections));
      if (symbols.length > 0) return new SymbolTable(symbols);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OperatorError("no-symbols", `${file} is a damaged ELF file`, { cause: error });
  }
  throw new OperatorError("no-symbols", `${file} has no symbols of functions; give one that is not stripped`);
}
