// SPDX-License-Identifier: Apache-2.0
// Operands of SSE and AVX instructions. One semantics function serves the legacy form, whose destination is the first
// source too, and the VEX forms of 128 and 256 bits, which name it on its own and clear the upper bits.
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { VectorHalf, VectorRegister, X86Emitter } from "./x86-emitter.js";

/** A vector in pieces of 128 bits, the lowest first: one piece or, with VEX.L, two. */
export type Halves = readonly Value[];

/** The operands of an instruction with two sources by what they are for. */
export interface Roles {
  readonly dst: Operand;
  readonly a: Operand;
  readonly b: Operand;
  /** The operand behind the sources: an immediate, a mask. */
  readonly rest: Operand | undefined;
}

/** Tells the operands apart: with VEX the first source is the register in VEX.vvvv, else it is the destination. */
export function rolesOf([dst, second, third, fourth]: readonly Operand[]): Roles {
  if (dst === undefined || second === undefined) throw new Error("the table line declares fewer than two operands");
  if (third !== undefined && second.kind === "vec" && second.slot === "vvvv")
    return { dst, a: second, b: third, rest: fourth };
  return { dst, a: dst, b: second, rest: third };
}

/** Whether the instruction has a VEX prefix: then memory may be unaligned and results clear the bits above them. */
export function isVex(e: X86Emitter): boolean {
  return e.form.opcode.encoding.vex !== undefined;
}

/** Whether an operand has 256 bits. */
export function isWide(operand: Operand): boolean {
  return "size" in operand && operand.size === 256;
}

/** Pieces of `operand`: two if it has 256 bits. Memory must be aligned if `aligned`; the default is the rule of the form. */
export function readHalves(e: X86Emitter, operand: Operand, aligned = !isVex(e)): Halves {
  if (!isWide(operand)) return [readLow(e, operand, aligned)];
  if (operand.kind === "vec") return [e.readVectorHalf(operand, 0), e.readVectorHalf(operand, 1)];
  if (operand.kind === "vecImmediate") return [readNumbered(e, 0), readNumbered(e, 1)];
  const linear = e.linearAddress();
  if (aligned) e.requireAligned(linear, 32);
  return e.loadGuestPair(linear);
}

/** The low 128 bits of `operand`, or what it has of them. */
export function readLow(e: X86Emitter, operand: Operand, aligned = !isVex(e)): Value {
  return operand.kind === "vecImmediate" ? readNumbered(e, 0) : e.readVector(operand, !aligned);
}

/** The register in bits 4-7 of the immediate. */
function readNumbered(e: X86Emitter, half: VectorHalf): Value {
  const immediate = e.wrap(e.immediate());
  if (immediate.constant !== null) return e.readVectorRegister((Number(immediate.constant) >> 4) & 15, half);
  return e.readVectorRegister(e.and(e.shrU(immediate, 4), e.i32(15)), half);
}

/** Writes a result: a register's bits above it stay in legacy forms and become zero in VEX forms. */
export function writeHalves(e: X86Emitter, operand: Operand, value: Halves, aligned = !isVex(e)): void {
  const [low, high] = value;
  if (low === undefined) throw new Error("a vector has at least 128 bits");
  if (operand.kind === "vec") {
    e.writeVectorHalf(operand, 0, low);
    if (high !== undefined) e.writeVectorHalf(operand, 1, high);
    else if (isVex(e)) e.zeroUpperHalf(operand);
  } else if (high === undefined) e.writeVector(operand, low, !aligned);
  else {
    const linear = e.linearAddress();
    if (aligned) e.requireAligned(linear, 32);
    e.storeGuestPair(linear, low, high);
  }
}

/** Writes a result of at most 128 bits. */
export function writeLow(e: X86Emitter, operand: Operand, value: Value): void {
  writeHalves(e, operand, [value]);
}

/** The pieces that `then` or `otherwise` give; only one of them runs. */
export function chooseHalves(
  e: X86Emitter,
  condition: Value,
  count: number,
  then: () => Halves,
  otherwise: () => Halves,
): Halves {
  const results = Array.from({ length: count }, () => e.variable("v128"));
  const assign = (halves: Halves): void => halves.forEach((half, i) => e.assign(results[i]!, half));
  e.if(
    condition,
    () => assign(then()),
    () => assign(otherwise()),
  );
  return results.map((result) => e.value(result));
}

/** Stores a helper's operand into scratch slot `slot`. */
export function storeScratch(e: X86Emitter, slot: number, value: Halves): void {
  value.forEach((piece, half) => e.writeScratch(slot, half as VectorHalf, piece));
}

/** `count` pieces of a helper's result. */
export function loadScratch(e: X86Emitter, slot: number, count = 1): Halves {
  return Array.from({ length: count }, (_, half) => e.readScratch(slot, half as VectorHalf));
}

/** Whether any lane of any piece has a bit set: i32. */
export function anyTrue(e: X86Emitter, halves: Halves): Value {
  return e.op(
    "v128.any_true",
    halves.reduce((all, half) => e.op("v128.or", all, half)),
  );
}

/** The register operand that a table line declares. */
export function vectorRegister(operand: Operand | undefined): VectorRegister {
  if (operand?.kind !== "vec") throw new Error("the table line declares no vector register");
  return operand;
}
