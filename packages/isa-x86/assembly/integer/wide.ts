// SPDX-License-Identifier: Apache-2.0
// 128-bit products and quotients. Pure functions.

const LOW: u64 = 0xffff_ffff;
const SIGN: u64 = 1 << 63;

/** High 64 bits of the unsigned product. */
export function multiplyHighUnsigned(a: u64, b: u64): u64 {
  const aLow = a & LOW;
  const aHigh = a >> 32;
  const bLow = b & LOW;
  const bHigh = b >> 32;
  const cross = aHigh * bLow + ((aLow * bLow) >> 32);
  const middle = aLow * bHigh + (cross & LOW);
  return aHigh * bHigh + (cross >> 32) + (middle >> 32);
}

/** High 64 bits of the signed product. */
export function multiplyHighSigned(a: u64, b: u64): u64 {
  // As unsigned numbers, negative factors are 2^64 too large.
  return multiplyHighUnsigned(a, b) - ((<i64>a >> 63) & b) - ((<i64>b >> 63) & a);
}

/** Quotient of (high:low) / divisor, unsigned; demands high < divisor. Long division in base 2^32, as Knuth's D. */
export function divideUnsigned(high: u64, low: u64, divisor: u64): u64 {
  // Normalise, so that the estimates of the quotient digits are at most 2 too large.
  const shift = clz<u64>(divisor);
  const d = divisor << shift;
  const dHigh = d >> 32;
  const dLow = d & LOW;
  const top = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
  const bottom = low << shift;
  const first = quotientDigit(top, bottom >> 32, d, dHigh, dLow);
  const rest = (top << 32) + (bottom >> 32) - first * d;
  return (first << 32) | quotientDigit(rest, bottom & LOW, d, dHigh, dLow);
}

/** One digit of base 2^32: (top * 2^32 + next) / d, where top < d. */
function quotientDigit(top: u64, next: u64, d: u64, dHigh: u64, dLow: u64): u64 {
  let digit = top / dHigh;
  let remainder = top - digit * dHigh;
  while (digit > LOW || digit * dLow > ((remainder << 32) | next)) {
    digit--;
    remainder += dHigh;
    if (remainder > LOW) break;
  }
  return digit;
}

/** Whether the signed quotient of (high:low) / divisor does not fit into 64 bits. The divisor is not zero. */
export function signedDivisionOverflows(high: u64, low: u64, divisor: u64): bool {
  const negative = ((high ^ divisor) & SIGN) != 0;
  const magnitude = magnitudeHigh(high, low);
  const d = <i64>divisor < 0 ? 0 - divisor : divisor;
  if (magnitude >= d) return true;
  const quotient = divideUnsigned(magnitude, magnitudeLow(high, low), d);
  return negative ? quotient > SIGN : quotient >= SIGN;
}

/** Signed quotient of (high:low) / divisor; demands that it fits. */
export function divideSigned(high: u64, low: u64, divisor: u64): u64 {
  const d = <i64>divisor < 0 ? 0 - divisor : divisor;
  const quotient = divideUnsigned(magnitudeHigh(high, low), magnitudeLow(high, low), d);
  return ((high ^ divisor) & SIGN) != 0 ? 0 - quotient : quotient;
}

function magnitudeLow(high: u64, low: u64): u64 {
  return <i64>high < 0 ? 0 - low : low;
}

function magnitudeHigh(high: u64, low: u64): u64 {
  return <i64>high < 0 ? ~high + (low == 0 ? 1 : 0) : high;
}
