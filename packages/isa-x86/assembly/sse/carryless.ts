// SPDX-License-Identifier: Apache-2.0
// PCLMULQDQ: multiplication of polynomials over GF(2).
import { slot0, slot1 } from "./result";

const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;

/** Part of x that has only bits 4 i + n. */
function part(x: u64, n: u64): u64 {
  return x & (EVERY_FOURTH << n);
}

/**
 * Product of two polynomials of 32 bits. Integer products of parts that hold every fourth bit add at most eight ones in
 * a place, so the sums stay within their four bits and the lowest of these is the sum modulo 2.
 */
function multiply32(x: u64, y: u64): u64 {
  const x0 = part(x, 0);
  const x1 = part(x, 1);
  const x2 = part(x, 2);
  const x3 = part(x, 3);
  const y0 = part(y, 0);
  const y1 = part(y, 1);
  const y2 = part(y, 2);
  const y3 = part(y, 3);
  return (
    part((x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1), 0) |
    part((x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2), 1) |
    part((x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3), 2) |
    part((x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0), 3)
  );
}

/** imm[0] chooses the half of slot 0, imm[4] that of slot 1; the product replaces slot 0. */
export function carrylessMultiply(cpu: usize, imm: u32): void {
  const x = load<u64>(slot0(cpu) + ((<usize>imm & 1) << 3));
  const y = load<u64>(slot1(cpu) + (((<usize>imm >> 4) & 1) << 3));
  const xl = x & 0xffff_ffff;
  const xh = x >> 32;
  const yl = y & 0xffff_ffff;
  const yh = y >> 32;
  const low = multiply32(xl, yl);
  const high = multiply32(xh, yh);
  // Karatsuba
  const middle = multiply32(xl ^ xh, yl ^ yh) ^ low ^ high;
  store<u64>(slot0(cpu), low ^ (middle << 32));
  store<u64>(slot0(cpu), high ^ (middle >> 32), 8);
}
