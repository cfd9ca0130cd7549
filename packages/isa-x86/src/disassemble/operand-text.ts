// SPDX-License-Identifier: Apache-2.0
import { assertNever } from "@isola/base";
import { BASE_RIP, type DecodedInstruction, NO_REGISTER, Segment } from "../decode/decoded-instruction.js";
import { type OperandCode, type Operand, resolveOperand } from "../table/operand.js";
import { OpcodeMap } from "../table/opcode.js";
import { gprName, SEGMENT_NAMES } from "./register-names.js";

const SIZE_NAMES: { readonly [bits: number]: string } = {
  8: "BYTE",
  16: "WORD",
  32: "DWORD",
  48: "FWORD",
  64: "QWORD",
  80: "TBYTE",
  128: "XMMWORD",
  256: "YMMWORD",
};
const RSI = 6;
const RDI = 7;
const RBX = 3;

const hex = (value: bigint): string => `0x${value.toString(16)}`;

function joined(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Prints the operands of one instruction in Intel syntax. */
export class OperandText {
  private readonly rex: boolean;

  /** @param rip address of the instruction's first byte */
  constructor(
    private readonly insn: DecodedInstruction,
    private readonly rip: bigint,
    private readonly codeSize: 16 | 32 | 64,
  ) {
    this.rex = insn.rex !== 0 || insn.vex;
  }

  /** Text of the operand that `code` stands for. */
  text(code: OperandCode): string {
    return this.resolved(code, this.insn.memory);
  }

  /** Text of an operand that is only shown: the instruction does not access it, so the decoder calls it no memory. */
  shown(code: OperandCode): string {
    if (code === "T") return `BYTE PTR ${this.prefix(Segment.DS, true)}[${this.pointer(RBX)}]`;
    return this.resolved(code, this.insn.modrm < 0xc0);
  }

  private resolved(code: OperandCode, memory: boolean): string {
    const { insn } = this;
    return this.operandText(resolveOperand(code, insn.operandSize, memory, insn.vectorLength === 1 ? 256 : 128), code);
  }

  private operandText(operand: Operand, code: OperandCode): string {
    const { insn } = this;
    switch (operand.kind) {
      case "gpr":
        return gprName(this.slot(operand.slot), operand.size, this.rex);
      case "fixed":
        return gprName(operand.index, operand.size, this.rex);
      case "vec":
        return `${operand.size === 256 ? "y" : "x"}mm${this.slot(operand.slot)}`;
      case "mmx":
        return `mm${this.slot(operand.slot) & 7}`;
      case "segment":
        return SEGMENT_NAMES[this.slot(operand.slot) & 7] ?? "?";
      case "fixedSegment":
        return SEGMENT_NAMES[operand.index] ?? "?";
      case "control":
        return `cr${this.slot(operand.slot)}`;
      case "debug":
        return `dr${this.slot(operand.slot)}`;
      case "st":
        return `st(${insn.immediateLow & 7})`;
      case "one":
        return "1";
      case "imm":
        return this.immediate(operand.size, code);
      case "relative":
        return this.branchTarget();
      case "far":
        return `${hex(BigInt(insn.immediateHigh & 0xffff))}:${hex(BigInt(insn.immediateLow >>> 0))}`;
      case "string":
        return this.stringMemory(operand.size, code);
      case "mem":
        return this.memory(operand.size, code);
      default:
        return assertNever(operand);
    }
  }

  private slot(slot: "reg" | "rm" | "vvvv"): number {
    return slot === "reg" ? this.insn.reg : slot === "rm" ? this.insn.rm : this.insn.vvvv;
  }

  private immediate(size: number, code: OperandCode): string {
    const { insn } = this;
    const { operands } = insn.opcode;
    // The second of two immediates is in the high half.
    const second = operands.filter((one) => /^[IL]/.test(one)).length > 1 && code === operands.at(-1);
    if (second) return hex(BigInt(insn.immediateHigh & 0xff));
    const bits = code === "Iz" ? insn.operandSize : code === "Ib" ? this.extendedSize() : size;
    return hex(BigInt.asUintN(bits, joined(insn.immediateLow, insn.immediateHigh)));
  }

  /** A byte that is sign-extended to the operand is shown as the operand sees it. */
  private extendedSize(): number {
    const { opcode, operandSize } = this.insn;
    if (opcode.encoding.map !== OpcodeMap.OneByte) return 8;
    const [first = ""] = opcode.operands;
    return /^(Ib|[A-Z][vz]|rAX)$/.test(first) ? operandSize : 8;
  }

  private branchTarget(): string {
    const { insn } = this;
    const displacement = joined(insn.immediateLow, insn.immediateLow >> 31);
    const bits = this.codeSize === 64 ? 64 : insn.operandSize;
    return hex(BigInt.asUintN(bits, this.rip + BigInt(insn.length) + displacement));
  }

  /** A segment in front of an address; the default one is left out unless `always`. */
  private prefix(segment: number, always: boolean): string {
    return always || this.insn.segmentOverride >= 0 ? `${SEGMENT_NAMES[segment] ?? "?"}:` : "";
  }

  private pointer(register: number): string {
    return gprName(register, this.insn.addressSize, true);
  }

  private stringMemory(size: number, code: OperandCode): string {
    const source = code.startsWith("X");
    const segment = source ? (this.insn.segmentOverride >= 0 ? this.insn.segmentOverride : Segment.DS) : Segment.ES;
    const pointer = this.pointer(source ? RSI : RDI);
    return `${SIZE_NAMES[size] ?? ""} PTR ${SEGMENT_NAMES[segment] ?? "?"}:[${pointer}]`;
  }

  private memory(size: number, code: OperandCode): string {
    const { insn } = this;
    const bits = code.endsWith("p") ? (insn.operandSize === 64 ? 80 : insn.operandSize + 16) : size;
    const width = bits === 0 ? "" : `${SIZE_NAMES[bits] ?? ""} PTR `;
    const bare = insn.base === NO_REGISTER && insn.index === NO_REGISTER;
    const address = bare ? this.absolute() : `[${this.sum()}]`;
    return `${width}${this.prefix(insn.segment, bare)}${address}`;
  }

  private absolute(): string {
    const { insn } = this;
    return hex(BigInt.asUintN(insn.addressSize, joined(insn.displacement, insn.displacementHigh)));
  }

  private sum(): string {
    const { insn } = this;
    const parts: string[] = [];
    if (insn.base === BASE_RIP) parts.push(insn.addressSize === 64 ? "rip" : "eip");
    else if (insn.base !== NO_REGISTER) parts.push(this.pointer(insn.base));
    if (insn.index !== NO_REGISTER) {
      const scale = insn.addressSize === 16 ? "" : `*${1 << insn.scale}`;
      parts.push(`${this.pointer(insn.index)}${scale}`);
    }
    const { displacement } = insn;
    const offset = displacement === 0 ? "" : `${displacement < 0 ? "-" : "+"}${hex(BigInt(Math.abs(displacement)))}`;
    // RIP-relative addresses always have a displacement, and it is shown even if it is zero.
    return parts.join("+") + (offset === "" && insn.base === BASE_RIP ? "+0x0" : offset);
  }
}
