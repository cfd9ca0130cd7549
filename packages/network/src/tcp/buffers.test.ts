// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteRing } from "./byte-ring.js";
import { contentOf, pattern } from "./pair.fixture.js";
import { Reassembly } from "./reassembly.js";

describe("ring of bytes", () => {
  it("is a queue, whatever its size", () => {
    const step = fc.record({ append: fc.nat(9000), drop: fc.nat(9000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ring = new ByteRing();
        let model: number[] = [];
        steps.forEach(({ append, drop }, i) => {
          const bytes = pattern(append, i);
          ring.append(bytes);
          model.push(...bytes);
          const count = Math.min(drop, model.length);
          ring.drop(count);
          model = model.slice(count);
          expect(contentOf(ring)).toEqual(Uint8Array.from(model));
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe("memory of a ring", () => {
  it("is kept while it is used, and given back afterwards", () => {
    const ring = new ByteRing();
    for (let i = 0; i < 3; i++) {
      ring.append(pattern(100_000));
      ring.drop(100_000);
      ring.release();
      expect(ring.capacity).toBeGreaterThanOrEqual(100_000);
    }
    ring.release();
    expect(ring.capacity).toBe(0);
    ring.append(pattern(100_000));
    ring.release();
    ring.release();
    expect(contentOf(ring)).toEqual(pattern(100_000));
    ring.clear();
    expect([ring.length, ring.capacity]).toEqual([0, 0]);
  });
});

describe("reassembly", () => {
  it("gives each byte once and in order, from pieces in any order", () => {
    const piece = fc.record({ at: fc.nat(400), length: fc.nat(120) });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (pieces, base) => {
        const all = pattern(600);
        const early = new Reassembly();
        const known = new Set<number>();
        for (const { at, length } of pieces) {
          early.insert((base + 1 + at) >>> 0, all.subarray(at, at + length));
          for (let i = 0; i < length; i++) known.add(at + i);
        }
        let next = 0;
        while (known.has(next)) next++;
        const got: number[] = [];
        let more = early.take((base + 1) >>> 0);
        while (more !== null) {
          got.push(...more);
          more = early.take((base + 1 + got.length) >>> 0);
        }
        expect(Uint8Array.from(got)).toEqual(all.subarray(0, next));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps a bounded number of pieces", () => {
    const early = new Reassembly();
    for (let i = 0; i < 1000; i++) early.insert(i * 10, pattern(3));
    let count = 0;
    for (let i = 0; i < 1000; i++) if (early.take(i * 10) !== null) count++;
    expect(count).toBeLessThanOrEqual(64);
  });
});
