// SPDX-License-Identifier: Apache-2.0
// Comparisons that involve NaNs or denormals.
import { f32CompareOrdered, f32CompareQuiet } from "../float/float32";
import { f64CompareOrdered, f64CompareQuiet } from "../float/float64";
import { begin, finish, slot0, slot1 } from "./result";

/**
 * Relations that each of the predicates 0-15 accepts, four bits each: equal, less, greater, unordered (SDM 2, CMPPD,
 * table 3-1). Predicates 16-31 accept the same and differ in which of them take quiet NaNs as invalid.
 */
const ACCEPTED: u64 = 0xf456_0ba9_7cde_8321;

function accepts(predicate: u32, relation: u32): bool {
  return ((ACCEPTED >> (((predicate & 15) << 2) | relation)) & 1) != 0;
}

function isQuiet(predicate: u32): bool {
  const low = predicate & 3;
  return (low == 0 || low == 3) != ((predicate & 16) != 0);
}

/** CMPPS: elements of ones where the predicate holds. */
export function compareF32(cpu: usize, predicate: u32, count: u32): void {
  begin(cpu);
  const quiet = isQuiet(predicate);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const a = load<u32>(slot0(cpu) + at);
    const b = load<u32>(slot1(cpu) + at);
    const relation = quiet ? f32CompareQuiet(a, b) : f32CompareOrdered(a, b);
    store<u32>(slot0(cpu) + at, accepts(predicate, relation) ? <u32>-1 : 0);
  }
  finish(cpu);
}

/** CMPPD */
export function compareF64(cpu: usize, predicate: u32, count: u32): void {
  begin(cpu);
  const quiet = isQuiet(predicate);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 3;
    const a = load<u64>(slot0(cpu) + at);
    const b = load<u64>(slot1(cpu) + at);
    const relation = quiet ? f64CompareQuiet(a, b) : f64CompareOrdered(a, b);
    store<u64>(slot0(cpu) + at, accepts(predicate, relation) ? <u64>-1 : 0);
  }
  finish(cpu);
}

/** COMISS (quiet = 0), UCOMISS: 0 equal, 1 less, 2 greater, 3 unordered. */
export function relationF32(cpu: usize, a: u32, b: u32, quiet: u32): u32 {
  begin(cpu);
  const relation = quiet != 0 ? f32CompareQuiet(a, b) : f32CompareOrdered(a, b);
  finish(cpu);
  return relation;
}

/** COMISD (quiet = 0), UCOMISD */
export function relationF64(cpu: usize, a: u64, b: u64, quiet: u32): u32 {
  begin(cpu);
  const relation = quiet != 0 ? f64CompareQuiet(a, b) : f64CompareOrdered(a, b);
  finish(cpu);
  return relation;
}
