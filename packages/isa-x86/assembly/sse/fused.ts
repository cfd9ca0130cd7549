// SPDX-License-Identifier: Apache-2.0
// FMA3: factors in slots 1 and 2, addends in slot 3, results to slot 0.
import { f32Fma } from "../float/float32";
import { f64Fma } from "../float/float64";
import { CPU_SCRATCH } from "../generated/layout";
import { begin, finish, SLOT, slot0, slot1 } from "./result";

/** What happens to signs: semantics/fma.ts. */
const SUBTRACT: u32 = 1;
const NEGATED_ADD: u32 = 2;
const NEGATED_SUBTRACT: u32 = 3;
const ADD_SUBTRACT: u32 = 4;
const SUBTRACT_ADD: u32 = 5;

function negatesProduct(fused: u32): bool {
  return fused == NEGATED_ADD || fused == NEGATED_SUBTRACT;
}

function negatesAddend(fused: u32, i: u32): bool {
  switch (fused) {
    case SUBTRACT:
    case NEGATED_SUBTRACT:
      return true;
    case ADD_SUBTRACT:
      return (i & 1) == 0;
    case SUBTRACT_ADD:
      return (i & 1) != 0;
    default:
      return false;
  }
}

/** A NaN keeps its sign: it is an operand that the result shows. */
function negateF32(a: u32, negate: bool): u32 {
  return negate && (a & 0x7fff_ffff) <= 0x7f80_0000 ? a ^ 0x8000_0000 : a;
}

function negateF64(a: u64, negate: bool): u64 {
  return negate && (a & 0x7fff_ffff_ffff_ffff) <= 0x7ff0_0000_0000_0000 ? a ^ 0x8000_0000_0000_0000 : a;
}

/** VFMADDPS and its like on the first `count` elements. */
export function fusedF32(cpu: usize, fused: u32, count: u32): void {
  begin(cpu);
  const x = slot1(cpu);
  const y = cpu + CPU_SCRATCH + 2 * SLOT;
  const z = cpu + CPU_SCRATCH + 3 * SLOT;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const factor = negateF32(load<u32>(x + at), negatesProduct(fused));
    const addend = negateF32(load<u32>(z + at), negatesAddend(fused, i));
    store<u32>(slot0(cpu) + at, f32Fma(factor, load<u32>(y + at), addend));
  }
  finish(cpu);
}

/** VFMADDPD and its like on the first `count` elements. */
export function fusedF64(cpu: usize, fused: u32, count: u32): void {
  begin(cpu);
  const x = slot1(cpu);
  const y = cpu + CPU_SCRATCH + 2 * SLOT;
  const z = cpu + CPU_SCRATCH + 3 * SLOT;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 3;
    const factor = negateF64(load<u64>(x + at), negatesProduct(fused));
    const addend = negateF64(load<u64>(z + at), negatesAddend(fused, i));
    store<u64>(slot0(cpu) + at, f64Fma(factor, load<u64>(y + at), addend));
  }
  finish(cpu);
}
