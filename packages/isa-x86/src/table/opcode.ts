// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "../semantics/semantics.js";
import type { OperandCode } from "./operand.js";

/** Which execution unit an instruction needs; decides #NM and #UD by CR0 and CR4. */
export type Unit = "integer" | "x87" | "mmx" | "sse" | "avx";

/** What an opcode-table line says beyond encoding, name and operands. */
export interface Attributes {
  /** LOCK is allowed when the first operand is memory. */
  readonly lock?: true;
  /** Operand size in 64-bit mode: `default64` = 64 unless 66 says 16; `force64` = always 64. */
  readonly size64?: "default64" | "force64";
  /** Valid in 64-bit mode only, or outside it only. */
  readonly only?: "64" | "not64";
  /**
   * The instruction uses the stack or jumps, so its form depends on the memory model: 64-bit, flat 32-bit, or general
   * segmentation.
   */
  readonly model?: true;
  /** The operand size changes what the instruction does, although no operand shows it: CBW, CWD. */
  readonly sized?: true;
  /** An operand that is decoded and disassembled but neither read nor addressed: that of NOP and of prefetches. */
  readonly shown?: OperandCode;
  /** The line holds for this address size only: JCXZ and LOOP, which use a count register of that size. */
  readonly addressSize?: 16 | 32 | 64;
  /** F3 and F2 are repeat prefixes of this instruction, kept in the record's immediate. */
  readonly repeat?: true;
  /**
   * Memory is accessed in elements, each at an address of its own that a helper makes (masked moves, gathers): the
   * record's address is the offset of the first without segment base; address size and segment are in its immediate.
   */
  readonly elements?: true;
  /** The SIB byte names a vector register as the index, of this operand type; the record has it as `rm`. */
  readonly vsib?: "x" | "dq";
  readonly unit?: Unit;
  /** Nothing after this instruction may be decoded into the same block: it jumps or changes how code decodes. */
  readonly ends?: true;
  /** CPUID feature that announces it, for the documentation; baseline x86-64 if absent. */
  readonly feature?: string;
}

/** One line of the opcode table: a mnemonic with one encoding. */
export interface Opcode {
  readonly encoding: Encoding;
  /** Lower-case mnemonic in Intel syntax. */
  readonly name: string;
  readonly operands: readonly OperandCode[];
  readonly semantics: Semantics;
  readonly attributes: Attributes;
}

/** Opcode maps: one-byte, 0F, 0F 38, 0F 3A. */
export const enum OpcodeMap {
  OneByte = 0,
  Of = 1,
  Of38 = 2,
  Of3a = 3,
}

/** Which bytes select an opcode-table line. */
export interface Encoding {
  readonly map: OpcodeMap;
  readonly opcode: number;
  /** Mandatory prefix: "np" demands none of 66 F3 F2; undefined = prefixes keep their general meaning. */
  readonly prefix?: "np" | "66" | "f3" | "f2";
  readonly rexW?: 0 | 1;
  /** ModRM is present. */
  readonly modrm: boolean;
  /** ModRM.reg selects the instruction. */
  readonly reg?: number;
  /** ModRM.rm selects the instruction too (x87, 0F 01), with mod = 3. */
  readonly rm?: number;
  readonly mod?: "reg" | "mem";
  /** The low 3 bits of the opcode name a register: 8 consecutive opcodes. */
  readonly plusRegister: boolean;
  /** VEX encoded: vector length 128, 256 or "lig"; `rexW` is VEX.W. */
  readonly vex?: 128 | 256 | "lig";
}

/**
 * Parses an encoding in the notation of the SDM's instruction pages.
 *
 * `"01 /r"`, `"81 /0"`, `"50 +r"`, `"66 0f 6f /r"`, `"np 0f 10 /r"`, `"f3 0f b8 /r"`, `"0f c7 /1 mem"`,
 * `"d9 e8"` (ModRM as a byte: mod 3, reg and rm fixed; only behind the x87 opcodes d8-df), `"0f 01 f8 modrm"`
 * (the same elsewhere), `"w1 0f 6e /r"`, `"d9 /0 reg"`, `"vex.256 66 0f 58 /r"`.
 */
export function parseEncoding(text: string): Encoding {
  const words = text.toLowerCase().split(/\s+/);
  let prefix: Encoding["prefix"];
  let rexW: 0 | 1 | undefined;
  let vex: Encoding["vex"];
  let reg: number | undefined;
  let rm: number | undefined;
  let mod: "reg" | "mem" | undefined;
  let modrm = false;
  let plusRegister = false;
  let fixedModrm = false;
  const bytes: number[] = [];
  for (const word of words) {
    if (word === "np" || ((word === "66" || word === "f3" || word === "f2") && bytes.length === 0))
      prefix = word as "np";
    else if (word === "w0" || word === "w1") rexW = word === "w1" ? 1 : 0;
    else if (word === "/r") modrm = true;
    else if (/^\/[0-7]$/.test(word)) {
      modrm = true;
      reg = Number(word[1]);
    } else if (word === "reg" || word === "mem") mod = word;
    else if (word === "+r") plusRegister = true;
    else if (word === "modrm") fixedModrm = true;
    else if (word === "vex.128") vex = 128;
    else if (word === "vex.256") vex = 256;
    else if (word === "vex.lig") vex = "lig";
    else if (/^[0-9a-f]{2}$/.test(word)) bytes.push(parseInt(word, 16));
    else throw new Error(`bad encoding "${text}": ${word}`);
  }
  let map = OpcodeMap.OneByte;
  const first: number | undefined = bytes[0];
  if (first === 0x0f && bytes.length > 1) {
    bytes.shift();
    map = OpcodeMap.Of;
    const next: number | undefined = bytes[0];
    if (bytes.length > 1 && (next === 0x38 || next === 0x3a)) {
      bytes.shift();
      map = next === 0x38 ? OpcodeMap.Of38 : OpcodeMap.Of3a;
    }
  }
  const opcode = bytes[0];
  if (opcode === undefined) throw new Error(`bad encoding "${text}": no opcode`);
  const fixed = bytes[1];
  if (fixed !== undefined) {
    const x87 = map === OpcodeMap.OneByte && opcode >= 0xd8 && opcode <= 0xdf;
    if (bytes.length > 2 || fixed < 0xc0 || !(x87 || fixedModrm)) throw new Error(`bad encoding "${text}"`);
    modrm = true;
    mod = "reg";
    reg = (fixed >> 3) & 7;
    rm = fixed & 7;
  }
  return {
    map,
    opcode,
    modrm,
    plusRegister,
    ...(prefix !== undefined && { prefix }),
    ...(rexW !== undefined && { rexW }),
    ...(reg !== undefined && { reg }),
    ...(rm !== undefined && { rm }),
    ...(mod !== undefined && { mod }),
    ...(vex !== undefined && { vex }),
  };
}

/** Makes a table line: `op("01 /r", "add Ev,Gv", add, { lock: true })`. */
export function op(encoding: string, syntax: string, semantics: Semantics, attributes: Attributes = {}): Opcode {
  const space = syntax.indexOf(" ");
  const name = space < 0 ? syntax : syntax.slice(0, space);
  const operands = space < 0 ? [] : syntax.slice(space + 1).split(",");
  return { encoding: parseEncoding(encoding), name, operands, semantics, attributes };
}
