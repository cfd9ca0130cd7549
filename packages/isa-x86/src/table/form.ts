// SPDX-License-Identifier: Apache-2.0
import type { Opcode } from "./opcode.js";
import { type Operand, resolveOperand } from "./operand.js";

export type OperandSize = 16 | 32 | 64;

/**
 * How the memory operand's linear address is formed.
 * - `none`: ModRM names a register, or there is no ModRM
 * - `long`: base + index * scale + displacement, modulo 2^64
 * - `flat32`: the same modulo 2^32, segments flat
 * Everything else (16-bit addresses, segment bases, limit checks) is done by an address record in front, which leaves
 * the linear address where a `long` form finds it as its base.
 */
export type Addressing = "none" | "long" | "flat32";

/** Memory model of stack and branches: 64-bit mode, flat 32-bit segments, or anything else. */
export type Model = "long" | "flat32" | "segmented";

/** One concrete variant of an opcode-table line, for which one handler is generated. */
export interface Form {
  readonly opcode: Opcode;
  readonly operandSize: OperandSize;
  readonly addressing: Addressing;
  readonly model: Model | null;
  readonly operands: readonly Operand[];
}

/** JMP and CALL through a register or memory, near: the record's immediate holds the last target. */
export function isNearIndirect(form: Form): boolean {
  const { name, operands } = form.opcode;
  return (name === "jmp" || name === "call") && operands.length === 1 && operands[0] === "Ev";
}

const SIZED = /^([A-Z][vyzp]?|eAX|rAX)$/;

/** Whether the operand size changes what the opcode does; otherwise one form (32) serves all. */
export function dependsOnOperandSize(opcode: Opcode): boolean {
  return (
    opcode.attributes.model === true ||
    opcode.attributes.sized === true ||
    opcode.operands.some(
      (code) =>
        (SIZED.test(code) && !/^[VWUHPQNSCDF]$/.test(code)) ||
        code.endsWith("v") ||
        code.endsWith("y") ||
        code.endsWith("z"),
    )
  );
}

/** Whether one of the operands can be memory, and whether one must be. */
export function memoryUse(opcode: Opcode): "never" | "maybe" | "always" {
  if (opcode.attributes.shown !== undefined) return "never";
  if (opcode.operands.some((code) => code[0] === "O")) return "always";
  if (!opcode.encoding.modrm || opcode.encoding.mod === "reg") return "never";
  if (opcode.encoding.mod === "mem" || opcode.operands.some((code) => code[0] === "M")) return "always";
  return opcode.operands.some((code) => "EWQ".includes(code[0] ?? "")) ? "maybe" : "never";
}

/**
 * Whether there are forms for flat 32-bit addresses. VEX instructions, of which there are many and which 32-bit code
 * hardly uses, do with an address record in front.
 */
export function hasFlatForms(opcode: Opcode): boolean {
  return opcode.attributes.unit !== "avx";
}

/** All forms of `opcode` in a fixed order: size, then addressing, then model. */
export function formsOf(opcode: Opcode): Form[] {
  const sizes: OperandSize[] = dependsOnOperandSize(opcode) ? [16, 32, 64] : [32];
  const use = memoryUse(opcode);
  const addressings: Addressing[] = [];
  if (use !== "always") addressings.push("none");
  if (use !== "never") addressings.push("long");
  if (use !== "never" && hasFlatForms(opcode)) addressings.push("flat32");
  const models: (Model | null)[] = opcode.attributes.model === true ? ["long", "flat32", "segmented"] : [null];
  const vectorSize = opcode.encoding.vex === 256 ? 256 : 128;
  const forms: Form[] = [];
  for (const operandSize of sizes)
    for (const addressing of addressings)
      for (const model of models)
        forms.push({
          opcode,
          operandSize,
          addressing,
          model,
          operands: opcode.operands.map((code) => resolveOperand(code, operandSize, addressing !== "none", vectorSize)),
        });
  return forms;
}
