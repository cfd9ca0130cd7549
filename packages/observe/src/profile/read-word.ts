// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory } from "@isola/ports";

/** Reads `bytes` (1 to 8) at a linear address, little-endian, across a page if need be; null where nothing is mapped. */
export function readWord(memory: GuestMemory, linear: bigint, bytes: number): bigint | null {
  if (linear < 0n) return null;
  const first = memory.translate(linear);
  if (first < 0) return null;
  if (Number(linear & 0xfffn) + bytes <= 0x1000) {
    const view = memory.physical(first, bytes);
    return view === null ? null : littleEndian(view);
  }
  const head = 0x1000 - Number(linear & 0xfffn);
  const low = readWord(memory, linear, head);
  const high = readWord(memory, linear + BigInt(head), bytes - head);
  return low === null || high === null ? null : low | (high << BigInt(8 * head));
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
