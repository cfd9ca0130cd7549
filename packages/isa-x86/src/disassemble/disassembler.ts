// SPDX-License-Identifier: Apache-2.0
import { DecodedInstruction } from "../decode/decoded-instruction.js";
import { type DecodeMode, DecodeStatus, InstructionDecoder } from "../decode/instruction.js";
import { opcodeTable } from "../table/index.js";
import { OperandText } from "./operand-text.js";

/** One line of a listing. */
export interface DisassembledInstruction {
  /** Bytes that it takes; 1 where the bytes are no instruction. */
  readonly length: number;
  /** Intel syntax; `(bad)` where the bytes are no instruction, `(truncated)` where they end too early. */
  readonly text: string;
}

/** Names that depend on the operand size: 16, 32 and 64 bits. */
const SIZED_NAMES: { readonly [name: string]: readonly [string, string, string] } = {
  cbw: ["cbw", "cwde", "cdqe"],
  cwd: ["cwd", "cdq", "cqo"],
  iret: ["iretw", "iret", "iretq"],
  retf: ["retfw", "retf", "retfq"],
  sysret: ["sysretw", "sysretd", "sysretq"],
  sysexit: ["sysexitw", "sysexitd", "sysexitq"],
  movd: ["movd", "movd", "movq"],
};
/** String instructions that end at the first (in)equality: their F3 is called REPE. */
const COMPARING = new Set(["cmps", "scas"]);

/** x87 instructions with one register operand; the others imply ST as the second one. */
const ONE_REGISTER = new Set("fld fst fstp fxch ffree ffreep fcom fcomp fucom fucomp".split(" "));
/** Opcodes whose destination is ST(i) and whose source is ST. */
const TO_REGISTER = new Set([0xdc, 0xde]);

/** Turns instruction bytes into text, by the same opcode table that the processor executes. */
export class Disassembler {
  private readonly decoder = new InstructionDecoder(opcodeTable);
  private readonly insn: DecodedInstruction;
  private readonly mode: DecodeMode;

  /** @param codeSize size of code: 16 also for real mode */
  constructor(private readonly codeSize: 16 | 32 | 64) {
    const [first] = opcodeTable;
    if (first === undefined) throw new Error("the opcode table is empty");
    this.insn = new DecodedInstruction(first);
    this.mode = { codeSize, vex: codeSize !== 16 };
  }

  /**
   * Disassembles the instruction at `bytes[at]`.
   * @param rip its address, for the targets of branches
   */
  at(bytes: Uint8Array, at: number, rip: bigint): DisassembledInstruction {
    const { insn } = this;
    switch (this.decoder.decode(bytes, at, bytes.length - at, this.mode, insn)) {
      case DecodeStatus.Ok:
        return { length: insn.length, text: this.text(rip) };
      case DecodeStatus.NeedMore:
        return { length: bytes.length - at, text: "(truncated)" };
      default:
        return { length: 1, text: "(bad)" };
    }
  }

  private text(rip: bigint): string {
    const { insn } = this;
    const { opcode } = insn;
    const operands = new OperandText(insn, rip, this.codeSize);
    const texts = opcode.operands.map((code) => (code === "F" ? this.stackRegister() : operands.text(code)));
    if (opcode.attributes.shown !== undefined) texts.push(operands.shown(opcode.attributes.shown));
    return `${this.prefixes()}${this.name()}${texts.length === 0 ? "" : ` ${texts.join(",")}`}`;
  }

  private stackRegister(): string {
    const { opcode, opcodeByte, immediateLow } = this.insn;
    const register = `st(${immediateLow & 7})`;
    if (ONE_REGISTER.has(opcode.name)) return register;
    return TO_REGISTER.has(opcodeByte) ? `${register},st` : `st,${register}`;
  }

  private prefixes(): string {
    const { lock, repeat, opcode } = this.insn;
    const parts = lock ? "lock " : "";
    if (opcode.attributes.repeat !== true || repeat === 0) return parts;
    if (repeat === 2) return `${parts}repnz `;
    return `${parts}${COMPARING.has(opcode.name) ? "repz" : "rep"} `;
  }

  private name(): string {
    const { opcode, operandSize } = this.insn;
    const sized = SIZED_NAMES[opcode.name];
    return sized === undefined ? opcode.name : sized[operandSize === 16 ? 0 : operandSize === 32 ? 1 : 2];
  }
}
