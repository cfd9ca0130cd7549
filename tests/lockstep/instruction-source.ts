// SPDX-License-Identifier: Apache-2.0
// Random single instructions from the opcode table: everything but jumps and system instructions.
import { BASE_RIP, DecodedInstruction } from "../../packages/isa-x86/src/decode/decoded-instruction.js";
import { DecodeStatus, InstructionDecoder } from "../../packages/isa-x86/src/decode/instruction.js";
import { avxOpcodes } from "../../packages/isa-x86/src/table/avx.js";
import { crypto } from "../../packages/isa-x86/src/table/crypto.js";
import { fmaOpcodes } from "../../packages/isa-x86/src/table/fma.js";
import { opcodeTable } from "../../packages/isa-x86/src/table/index.js";
import { integerAlu } from "../../packages/isa-x86/src/table/integer-alu.js";
import { integerBits } from "../../packages/isa-x86/src/table/integer-bits.js";
import { integerHint } from "../../packages/isa-x86/src/table/integer-hint.js";
import { integerMove } from "../../packages/isa-x86/src/table/integer-move.js";
import { integerShift } from "../../packages/isa-x86/src/table/integer-shift.js";
import { integerStack } from "../../packages/isa-x86/src/table/integer-stack.js";
import { integerString } from "../../packages/isa-x86/src/table/integer-string.js";
import { type Opcode, OpcodeMap } from "../../packages/isa-x86/src/table/opcode.js";
import { sseFloat } from "../../packages/isa-x86/src/table/sse-float.js";
import { sseInteger } from "../../packages/isa-x86/src/table/sse-integer.js";
import { sseMove } from "../../packages/isa-x86/src/table/sse-move.js";
import { sseShuffle } from "../../packages/isa-x86/src/table/sse-shuffle.js";
import { sseString } from "../../packages/isa-x86/src/table/sse4-string.js";
import { vexForms } from "../../packages/isa-x86/src/table/vex-of-sse.js";
import { x87Opcodes } from "../../packages/isa-x86/src/table/x87.js";
import type { RandomNumbers } from "../fuzz/random-program.js";
import { DATA, DATA_PAGES, PAGE } from "./guest-layout.js";
import type { Instruction } from "./guest-program.js";

const sseAll: readonly Opcode[] = [...sseMove, ...sseInteger, ...sseShuffle, ...sseFloat, ...sseString, ...crypto];

const GROUPS = {
  alu: integerAlu,
  shift: integerShift,
  move: integerMove,
  bits: integerBits,
  string: integerString,
  stack: integerStack,
  hint: integerHint,
  sseMove,
  sseInteger: [...sseInteger, ...sseShuffle, ...sseString, ...crypto],
  sseFloat,
  avx: [...vexForms(sseAll), ...avxOpcodes, ...avxOpcodes, ...fmaOpcodes],
  x87: x87Opcodes,
} as const satisfies Readonly<Record<string, readonly Opcode[]>>;
export type InstructionGroup = keyof typeof GROUPS;

const PREFIX_BYTES = { np: [], "66": [0x66], f3: [0xf3], f2: [0xf2] } as const;
const ESCAPES = {
  [OpcodeMap.OneByte]: [],
  [OpcodeMap.Of]: [0x0f],
  [OpcodeMap.Of38]: [0x0f, 0x38],
  [OpcodeMap.Of3a]: [0x0f, 0x3a],
};
const EDGE_BYTES = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 8, 16, 31, 32, 63, 64] as const;
const RSP = 4;
const ATTEMPTS = 30;

/** What the source knows of the place where an instruction will stand. */
export interface InstructionContext {
  readonly codeSize: 32 | 64;
  /** Registers that hold addresses of memory the program may use. */
  readonly pointers: readonly number[];
}

/** Pages of data that may be read and written, sooner or later. */
const GOOD_PAGES = [1, 4, 5, 7] as const;

/** A random address in the data pages, now and then across the end of one. */
export function dataAddress(random: RandomNumbers): number {
  const index = random.below(8) === 0 ? random.below(DATA_PAGES) : (GOOD_PAGES[random.below(GOOD_PAGES.length)] ?? 1);
  const page = DATA + index * PAGE;
  if (random.below(10) === 0) return page + PAGE - random.below(16);
  return page + 0x80 + (random.below(0x300) & (random.below(4) === 0 ? ~0 : ~15));
}

interface Encoded {
  readonly bytes: number[];
  /** Offset of ModRM, or -1. */
  readonly modrm: number;
}

/** Draws instructions. */
export class InstructionSource {
  private readonly decoder = new InstructionDecoder(opcodeTable);
  private readonly insn = new DecodedInstruction(integerAlu[0] as Opcode);

  constructor(private readonly random: RandomNumbers) {}

  /** One instruction of a group. */
  draw(group: InstructionGroup, context: InstructionContext): Instruction {
    const { random, insn } = this;
    const lines = GROUPS[group];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const line = lines[random.below(lines.length)];
      if ((line.attributes.only === "64") !== (context.codeSize === 64) && line.attributes.only !== undefined) continue;
      const { bytes, modrm } = this.encode(line, context);
      for (let i = 0; i < 10; i++) bytes.push(this.byte());
      const mode = { codeSize: context.codeSize, vex: true } as const;
      const status = this.decoder.decode(Uint8Array.from(bytes), 0, bytes.length, mode, insn);
      if (status !== DecodeStatus.Ok || insn.opcode !== line) continue;
      if (this.changesStackPointer(line) && random.below(20) !== 0) continue;
      const fixups = insn.base === BASE_RIP ? [{ at: modrm + 1, relative: true, target: dataAddress(random) }] : [];
      return { bytes: bytes.slice(0, insn.length), fixups };
    }
    return { bytes: [0x90], fixups: [] };
  }

  private byte(): number {
    const { random } = this;
    return random.below(3) === 0 ? EDGE_BYTES[random.below(EDGE_BYTES.length)] : random.below(256);
  }

  private changesStackPointer(line: Opcode): boolean {
    const { insn } = this;
    const names = (letters: string): boolean => line.operands.some((code) => letters.includes(code[0] ?? "-"));
    return (
      (insn.reg === RSP && names("GZ")) ||
      (insn.rm === RSP && insn.modrm >= 0xc0 && names("ER")) ||
      line.name === "leave" ||
      line.name === "enter"
    );
  }

  private encode(line: Opcode, context: InstructionContext): Encoded {
    const { random } = this;
    const { encoding, attributes } = line;
    const long = context.codeSize === 64;
    const opcode = encoding.opcode + (encoding.plusRegister ? random.below(8) : 0);
    const bytes: number[] = [];
    const memory = encoding.modrm && encoding.mod !== "reg" && (encoding.mod === "mem" || random.below(2) === 0);
    if (encoding.vex !== undefined) {
      const w = encoding.rexW ?? random.below(2);
      const vvvv = line.operands.some((code) => code[0] === "B" || code[0] === "H") ? random.below(8) : 0;
      const pp = ["np", "66", "f3", "f2"].indexOf(encoding.prefix ?? "np");
      const vectorLength = encoding.vex === 256 ? 4 : 0;
      bytes.push(0xc4, 0xe0 | encoding.map, (w << 7) | ((15 - vvvv) << 3) | vectorLength | pp, opcode);
      return this.withOperand(bytes, line, memory, 0, context);
    }
    if (random.below(5) === 0 && encoding.prefix === undefined) bytes.push(0x66);
    if (memory && random.below(24) === 0) bytes.push(0x67);
    if (memory && random.below(16) === 0) bytes.push(0x64 + random.below(2));
    if (memory && attributes.lock === true && random.below(6) === 0) bytes.push(0xf0);
    if (attributes.repeat === true && random.below(2) === 0) bytes.push(0xf2 + random.below(2));
    bytes.push(...(encoding.prefix === undefined ? [] : PREFIX_BYTES[encoding.prefix]));
    let rex = 0;
    if (long) {
      const wide = encoding.rexW ?? random.below(2);
      if (wide === 1) rex |= 0x48;
      // R and B: the upper eight registers; B of a memory operand is the base, chosen below.
      if (random.below(3) === 0) rex |= 0x40 | (random.below(2) << 2);
      if (!memory && random.below(3) === 0) rex |= 0x41;
    }
    return this.withOperand([...bytes], line, memory, rex, context, [...ESCAPES[encoding.map], opcode]);
  }

  /** Appends REX, opcode, ModRM, SIB and displacement. */
  private withOperand(
    bytes: number[],
    { encoding }: Opcode,
    memory: boolean,
    rex: number,
    { pointers, codeSize }: InstructionContext,
    opcode: readonly number[] = [],
  ): Encoded {
    const { random } = this;
    const reg = encoding.reg ?? random.below(8);
    const finish = (extension: number, modrm: readonly number[]): Encoded => {
      const prefix = rex | extension;
      if (prefix !== 0) bytes.push(0x40 | prefix);
      bytes.push(...opcode);
      const at = bytes.length;
      if (encoding.modrm) bytes.push(...modrm);
      return { bytes, modrm: encoding.modrm ? at : -1 };
    };
    if (!memory) return finish(0, [0xc0 | (reg << 3) | (encoding.rm ?? random.below(8))]);
    const choice = random.below(8);
    if (pointers.length === 0 || choice < 2) {
      // [absolute], in 64-bit code with a SIB byte or relative to RIP.
      if (codeSize === 64 && choice === 0) return finish(0, [(reg << 3) | 5, 0, 0, 0, 0]);
      const address = le32(dataAddress(random));
      return finish(0, codeSize === 64 ? [(reg << 3) | 4, 0x25, ...address] : [(reg << 3) | 5, ...address]);
    }
    const pointer = pointers[random.below(pointers.length)];
    const canExtend = opcode.length > 0 && codeSize === 64;
    const base = canExtend ? pointer : pointer & 7;
    const extension = base >= 8 ? 1 : 0;
    const low = base & 7;
    const displacement = (random.below(64) - 16) & (random.below(4) === 0 ? ~0 : ~15);
    if (choice === 2) {
      const sib = (random.below(4) << 6) | (random.below(8) << 3) | low;
      return finish(extension, [0x44 | (reg << 3), sib, displacement & 0xff]);
    }
    const sib = low === RSP ? [0x24] : [];
    if (choice === 3) return finish(extension, [0x80 | (reg << 3) | low, ...sib, ...le32(displacement * 8)]);
    return finish(extension, [0x40 | (reg << 3) | low, ...sib, displacement & 0xff]);
  }
}

/** The four bytes of a number. */
export function le32(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}
