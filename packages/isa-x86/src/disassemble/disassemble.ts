// SPDX-License-Identifier: Apache-2.0
import { DecodedInstruction } from "../decode/decoded-instruction.js";
import { type DecodeMode, DecodeStatus, InstructionDecoder } from "../decode/instruction.js";
import { operandText } from "./operand-text.js";
import { opcodeTable } from "../table/index.js";
import type { Opcode } from "../table/opcode.js";

export interface Disassembly {
  /** Intel syntax, one blank behind the mnemonic. */
  readonly text: string;
  /** Bytes of the instruction; 1 for what is no instruction. */
  readonly length: number;
}

/** Mnemonics that name the operand size: 16, 32, 64. */
const SIZED_NAMES: { readonly [name: string]: readonly [string, string, string] } = {
  cbw: ["cbw", "cwde", "cdqe"],
  cwd: ["cwd", "cdq", "cqo"],
  movd: ["movd", "movd", "movq"],
  vmovd: ["vmovd", "vmovd", "vmovq"],
};

/** Mnemonics without a size of their own, which get a suffix when the operand size is not the usual one. */
const SUFFIXED = new Set(["pusha", "popa", "pushf", "popf", "iret", "leave", "enter", "ret", "retf"]);

let decoder: InstructionDecoder | undefined;

function newInstruction(): DecodedInstruction {
  const first = opcodeTable[0];
  if (first === undefined) throw new Error("the opcode table is empty");
  return new DecodedInstruction(first);
}

const decoded: DecodedInstruction = newInstruction();

/**
 * The instruction at `bytes[at]` in Intel syntax, as `objdump -M intel` writes it but for prefixes without an effect,
 * which are left out.
 * @param available how many bytes may be read
 * @param address where the instruction lies in the guest: RIP, for branch targets
 */
export function disassemble(
  bytes: Uint8Array,
  at: number,
  available: number,
  mode: DecodeMode,
  address: bigint,
): Disassembly {
  decoder ??= new InstructionDecoder(opcodeTable);
  const status = decoder.decode(bytes, at, available, mode, decoded);
  if (status !== DecodeStatus.Ok) return { text: "(bad)", length: 1 };
  const next = address + BigInt(decoded.length);
  const operands = shownOperands(decoded.opcode).map((code) => operandText(decoded, code, mode.codeSize, next));
  const mnemonic = `${prefixes(decoded)}${nameOf(decoded, mode.codeSize)}`;
  return { text: operands.length === 0 ? mnemonic : `${mnemonic} ${operands.join(",")}`, length: decoded.length };
}

function shownOperands(opcode: Opcode): readonly string[] {
  return opcode.attributes.shown === undefined ? opcode.operands : [opcode.attributes.shown];
}

function prefixes({ opcode, lock, repeat }: DecodedInstruction): string {
  const locked = lock ? "lock " : "";
  if (opcode.attributes.repeat !== true || repeat === 0 || opcode.name === "xlat") return locked;
  const compares = opcode.name === "cmps" || opcode.name === "scas";
  if (repeat === 2) return `${locked}repnz `;
  return compares ? `${locked}repz ` : `${locked}rep `;
}

function nameOf(insn: DecodedInstruction, codeSize: 16 | 32 | 64): string {
  const { name } = insn.opcode;
  const sizeIndex = insn.operandSize === 16 ? 0 : insn.operandSize === 32 ? 1 : 2;
  const sized = SIZED_NAMES[name];
  if (sized !== undefined) return sized[sizeIndex] ?? name;
  // An immediate or an address of 64 bits.
  if (name === "mov" && isAbsolute(insn)) return "movabs";
  const unusual = codeSize === 16 ? insn.operandSize !== 16 : insn.operandSize === 16;
  const immediate = name === "push" && insn.opcode.operands[0]?.[0] === "I";
  if (unusual && (SUFFIXED.has(name) || immediate)) return name + (insn.operandSize === 16 ? "w" : "d");
  return name;
}

function isAbsolute({ opcode, operandSize, addressSize }: DecodedInstruction): boolean {
  return opcode.operands.some(
    (code) => (code === "Iv" && operandSize === 64) || (code[0] === "O" && addressSize === 64),
  );
}
