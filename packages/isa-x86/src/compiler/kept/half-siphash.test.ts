// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { HalfSipHash } from "./half-siphash.js";

/** Hash of the bytes 0, 1, 2 ... under the key of the bytes 0 to 7, in the order in which the bytes of the hash are published. */
function hashOf(words: number): string {
  const hash = new HalfSipHash(0x03020100, 0x07060504);
  hash.begin();
  for (let i = 0; i < words; i++) hash.word(0x03020100 + i * 0x04040404);
  hash.finish();
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(hash.low);
  bytes.writeUInt32LE(hash.high, 4);
  return bytes.toString("hex");
}

it("gives the published hashes", () => {
  expect(hashOf(0)).toBe("218d1f59b9b83cc8");
});

it("depends on every bit of every word, and on the key", () => {
  const seen = new Set<string>();
  for (let bit = -1; bit < 64; bit++) {
    const hash = new HalfSipHash(1, 2);
    hash.begin();
    for (let word = 0; word < 2; word++) hash.word(bit >> 5 === word ? 1 << (bit & 31) : 0);
    hash.finish();
    seen.add(`${hash.low}:${hash.high}`);
  }
  const other = new HalfSipHash(1, 3);
  other.begin();
  other.word(0);
  other.word(0);
  other.finish();
  seen.add(`${other.low}:${other.high}`);
  expect(seen.size).toBe(66);
});
