// SPDX-License-Identifier: Apache-2.0
// Arithmetic flags that compiled code has left as operands; see compiler/flag-operation.ts and cpu-layout.ts.
import {
  CPU_FLAG_AUX,
  CPU_FLAG_RES,
  FLAGS_ADD,
  FLAGS_DECREMENT,
  FLAGS_INCREMENT,
  FLAGS_LOGIC,
} from "./generated/layout";

const CARRY_OVERFLOW: u32 = 0xc000_0000;
const ADJUST: u32 = 8;

/**
 * Computes flagRes and flagAux.
 * @param kind operation * 4 + log2 of the operand's bytes
 * @param a, b operands, zero-extended from their size
 * @param carry CF, for operations that keep it
 */
export function materializeFlags(cpu: usize, kind: u32, a: u64, b: u64, carry: u32): void {
  const operation = kind >> 2;
  const bits: u64 = <u64>8 << (kind & 3);
  if (operation == FLAGS_LOGIC) {
    finish(cpu, bits, a, 0);
    return;
  }
  const keepsCarry = operation == FLAGS_INCREMENT || operation == FLAGS_DECREMENT;
  const adds = operation == FLAGS_ADD || operation == FLAGS_INCREMENT;
  const right: u64 = keepsCarry ? 1 : b;
  const result = adds ? a + right : a - right;
  const carries = adds ? (a & right) | ((a | right) & ~result) : (~a & right) | ((~a | right) & result);
  let aux = (<u32>((carries << (64 - bits)) >> 32) & CARRY_OVERFLOW) | (<u32>carries & ADJUST);
  // CF stays; bit 30 is CF ^ OF, so it flips with CF.
  if (keepsCarry && aux >> 31 != carry) aux ^= CARRY_OVERFLOW;
  finish(cpu, bits, result, aux);
}

function finish(cpu: usize, bits: u64, result: u64, aux: u32): void {
  const shift = 64 - bits;
  store<u64>(cpu + CPU_FLAG_RES, <u64>(<i64>(result << shift) >> shift));
  store<u32>(cpu + CPU_FLAG_AUX, aux);
}
