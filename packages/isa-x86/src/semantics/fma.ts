// SPDX-License-Identifier: Apache-2.0
// FMA3: x * y + z rounded once.
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import { fuseInline, type InlineResult } from "./fma-inline.js";
import type { Semantics } from "./semantics.js";
import { type FloatSize, plainArithmetic } from "./sse-exceptions.js";
import { dwords, quads } from "./sse-operands.js";
import {
  anyTrue,
  chooseHalves,
  type Halves,
  loadScratch,
  readHalves,
  readLow,
  storeScratch,
  writeHalves,
  writeLow,
} from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/** Which operands are factors and which is the addend: the digits of the mnemonic. */
export type Order = "132" | "213" | "231";

/** What happens to the signs of product and addend, as the helpers know it. */
export enum Fused {
  /** x * y + z */
  Add = 0,
  /** x * y - z */
  Subtract = 1,
  /** -(x * y) + z */
  NegatedAdd = 2,
  /** -(x * y) - z */
  NegatedSubtract = 3,
  /** Subtracts in even elements, adds in odd ones. */
  AddSubtract = 4,
  /** Adds in even elements, subtracts in odd ones. */
  SubtractAdd = 5,
}

/** The operands as x, y, z of x * y + z. */
function ordered<T>(order: Order, [first, second, third]: readonly [T, T, T]): [x: T, y: T, z: T] {
  switch (order) {
    case "132":
      return [first, third, second];
    case "213":
      return [second, first, third];
    case "231":
      return [second, third, first];
  }
}

function operandsOf([first, second, third]: readonly Operand[]): readonly [Operand, Operand, Operand] {
  return [first!, second!, third!];
}

type Sources = readonly [x: Halves, y: Halves, z: Halves];

function byHelper(
  e: X86Emitter,
  size: FloatSize,
  fused: Fused,
  [x, y, z]: Sources,
  kept: Halves,
  count: number,
): Halves {
  storeScratch(e, 0, kept);
  storeScratch(e, 1, x);
  storeScratch(e, 2, y);
  storeScratch(e, 3, z);
  e.callFaulting(`fusedF${size}`, [e.cpu, e.i32(fused), e.i32(count)]);
  return loadScratch(e, 0, kept.length);
}

/** Sign bits that an operation flips in the addends: of all elements, of the even or of the odd ones. */
function addendSigns(size: FloatSize, fused: Fused): readonly number[] | null {
  const signs = (even: boolean, odd: boolean): readonly number[] =>
    size === 32
      ? dwords(even ? 0x8000_0000 : 0, odd ? 0x8000_0000 : 0)
      : quads(even ? 1n << 63n : 0n, odd ? 1n << 63n : 0n);
  switch (fused) {
    case Fused.Subtract:
    case Fused.NegatedSubtract:
      return signs(true, true);
    case Fused.AddSubtract:
      return signs(true, false);
    case Fused.SubtractAdd:
      return signs(false, true);
    default:
      return null;
  }
}

/** What the inline path gives for one piece. */
function fusePiece(e: X86Emitter, size: FloatSize, fused: Fused, x: Value, y: Value, z: Value): InlineResult {
  const all = addendSigns(size, Fused.Subtract)!;
  const negates = fused === Fused.NegatedAdd || fused === Fused.NegatedSubtract;
  const signs = addendSigns(size, fused);
  const factor = negates ? e.op("v128.xor", x, e.v128(all)) : x;
  const addend = signs === null ? z : e.op("v128.xor", z, e.v128(signs));
  return fuseInline(e, size, factor, y, addend);
}

/** VFMADD132PS and its like. */
export function fusedPacked(size: FloatSize, fused: Fused, order: Order): Semantics {
  return (e, operands) => {
    const [first, second, third] = operandsOf(operands);
    const memory = readHalves(e, third);
    const destination = readHalves(e, first);
    const sources: Sources = ordered(order, [destination, readHalves(e, second), memory]);
    const [x, y, z] = sources;
    const pieces = x.map((half, i) => fusePiece(e, size, fused, half, y[i]!, z[i]!));
    const failed = anyTrue(
      e,
      pieces.map((piece) => piece.failed),
    );
    const results = chooseHalves(
      e,
      e.and(e.eqz(failed), plainArithmetic(e)),
      x.length,
      () => pieces.map((piece) => piece.result),
      () => byHelper(e, size, fused, sources, destination, (x.length * 128) / size),
    );
    writeHalves(e, first, results);
  };
}

/** VFMADD132SS and its like: the upper elements of the destination stay. */
export function fusedScalar(size: FloatSize, fused: Fused, order: Order): Semantics {
  const low = Array.from({ length: 16 }, (_, i) => (i < size / 8 ? i : i + 16));
  return (e, operands) => {
    const [first, second, third] = operandsOf(operands);
    const memory = readLow(e, third);
    const destination = readLow(e, first);
    const [x, y, z] = ordered(order, [destination, readLow(e, second), memory]);
    const { result, failed } = fusePiece(e, size, fused, x, y, z);
    const fails = e.lane("i32x4.extract_lane", 0, failed);
    const value = e.choose(
      e.and(e.eqz(fails), plainArithmetic(e)),
      "v128",
      () => e.shuffle(result, destination, low),
      () => byHelper(e, size, fused, [[x], [y], [z]], [destination], 1)[0]!,
    );
    writeLow(e, first, value);
  };
}
