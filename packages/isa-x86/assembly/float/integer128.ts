// SPDX-License-Identifier: Apache-2.0
// 64 x 64 -> 128 bit multiplication and 128 / 64 bit division; the second half of a result is left in a global.

/** High half of the product that mul64 computed last. */
export let mulHigh: u64 = 0;
/** Remainder of the last div128. */
export let div128Remainder: u64 = 0;

/** Low half of a * b; the high half is left in `mulHigh`. */
export function mul64(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const low = a0 * b0;
  const middle = a1 * b0 + (low >> 32);
  const middle2 = a0 * b1 + (middle & 0xffffffff);
  mulHigh = a1 * b1 + (middle >> 32) + (middle2 >> 32);
  return a * b;
}

/** One 32-bit digit of a quotient: (hi * 2^32 + digit) / divisor, hi < divisor, bit 63 of divisor set. */
function quotientDigit(hi: u64, digit: u64, divisor: u64): u64 {
  const d1 = divisor >> 32;
  const d0 = divisor & 0xffffffff;
  let q = hi / d1;
  let rest = hi - q * d1;
  // Knuth, The Art of Computer Programming vol. 2, 4.3.1 algorithm D: the estimate is at most 2 too large.
  while (q >> 32 != 0 || q * d0 > ((rest << 32) | digit)) {
    q--;
    rest += d1;
    if (rest >> 32 != 0) break;
  }
  return q;
}

/** hi:lo / divisor for hi < divisor, divisor not 0; the remainder is left in `div128Remainder`. */
export function div128(hi: u64, lo: u64, divisor: u64): u64 {
  const shift = clz(divisor);
  if (shift != 0) {
    divisor <<= shift;
    hi = (hi << shift) | (lo >> (64 - shift));
    lo <<= shift;
  }
  const q1 = quotientDigit(hi, lo >> 32, divisor);
  const rest1 = ((hi << 32) | (lo >> 32)) - q1 * divisor;
  const q0 = quotientDigit(rest1, lo & 0xffffffff, divisor);
  div128Remainder = (((rest1 << 32) | (lo & 0xffffffff)) - q0 * divisor) >> shift;
  return (q1 << 32) | q0;
}
