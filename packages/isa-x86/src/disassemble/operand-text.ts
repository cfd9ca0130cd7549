// SPDX-License-Identifier: Apache-2.0
import { BASE_RIP, type DecodedInstruction, NO_REGISTER, Segment } from "../decode/decoded-instruction.js";
import { bitsOfType, type OperandCode } from "../table/operand.js";

const LOW = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] as const;
const HIGH_BYTES = ["ah", "ch", "dh", "bh"] as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
const POINTERS: { readonly [bits: number]: string } = {
  8: "BYTE PTR ",
  16: "WORD PTR ",
  32: "DWORD PTR ",
  48: "FWORD PTR ",
  64: "QWORD PTR ",
  80: "TBYTE PTR ",
  128: "XMMWORD PTR ",
  256: "YMMWORD PTR ",
};

type Bits = 16 | 32 | 64;

/** A general-purpose register of `bits`; with `rex`, byte registers 4-7 are SPL to DIL. */
function gprName(register: number, bits: number, rex: boolean): string {
  if (register >= 8) return `r${register}${{ 8: "b", 16: "w", 32: "d" }[bits] ?? ""}`;
  const low = LOW[register] ?? "?";
  switch (bits) {
    case 8:
      if (register >= 4) return rex ? `${low}l` : (HIGH_BYTES[register - 4] ?? "?");
      return `${low.slice(0, 1)}l`;
    case 16:
      return low;
    case 32:
      return `e${low}`;
    default:
      return `r${low}`;
  }
}

/** `value` as a hexadecimal number of `bits`, unsigned. */
function hex(value: bigint, bits: number): string {
  return `0x${BigInt.asUintN(bits, value).toString(16)}`;
}

/** Bits of an operand type; 0 where the type says nothing. */
function bitsOf(type: string, insn: DecodedInstruction): number {
  const { operandSize } = insn;
  if (type === "p") return operandSize + 16;
  if (type === "a") return operandSize * 2;
  return bitsOfType(type, operandSize, insn.vectorLength === 1 ? 256 : 128);
}

/**
 * Text of the operand that `code` stands for.
 * @param next address of the following instruction
 */
export function operandText(insn: DecodedInstruction, code: OperandCode, codeSize: Bits, next: bigint): string {
  const rex = insn.rex !== 0 || insn.vex;
  switch (code) {
    case "1":
      return "1";
    case "AL":
    case "CL":
    case "AX":
    case "DX":
      return code.toLowerCase();
    case "eAX":
      return gprName(0, insn.operandSize === 16 ? 16 : 32, rex);
    case "rAX":
      return gprName(0, insn.operandSize, rex);
    default:
  }
  const bits = bitsOf(code.slice(1), insn);
  const gprBits = bits === 0 ? insn.operandSize : bits;
  const isRegister = insn.modrm >= 0xc0;
  switch (code[0]) {
    case "E":
      return isRegister ? gprName(insn.rm, gprBits, rex) : memoryText(insn, bits);
    case "M":
      return memoryText(insn, bits);
    case "R":
      return gprName(insn.rm, gprBits, rex);
    case "G":
    case "Z":
      return gprName(insn.reg, gprBits, rex);
    case "B":
      return gprName(insn.vvvv, gprBits, rex);
    case "I":
    case "L":
      return immediateText(insn, code, bits);
    case "J":
      return hex(
        next + BigInt(insn.immediateLow),
        insn.operandSize === 64 ? 64 : codeSize === 16 ? 16 : insn.operandSize,
      );
    case "O":
      return offsetText(insn);
    case "A":
      return `${hex(BigInt(insn.immediateHigh), 16)}:${hex(BigInt(insn.immediateLow), insn.operandSize)}`;
    case "X":
      return `${POINTERS[bits] ?? ""}${dataSegment(insn)}:[${gprName(6, insn.addressSize, rex)}]`;
    case "Y":
      return `${POINTERS[bits] ?? ""}es:[${gprName(7, insn.addressSize, rex)}]`;
    case "T":
      return `BYTE PTR ${dataSegment(insn)}:[${gprName(3, insn.addressSize, rex)}]`;
    case "V":
      return vectorName(insn, code, insn.reg);
    case "H":
      return vectorName(insn, code, insn.vvvv);
    case "U":
      return vectorName(insn, code, insn.rm);
    case "K":
      return vectorName(insn, code, insn.immediateLow >> 4);
    case "W":
      return isRegister ? vectorName(insn, code, insn.rm) : memoryText(insn, bits);
    case "P":
      return `mm${insn.reg & 7}`;
    case "N":
      return `mm${insn.rm & 7}`;
    case "Q":
      return isRegister ? `mm${insn.rm & 7}` : memoryText(insn, bits);
    case "S":
      return SEGMENTS[insn.reg] ?? "?";
    case "C":
      return `cr${insn.reg}`;
    case "D":
      return `dr${insn.reg}`;
    case "F":
      return `st(${insn.immediateLow})`;
    default:
      // A segment register that the opcode names.
      return code;
  }
}

/** Operands of type x grow with VEX.L; scalars and the like are in XMM registers whatever it says. */
function vectorName({ vectorLength }: DecodedInstruction, code: OperandCode, register: number): string {
  return `${vectorLength === 1 && code.endsWith("x") ? "ymm" : "xmm"}${register}`;
}

/** Immediates are shown in the width of the operation; of two, the second is the high half. */
function immediateText(insn: DecodedInstruction, code: OperandCode, bits: number): string {
  const { operands } = insn.opcode;
  const immediates = operands.filter((other) => other[0] === "I" || other[0] === "L");
  if (immediates.length === 2 && operands[operands.length - 1] === code) return hex(BigInt(insn.immediateHigh), bits);
  const value = (BigInt(insn.immediateHigh) << 32n) | BigInt(insn.immediateLow >>> 0);
  if (code[0] === "L") return hex(value, bits);
  const first = operands[0] ?? "";
  const width = first === "AL" || first[1] === "b" ? 8 : insn.operandSize;
  return hex(value, first === code && bits === 8 ? insn.operandSize : width);
}

function dataSegment({ segmentOverride }: DecodedInstruction): string {
  return SEGMENTS[segmentOverride < 0 ? Segment.DS : segmentOverride] ?? "?";
}

/** The absolute offset of MOV moffs. */
function offsetText(insn: DecodedInstruction): string {
  const value = (BigInt(insn.displacementHigh) << 32n) | BigInt(insn.displacement >>> 0);
  return `${dataSegment(insn)}:${hex(value, insn.addressSize)}`;
}

function memoryText(insn: DecodedInstruction, bits: number): string {
  const segment = insn.segmentOverride < 0 ? "" : `${SEGMENTS[insn.segmentOverride]}:`;
  return `${POINTERS[bits] ?? ""}${addressText(insn, segment)}`;
}

function addressText(insn: DecodedInstruction, segment: string): string {
  const { base, index, addressSize, displacement } = insn;
  const { vsib } = insn.opcode.attributes;
  if (base === NO_REGISTER && index === NO_REGISTER && vsib === undefined) {
    return `${segment === "" ? "ds:" : segment}${hex(BigInt(displacement), addressSize)}`;
  }
  let text = "";
  if (base === BASE_RIP) text = addressSize === 64 ? "rip" : "eip";
  else if (base !== NO_REGISTER) text = gprName(base, addressSize, true);
  if (index !== NO_REGISTER || vsib !== undefined) {
    const scaled = addressSize === 16 ? "" : `*${1 << insn.scale}`;
    const name = vsib === undefined ? gprName(index, addressSize, true) : vectorName(insn, vsib, insn.rm);
    text += `${text === "" ? "" : "+"}${name}${scaled}`;
  }
  return `${segment}[${text}${displacementText(insn)}]`;
}

/** The displacement with its sign; a zero that is in the instruction is shown. */
function displacementText({ modrm, base, displacement }: DecodedInstruction): string {
  if (displacement === 0 && modrm < 0x40 && base !== BASE_RIP && base !== NO_REGISTER) return "";
  const magnitude = BigInt(displacement);
  if (base === BASE_RIP) return `+${hex(magnitude, 64)}`;
  return magnitude < 0n ? `-${hex(-magnitude, 64)}` : `+${hex(magnitude, 64)}`;
}
