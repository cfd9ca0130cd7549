// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from "vitest";
import { VectorHelpers, VectorSource } from "./sse-helpers.fixture.js";

let helpers: VectorHelpers;
beforeAll(() => {
  helpers = new VectorHelpers();
});

const BOOLEAN_SIZE = 16;

/** SDM 2, section 4.1, element by element: bits of pairs, the override for invalid ones, aggregation. */
function model(
  a: Uint8Array,
  b: Uint8Array,
  imm: number,
  lengthA: number,
  lengthB: number,
): { result: number; flags: number } {
  const wide = (imm & 1) !== 0;
  const n = wide ? 8 : BOOLEAN_SIZE;
  const elements = (vector: Uint8Array): number[] => {
    const view = new DataView(vector.buffer);
    return Array.from({ length: n }, (_, i) => {
      if (wide) return (imm & 2) !== 0 ? view.getInt16(i * 2, true) : view.getUint16(i * 2, true);
      return (imm & 2) !== 0 ? view.getInt8(i) : view.getUint8(i);
    });
  };
  const [x, y] = [elements(a), elements(b)];
  const aggregation = (imm >> 2) & 3;
  const pair = (i: number, j: number): boolean => {
    const validA = i < lengthA;
    const validB = j < lengthB;
    if (!validA && !validB) return aggregation >= 2;
    if (!validA) return aggregation === 3;
    if (!validB) return false;
    if (aggregation !== 1) return x[i] === y[j];
    return (i & 1) === 0 ? y[j]! >= x[i]! : y[j]! <= x[i]!;
  };
  const indices = Array.from({ length: n }, (_, i) => i);
  const bit = (j: number): boolean => {
    if (aggregation === 0) return indices.some((i) => pair(i, j));
    if (aggregation === 1) return indices.some((i) => (i & 1) === 0 && pair(i, j) && pair(i + 1, j));
    if (aggregation === 2) return pair(j, j);
    return indices.every((i) => i + j >= n || pair(i, i + j));
  };
  let result = 0;
  for (const j of indices) {
    const inverted = (imm & 0x10) !== 0 && ((imm & 0x20) === 0 || j < lengthB);
    if (bit(j) !== inverted) result |= 1 << j;
  }
  const flags = (result !== 0 ? 1 : 0) | (lengthB < n ? 0x40 : 0) | (lengthA < n ? 0x80 : 0) | ((result & 1) << 11);
  return { result, flags };
}

function terminated(vector: Uint8Array, wide: boolean): number {
  const n = wide ? 8 : BOOLEAN_SIZE;
  for (let i = 0; i < n; i++) if (wide ? vector[i * 2] === 0 && vector[i * 2 + 1] === 0 : vector[i] === 0) return i;
  return n;
}

function position(result: number, imm: number): number {
  if (result === 0) return (imm & 1) !== 0 ? 8 : BOOLEAN_SIZE;
  return (imm & 0x40) !== 0 ? 31 - Math.clz32(result) : 31 - Math.clz32(result & -result);
}

describe("PCMPxSTRx", () => {
  it("agrees with the SDM's definition for every immediate", () => {
    const random = new VectorSource(3);
    for (let imm = 0; imm < 256; imm++)
      for (let round = 0; round < 24; round++) {
        const alphabet = [3, 5, 256][round % 3]!;
        const [a, b] = [random.bytes(alphabet), random.bytes(alphabet)];
        const n = (imm & 1) !== 0 ? 8 : BOOLEAN_SIZE;
        const lengths = [random.below(n + 3) - 1, random.below(n + 3)];
        const [lengthA, lengthB] = lengths.map((length) => Math.min(Math.abs(length), n)) as [number, number];

        const explicit = model(a, b, imm, lengthA, lengthB);
        const [la, lb] = lengths.map(BigInt) as [bigint, bigint];
        const index = Number(helpers.call("explicitStringIndex", [a, b], imm, la, lb)) >>> 0;
        expect([imm, index]).toEqual([imm, ((explicit.flags << 16) | position(explicit.result, imm)) >>> 0]);

        const implicit = model(a, b, imm, terminated(a, n === 8), terminated(b, n === 8));
        const flags = Number(helpers.call("implicitStringMask", [a, b], imm)) >>> 0;
        expect([imm, flags]).toEqual([imm, (implicit.flags << 16) >>> 0]);
        expect([imm, helpers.vector("implicitStringMask", [a, b], imm)]).toEqual([imm, maskOf(implicit.result, imm)]);
      }
  });

  it("takes any 64-bit length", () => {
    const zeros = new Uint8Array(16);
    const min = -(1n << 63n);
    expect(Number(helpers.call("explicitStringIndex", [zeros, zeros], 0x08, min, 1n << 40n)) & 0xffff).toBe(0);
  });
});

function maskOf(result: number, imm: number): Uint8Array {
  const mask = new Uint8Array(16);
  if ((imm & 0x40) === 0) new DataView(mask.buffer).setUint16(0, result, true);
  else for (let i = 0; i < 16; i++) if ((result >> ((imm & 1) !== 0 ? i >> 1 : i)) & 1) mask[i] = 0xff;
  return mask;
}

describe("RCPPS and RSQRTPS", () => {
  const float = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0]!;
  const estimate = (helper: string, bits: number): number => {
    const vector = new Uint8Array(Uint32Array.of(bits, 0, 0, 0).buffer);
    return new Uint32Array(helpers.vector(helper, [vector, vector], 1).buffer)[0]!;
  };

  it("stay within the error that the SDM allows", () => {
    const random = new VectorSource(4);
    for (let i = 0; i < 20_000; i++) {
      // Positive numbers whose reciprocal is normal.
      const bits = 0x0080_0000 + random.below(0x7e00_0000 - 0x80_0000);
      const x = float(bits);
      expect(Math.abs(float(estimate("reciprocalF32", bits)) * x - 1)).toBeLessThanOrEqual(1.5 / 4096);
      expect(Math.abs(float(estimate("reciprocalSqrtF32", bits)) * Math.sqrt(x) - 1)).toBeLessThanOrEqual(1.5 / 4096);
    }
  });

  it.each([
    ["reciprocalF32", 0, 0x7f80_0000],
    ["reciprocalF32", 0x8000_0001, 0xff80_0000],
    ["reciprocalF32", 0xff80_0000, 0x8000_0000],
    ["reciprocalF32", 0x7e80_0000, 0],
    ["reciprocalF32", 0x7f80_0001, 0x7fc0_0001],
    ["reciprocalSqrtF32", 0x8000_0000, 0xff80_0000],
    ["reciprocalSqrtF32", 0xbf80_0000, 0xffc0_0000],
    ["reciprocalSqrtF32", 0x7f80_0000, 0],
  ] as const)("%s of %s", (helper, bits, expected) => {
    expect(estimate(helper, bits)).toBe(expected);
  });
});
