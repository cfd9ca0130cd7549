// SPDX-License-Identifier: Apache-2.0

/** One's complement sum of 16-bit big-endian words (RFC 1071), not folded. An odd last byte counts as the upper half. */
export function sum(bytes: Uint8Array, start: number, end: number, initial = 0): number {
  let total = initial;
  let i = start;
  // Below 2 ** 53 for any packet, so carries are folded once, at the end.
  for (const last = end - 1; i < last; i += 2) total += (bytes[i] << 8) | bytes[i + 1];
  if (i < end) total += bytes[i] << 8;
  return total;
}

/** A sum folded to 16 bits, not inverted. */
export function fold(total: number): number {
  let value = total;
  while (value > 0xffff) value = (value % 0x1_0000) + Math.floor(value / 0x1_0000);
  return value;
}

/** Sum over the pseudo-header of TCP, UDP and ICMPv6 (RFC 9293, 3.1; RFC 8200, 8.1). */
export function pseudoHeaderSum(source: Uint8Array, destination: Uint8Array, protocol: number, length: number): number {
  return sum(source, 0, source.length, sum(destination, 0, destination.length, protocol + length));
}

/** The value of a checksum field: the inverted sum. */
export function checksum(total: number): number {
  return ~fold(total) & 0xffff;
}
