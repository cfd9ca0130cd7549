// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { VectorHelpers, VectorSource, vectorOf, wordsOf } from "./sse-helpers.fixture.js";

let helpers: VectorHelpers;
beforeAll(() => {
  helpers = new VectorHelpers();
});

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ (b[i] ?? 0));

/** Key schedule of AES-128 by AESKEYGENASSIST, as in Intel's AES-NI white paper. */
function roundKeys(key: Uint8Array): Uint8Array[] {
  const keys = [key];
  for (const constant of [1, 2, 4, 8, 16, 32, 64, 128, 0x1b, 0x36]) {
    const previous = keys.at(-1) ?? key;
    const assist = wordsOf(helpers.vector("aesKeygenAssist", [previous, previous], constant))[3] ?? 0;
    let word = assist;
    keys.push(vectorOf(wordsOf(previous).map((w) => (word = (word ^ w) >>> 0))));
  }
  return keys;
}

describe("AES", () => {
  const random = new VectorSource(1);

  it("encrypts and decrypts like FIPS 197", () => {
    for (let i = 0; i < 50; i++) {
      const [key, plain] = [random.bytes(), random.bytes()];
      const keys = roundKeys(key);
      let state = xor(plain, keys[0]!);
      for (let r = 1; r < 10; r++) state = helpers.vector("aesEncrypt", [state, keys[r]!]);
      state = helpers.vector("aesEncryptLast", [state, keys[10]!]);
      const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
      expect(Buffer.from(state)).toEqual(cipher.update(plain));

      // The equivalent inverse cipher: AESDEC with keys that went through AESIMC.
      let back = xor(state, keys[10]!);
      for (let r = 9; r > 0; r--)
        back = helpers.vector("aesDecrypt", [back, helpers.vector("aesInverseMixColumns", [keys[r]!, keys[r]!])]);
      back = helpers.vector("aesDecryptLast", [back, keys[0]!]);
      const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
      expect(Buffer.from(back)).toEqual(decipher.update(state));
    }
  });
});

describe("PCLMULQDQ", () => {
  const half = (vector: Uint8Array, high: number): bigint => new DataView(vector.buffer).getBigUint64(high * 8, true);

  it("multiplies polynomials", () => {
    const random = new VectorSource(2);
    for (let i = 0; i < 200; i++) {
      const [a, b] =
        i === 0 ? [new Uint8Array(16).fill(0xff), new Uint8Array(16).fill(0xff)] : [random.bytes(), random.bytes()];
      const imm = [0x00, 0x01, 0x10, 0x11][i & 3]!;
      let product = 0n;
      for (let bit = 0n; bit < 64n; bit++) if ((half(b, imm >> 4) >> bit) & 1n) product ^= half(a, imm & 1) << bit;
      const result = helpers.vector("carrylessMultiply", [a, b], imm);
      expect(half(result, 0) | (half(result, 1) << 64n)).toBe(product);
    }
  });
});

const padded = (message: Uint8Array): DataView => {
  const block = new Uint8Array(64);
  block.set(message);
  block[message.length] = 0x80;
  new DataView(block.buffer).setUint32(60, message.length * 8);
  return new DataView(block.buffer);
};

const digest = (words: readonly number[]): string => words.map((w) => (w >>> 0).toString(16).padStart(8, "0")).join("");

/** Message words 4 i to 4 i + 3 with the first one on top, as the SHA-1 instructions want them. */
const sha1Words = (block: DataView, i: number): Uint8Array =>
  vectorOf([3, 2, 1, 0].map((n) => block.getUint32(i * 16 + n * 4)));

describe("SHA", () => {
  const message = Buffer.from("a message of less than one block");

  it("SHA-1 of one block", () => {
    const block = padded(message);
    const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
    const words = [0, 1, 2, 3].map((i) => sha1Words(block, i));
    for (let i = 4; i < 20; i++) {
      // SHA1MSG1, exclusive-or with the words eight places back, SHA1MSG2.
      const [w16, w12, w8, w4] = [words[i - 4]!, words[i - 3]!, words[i - 2]!, words[i - 1]!];
      const first = xor(w16, Uint8Array.from([...w12.slice(8), ...w16.slice(0, 8)]));
      words.push(helpers.vector("sha1Message2", [xor(first, w8), w4]));
    }
    let abcd = vectorOf([initial[3]!, initial[2]!, initial[1]!, initial[0]!]);
    let e = initial[4]!;
    for (let i = 0; i < 20; i++) {
      const input = wordsOf(words[i]!);
      input[3] = (input[3]! + e) >>> 0;
      const a = wordsOf(abcd)[3]!;
      abcd = helpers.vector("sha1Rounds", [abcd, vectorOf(input)], Math.floor(i / 5));
      e = ((a << 30) | (a >>> 2)) >>> 0;
    }
    const [d, c, b, a] = wordsOf(abcd);
    const sums = [a!, b!, c!, d!, e].map((word, i) => word + initial[i]!);
    expect(digest(sums)).toBe(createHash("sha1").update(message).digest("hex"));
  });

  it("SHA-256 of one block", () => {
    const block = padded(message);
    const words = [0, 1, 2, 3].map((i) => vectorOf([0, 1, 2, 3].map((n) => block.getUint32(i * 16 + n * 4))));
    for (let i = 4; i < 16; i++) {
      const first = wordsOf(helpers.vector("sha256Message1", [words[i - 4]!, words[i - 3]!]));
      const between = [...wordsOf(words[i - 2]!).slice(1), wordsOf(words[i - 1]!)[0]!];
      const sum = vectorOf(first.map((word, n) => (word + between[n]!) >>> 0));
      words.push(helpers.vector("sha256Message2", [sum, words[i - 1]!]));
    }
    const initial = roots(2, 8);
    const constants = roots(3, 64);
    const [a, b, c, d, e, f, g, h] = initial as [number, number, number, number, number, number, number, number];
    let abef = vectorOf([f, e, b, a]);
    let cdgh = vectorOf([h, g, d, c]);
    for (let i = 0; i < 64; i += 2) {
      const pair = wordsOf(words[i >> 2]!).slice(i & 2, (i & 2) + 2);
      const input = vectorOf([...pair.map((word, n) => (word + constants[i + n]!) >>> 0), 0, 0]);
      [abef, cdgh] = [helpers.vector("sha256Rounds", [cdgh, abef, input]), abef];
    }
    const [f2, e2, b2, a2] = wordsOf(abef);
    const [h2, g2, d2, c2] = wordsOf(cdgh);
    const sums = [a2!, b2!, c2!, d2!, e2!, f2!, g2!, h2!].map((word, i) => word + initial[i]!);
    expect(digest(sums)).toBe(createHash("sha256").update(message).digest("hex"));
  });
});

/** The first 32 bits behind the point of the square (2) or cube (3) roots of the first primes (FIPS 180-4, 4.2.2). */
function roots(degree: 2 | 3, count: number): number[] {
  const result: number[] = [];
  for (let prime = 2; result.length < count; prime++) {
    if (Array.from({ length: prime - 2 }, (_, i) => i + 2).some((n) => prime % n === 0)) continue;
    // Integer root of prime * 2^(32 * degree): its low 32 bits.
    const target = BigInt(prime) << BigInt(32 * degree);
    let root = 0n;
    for (let bit = 1n << 37n; bit > 0n; bit >>= 1n) if ((root + bit) ** BigInt(degree) <= target) root += bit;
    result.push(Number(root & 0xffff_ffffn));
  }
  return result;
}
