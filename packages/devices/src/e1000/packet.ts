// SPDX-License-Identifier: Apache-2.0
import type { TransmitContext } from "./state.js";

const IPV6 = 6;
const IPV4_LENGTH = 2;
const IPV4_CHECKSUM = 10;
const IPV6_LENGTH = 4;
const IPV6_HEADER = 40;

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

function folded(total: number): number {
  let value = total;
  while (value > 0xffff) value = (value & 0xffff) + (value >>> 16);
  return value;
}

/** Puts the Internet checksum over the IP header where the context says (3.3.7.1). */
export function insertIpChecksum(bytes: Uint8Array, { ipStart, ipOffset, ipEnd }: TransmitContext): void {
  const end = ipEnd === 0 ? bytes.length : Math.min(ipEnd + 1, bytes.length);
  if (ipOffset + 2 > bytes.length || ipStart >= end) return;
  put16(bytes, ipOffset, 0);
  let total = 0;
  for (let at = ipStart; at < end; at += 2) total += (bytes[at] << 8) | (at + 1 < end ? bytes[at + 1] : 0);
  put16(bytes, ipOffset, ~folded(total) & 0xffff);
}

/**
 * Makes of a packet that the driver wants cut (3.5) one that says how long it is: drivers leave the IP length zero and
 * take no length into the sum over the pseudo-header, because the card fills in both for each segment.
 */
export function completeLargePacket(bytes: Uint8Array, context: TransmitContext): boolean {
  const { ipStart, transportStart, transportOffset } = context;
  if (transportOffset < transportStart || transportOffset + 2 > bytes.length || ipStart + IPV6_HEADER > bytes.length)
    return false;
  const payload = bytes.length - transportStart;
  const sum = (bytes[transportOffset] << 8) | bytes[transportOffset + 1];
  put16(bytes, transportOffset, folded(sum + payload));
  if (bytes[ipStart] >> 4 === IPV6) {
    put16(bytes, ipStart + IPV6_LENGTH, bytes.length - ipStart - IPV6_HEADER);
    return true;
  }
  put16(bytes, ipStart + IPV4_LENGTH, bytes.length - ipStart);
  const ipEnd = transportStart - 1;
  insertIpChecksum(bytes, { ...context, ipOffset: ipStart + IPV4_CHECKSUM, ipEnd });
  return true;
}
