// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";

interface IntegerHelpers {
  multiplyHighUnsigned(a: bigint, b: bigint): bigint;
  multiplyHighSigned(a: bigint, b: bigint): bigint;
  divideUnsigned(high: bigint, low: bigint, divisor: bigint): bigint;
  divideSigned(high: bigint, low: bigint, divisor: bigint): bigint;
  signedDivisionOverflows(high: bigint, low: bigint, divisor: bigint): number;
  depositBits(value: bigint, mask: bigint): bigint;
  extractBits(value: bigint, mask: bigint): bigint;
  crc32c(crc: number, value: bigint, bytes: number): number;
}

const U64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const S64 = (value: bigint): bigint => BigInt.asIntN(64, value);

/** Edge cases and numbers in between, always the same. */
function* operands(count: number): Generator<bigint> {
  const edges = [0n, 1n, 2n, 3n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n];
  for (const edge of edges) yield* [edge, U64(-edge), U64(~edge), edge << 31n];
  let state = 0x9e37_79b9_7f4a_7c15n;
  for (let i = 0; i < count; i++) {
    state ^= U64(state << 13n);
    state ^= state >> 7n;
    state ^= U64(state << 17n);
    yield state >> BigInt(i & 63);
  }
}

describe("integer helpers", () => {
  let helpers: IntegerHelpers;
  beforeAll(() => {
    const module = new WebAssembly.Module(readFileSync(new URL("../../../build/helpers.wasm", import.meta.url)));
    const memory = new WebAssembly.Memory({ initial: 0x800, maximum: 0x1_0000 });
    const host: Record<string, () => number> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "host") host[name] = () => 0;
    helpers = new WebAssembly.Instance(module, { env: { memory }, host }).exports as unknown as IntegerHelpers;
  });

  it("multiplies 64 by 64 bits", () => {
    const values = [...operands(60)];
    for (const a of values)
      for (const b of values) {
        expect(U64(helpers.multiplyHighUnsigned(a, b))).toBe((a * b) >> 64n);
        expect(helpers.multiplyHighSigned(a, b)).toBe((S64(a) * S64(b)) >> 64n);
      }
  });

  it("divides 128 by 64 bits", () => {
    const values = [...operands(40)];
    let divided = 0;
    for (const high of values)
      for (const low of values)
        for (const divisor of values) {
          const dividend = (high << 64n) | low;
          if (high < divisor) {
            divided++;
            if (U64(helpers.divideUnsigned(high, low, divisor)) !== dividend / divisor)
              throw new Error(`${dividend} / ${divisor}`);
          }
          if (divisor === 0n) continue;
          const quotient = BigInt.asIntN(128, dividend) / S64(divisor);
          const fits = S64(quotient) === quotient;
          if ((helpers.signedDivisionOverflows(high, low, divisor) === 0) !== fits)
            throw new Error(`overflow of ${dividend} / ${divisor}`);
          if (fits && helpers.divideSigned(high, low, divisor) !== quotient)
            throw new Error(`${dividend} / ${divisor}, signed`);
        }
    expect(divided).toBeGreaterThan(100_000);
  });

  it("deposits and extracts bits", () => {
    for (const mask of operands(100))
      for (const value of [0n, U64(-1n), 0x0123_4567_89ab_cdefn]) {
        let deposited = 0n;
        let extracted = 0n;
        let at = 0n;
        for (let i = 0n; i < 64n; i++) {
          if (((mask >> i) & 1n) === 0n) continue;
          deposited |= ((value >> at) & 1n) << i;
          extracted |= ((value >> i) & 1n) << at++;
        }
        expect(U64(helpers.depositBits(value, mask))).toBe(deposited);
        expect(U64(helpers.extractBits(value, mask))).toBe(extracted);
      }
  });

  it("computes CRC-32C", () => {
    // The check value of the CRC-32C catalogue entry: CRC of "123456789", all bits inverted before and after.
    let crc = helpers.crc32c(-1, 0x3837_3635_3433_3231n, 8);
    crc = helpers.crc32c(crc, 0x39n, 1);
    expect(~crc >>> 0).toBe(0xe306_9283);
  });
});
