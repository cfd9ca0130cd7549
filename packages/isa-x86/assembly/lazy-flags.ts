// SPDX-License-Identifier: Apache-2.0
// Arithmetic flags that compiled code has left as operands; see compiler/flag-operation.ts and cpu-layout.ts.
import {
  CPU_FLAG_A,
  CPU_FLAG_AUX,
  CPU_FLAG_B,
  CPU_FLAG_CARRY,
  CPU_FLAG_KIND,
  CPU_FLAG_OVERFLOW,
  CPU_FLAG_RES,
  FLAGS_ADD,
  FLAGS_COMPUTED,
  FLAGS_DECREMENT,
  FLAGS_INCREMENT,
  FLAGS_LOGIC,
  FLAGS_MULTIPLY,
  FLAG_STATE_CARRY_KEPT,
  FLAG_STATE_OPERATION_MASK,
  FLAG_STATE_OPERATION_SHIFT,
  FLAG_STATE_OVERFLOW_KEPT,
} from "./generated/layout";
import { multiplyHighSigned } from "./integer/wide";

const CARRY_OVERFLOW: u32 = 0xc000_0000;
const ADJUST: u32 = 8;

/** Computes flagRes and flagAux from what compiled code has stored, and clears flagKind. */
export function materializeFlags(cpu: usize): void {
  const state = load<u32>(cpu + CPU_FLAG_KIND);
  const a = load<u64>(cpu + CPU_FLAG_A);
  const b = load<u64>(cpu + CPU_FLAG_B);
  store<u32>(cpu + CPU_FLAG_KIND, 0);
  const operation = (state & FLAG_STATE_OPERATION_MASK) >> FLAG_STATE_OPERATION_SHIFT;
  const bits: u64 = <u64>8 << (state & 3);
  if (operation == FLAGS_LOGIC) finish(cpu, bits, a, 0);
  else if (operation == FLAGS_MULTIPLY) product(cpu, bits, a, b);
  else if (operation != FLAGS_COMPUTED) sum(cpu, operation, bits, a, b);
  if ((state & (FLAG_STATE_CARRY_KEPT | FLAG_STATE_OVERFLOW_KEPT)) == 0) return;
  // Bit 31 is CF, bit 30 is CF ^ OF.
  const aux = load<u32>(cpu + CPU_FLAG_AUX);
  const c = (state & FLAG_STATE_CARRY_KEPT) != 0 ? load<u32>(cpu + CPU_FLAG_CARRY) : aux >> 31;
  const o = (state & FLAG_STATE_OVERFLOW_KEPT) != 0 ? load<u32>(cpu + CPU_FLAG_OVERFLOW) : (aux ^ (aux << 1)) >> 31;
  store<u32>(cpu + CPU_FLAG_AUX, (aux & ~CARRY_OVERFLOW) | (c << 31) | ((c ^ o) << 30));
}

function sum(cpu: usize, operation: u32, bits: u64, a: u64, b: u64): void {
  const adds = operation == FLAGS_ADD || operation == FLAGS_INCREMENT;
  const right: u64 = operation == FLAGS_INCREMENT || operation == FLAGS_DECREMENT ? 1 : b;
  const result = adds ? a + right : a - right;
  const carries = adds ? (a & right) | ((a | right) & ~result) : (~a & right) | ((~a | right) & result);
  finish(cpu, bits, result, (<u32>((carries << (64 - bits)) >> 32) & CARRY_OVERFLOW) | (<u32>carries & ADJUST));
}

function product(cpu: usize, bits: u64, a: u64, b: u64): void {
  let result = a * b;
  let overflows: bool;
  if (bits == 64) overflows = multiplyHighSigned(a, b) != <u64>(<i64>result >> 63);
  else {
    const shift = 64 - bits;
    result = <u64>((<i64>(a << shift) >> shift) * (<i64>(b << shift) >> shift));
    overflows = <i64>(result << shift) >> shift != <i64>result;
  }
  // CF and OF are the same, so CF ^ OF is 0.
  finish(cpu, bits, result, overflows ? 0x8000_0000 : 0);
}

function finish(cpu: usize, bits: u64, result: u64, aux: u32): void {
  const shift = 64 - bits;
  store<u64>(cpu + CPU_FLAG_RES, <u64>(<i64>(result << shift) >> shift));
  store<u32>(cpu + CPU_FLAG_AUX, aux);
}
