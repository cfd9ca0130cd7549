// SPDX-License-Identifier: Apache-2.0
import { DecodedInstruction, NO_REGISTER } from "./decode/decoded-instruction.js";
import { type DecodeMode, DecodeStatus, InstructionDecoder } from "./decode/instruction.js";
import { integerAlu } from "./table/integer-alu.js";
import { integerBits } from "./table/integer-bits.js";
import { integerBranch } from "./table/integer-branch.js";
import { integerHint } from "./table/integer-hint.js";
import { integerMove } from "./table/integer-move.js";
import { integerShift } from "./table/integer-shift.js";
import { integerStack } from "./table/integer-stack.js";
import { integerString } from "./table/integer-string.js";
import { opcodeTable } from "./table/index.js";
import { type Opcode, OpcodeMap } from "./table/opcode.js";

const LINES: readonly Opcode[] = [
  ...integerHint,
  ...integerAlu,
  ...integerShift,
  ...integerMove,
  ...integerBits,
  ...integerString,
  ...integerStack,
  ...integerBranch,
  ...opcodeTable.filter((line) => line.attributes.unit === "avx"),
];
const PREFIX_BYTES = { np: [], "66": [0x66], f3: [0xf3], f2: [0xf2] } as const;
const ESCAPES = {
  [OpcodeMap.OneByte]: [],
  [OpcodeMap.Of]: [0x0f],
  [OpcodeMap.Of38]: [0x0f, 0x38],
  [OpcodeMap.Of3a]: [0x0f, 0x3a],
};

/** Numbers that look random and are always the same (xorshift32). */
class Random {
  constructor(private state: number) {}

  below(limit: number): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>> 0) % limit;
  }

  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }
}

/**
 * Valid encodings of every integer and VEX line of the opcode table, `each` attempts a line, with prefixes only where they have
 * an effect: what an assembler could have made.
 */
export function randomInstructions(mode: DecodeMode, each: number): Uint8Array[] {
  const decoder = new InstructionDecoder(LINES);
  const insn = new DecodedInstruction(LINES[0] as Opcode);
  const random = new Random(0x1501a);
  const made: Uint8Array[] = [];
  for (const line of LINES)
    for (let i = 0; i < each; i++) {
      const bytes = Uint8Array.from([
        ...encode(line, mode, random),
        ...Array.from({ length: 12 }, () => random.below(256)),
      ]);
      if (decoder.decode(bytes, 0, bytes.length, mode, insn) !== DecodeStatus.Ok || insn.opcode !== line) continue;
      if (isPlain(insn, mode)) made.push(bytes.slice(0, insn.length));
    }
  return made;
}

/** Prefixes, opcode and ModRM; displacement and immediate may be any bytes. */
function encode(line: Opcode, mode: DecodeMode, random: Random): number[] {
  const { encoding } = line;
  const modrm = encoding.modrm ? [modrmOf(line, random)] : [];
  const opcode = encoding.opcode + (encoding.plusRegister ? random.below(8) : 0);
  const w = encoding.rexW ?? (mode.codeSize === 64 ? random.below(2) : 0);
  if (encoding.vex !== undefined) {
    const usesVvvv = line.operands.some((code) => code[0] === "B" || code[0] === "H");
    const vvvv = usesVvvv ? random.below(8) : 0;
    const length = encoding.vex === 256 ? 4 : 0;
    const pp = ["np", "66", "f3", "f2"].indexOf(encoding.prefix ?? "np");
    const extensions = mode.codeSize === 64 ? random.below(8) : 7;
    return [0xc4, (extensions << 5) | encoding.map, (w << 7) | ((15 - vvvv) << 3) | length | pp, opcode, ...modrm];
  }
  const bytes: number[] = [];
  const wideAllowed = /[vzy]\b|rAX/.test(line.operands.join());
  const sized =
    line.attributes.model === true || line.attributes.sized === true || /[vz]\b|rAX/.test(line.operands.join());
  if (sized && w === 0 && encoding.prefix !== "66" && line.attributes.size64 !== "force64" && random.oneIn(3))
    bytes.push(0x66);
  if (encoding.modrm && random.oneIn(4)) bytes.push(0x67);
  if (encoding.modrm && random.oneIn(6))
    bytes.push(mode.codeSize === 64 ? 0x64 : ([0x26, 0x2e, 0x36, 0x64, 0x65][random.below(5)] ?? 0x64));
  if (line.attributes.repeat === true && line.name !== "xlat" && random.oneIn(2))
    bytes.push(line.name === "scas" && random.oneIn(2) ? 0xf2 : 0xf3);
  bytes.push(...(encoding.prefix === undefined ? [] : PREFIX_BYTES[encoding.prefix]));
  if (mode.codeSize === 64 && encoding.modrm) {
    const wide =
      (sized || wideAllowed) && line.attributes.size64 === undefined && w === 1 ? 8 : encoding.rexW === 1 ? 8 : 0;
    const rex = 0x40 | wide | random.below(8);
    if (random.oneIn(2) || wide !== 0) bytes.push(rex);
  }
  return [...bytes, ...ESCAPES[encoding.map], opcode, ...modrm];
}

function modrmOf(line: Opcode, random: Random): number {
  const { encoding } = line;
  const mod = encoding.mod === "reg" ? 3 : random.below(encoding.mod === "mem" ? 3 : 4);
  return (mod << 6) | ((encoding.reg ?? random.below(8)) << 3) | (encoding.rm ?? random.below(8));
}

/** Whether the encoding is one that an assembler would choose, so that disassemblers add nothing to the text. */
function isPlain(insn: DecodedInstruction, mode: DecodeMode): boolean {
  const { opcode, opcodeByte, modrm, segmentOverride } = insn;
  const { name } = opcode;
  // NOPs on CPUs without MPX and CLDEMOTE; SALC is not in the manual; fences have seven aliases each.
  if (name === "salc" || (name === "nop" && (insn.prefix66 || [0x0d, 0x1a, 0x1b, 0x1c].includes(opcodeByte))))
    return false;
  // The SDM gives MOVSXD of 16 bits a 16-bit source, binutils a 32-bit one.
  if (name === "movsxd" && insn.operandSize === 16) return false;
  if (name.endsWith("fence") && (modrm & 7) !== 0) return false;
  // Names that binutils makes of the immediate, a size that it leaves out, and sizes that it takes from an ignored W.
  if (/^v(cmp|pclmul|lddqu|pcmpestr|movmsk|pmovmsk)/.test(name)) return false;
  if (!opcode.encoding.modrm) return true;
  const hasAddressSize = insn.addressSize !== mode.codeSize;
  if (modrm >= 0xc0) return segmentOverride < 0 && !hasAddressSize;
  const noRegister = insn.base === NO_REGISTER && insn.index === NO_REGISTER;
  if (noRegister && (hasAddressSize || hasSib(insn))) return false;
  return name !== "lea" || segmentOverride < 0;
}

function hasSib(insn: DecodedInstruction): boolean {
  return insn.addressSize !== 16 && (insn.modrm & 7) === 4;
}
