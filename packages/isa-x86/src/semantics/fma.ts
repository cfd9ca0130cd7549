// SPDX-License-Identifier: Apache-2.0
// FMA3: x * y + z rounded once.
import type { Value } from "@isola/engine";
import type { Operand } from "../table/operand.js";
import type { Semantics } from "./semantics.js";
import type { FloatSize } from "./sse-exceptions.js";
import { type Halves, loadScratch, readHalves, readLow, storeScratch, writeHalves } from "./vector-operand.js";
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

function byHelper(
  e: X86Emitter,
  size: FloatSize,
  fused: Fused,
  [x, y, z]: readonly [Halves, Halves, Halves],
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

/** VFMADD132PS and its like. */
export function fusedPacked(size: FloatSize, fused: Fused, order: Order): Semantics {
  return (e, operands) => {
    const [first, second, third] = operandsOf(operands);
    const memory = readHalves(e, third);
    const sources: [Halves, Halves, Halves] = [readHalves(e, first), readHalves(e, second), memory];
    const count = (memory.length * 128) / size;
    writeHalves(e, first, byHelper(e, size, fused, ordered(order, sources), sources[0], count));
  };
}

/** VFMADD132SS and its like: the upper elements of the destination stay. */
export function fusedScalar(size: FloatSize, fused: Fused, order: Order): Semantics {
  return (e, operands) => {
    const [first, second, third] = operandsOf(operands);
    const memory: Value = readLow(e, third);
    const sources: [Halves, Halves, Halves] = [[readLow(e, first)], [readLow(e, second)], [memory]];
    writeHalves(e, first, byHelper(e, size, fused, ordered(order, sources), sources[0], 1));
  };
}
