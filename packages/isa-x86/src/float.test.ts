// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from "vitest";
import { compileFloatModule, type FloatModule } from "../tests-native/float-module.js";
import { record, recorderObstacle } from "../tests-native/recorder.js";
import { replaySse } from "../tests-native/sse-replay.js";

const DEFAULT = 0x1f80;
const [IE, DE, ZE, OE, UE, PE] = [1, 2, 4, 8, 16, 32];

let module: FloatModule;
beforeAll(() => {
  module = compileFloatModule();
}, 60_000);

/** Result and exceptions of a binary64 operation. */
function f64(mxcsr: number, name: string, ...operands: (number | bigint)[]): [bigint, number] {
  module.call["setFromMxcsr"]!(mxcsr);
  const result = BigInt.asUintN(64, BigInt(module.call[name]!(...operands)));
  return [result, Number(module.call["reportedFlags"]!())];
}

describe("binary64", () => {
  const ONE = 0x3ff0000000000000n;
  const TINY = 0x3ca0000000000000n; // 2^-53
  const SMALLEST_NORMAL = 0x0010000000000000n;
  const LARGEST = 0x7fefffffffffffffn;
  const INFINITY = 0x7ff0000000000000n;
  const SNAN = 0x7ff0000000000001n;

  it("rounds 1 + 2^-53 as each mode says", () => {
    expect(f64(DEFAULT, "f64Add", ONE, TINY)).toEqual([ONE, PE]);
    expect(f64(DEFAULT | (1 << 13), "f64Add", ONE, TINY)).toEqual([ONE, PE]);
    expect(f64(DEFAULT | (2 << 13), "f64Add", ONE, TINY)).toEqual([ONE + 1n, PE]);
    expect(f64(DEFAULT | (3 << 13), "f64Add", ONE, TINY)).toEqual([ONE, PE]);
  });

  it("gives negative zero for x - x only when rounding down", () => {
    expect(f64(DEFAULT, "f64Sub", ONE, ONE)).toEqual([0n, 0]);
    expect(f64(DEFAULT | (1 << 13), "f64Sub", ONE, ONE)).toEqual([1n << 63n, 0]);
  });

  it("detects tininess after rounding, and exact tiny results only when underflow is unmasked", () => {
    // (1 - 2^-53) * 2^-1022 rounds to the smallest normal number without being tiny.
    expect(f64(DEFAULT, "f64Mul", 0x3fefffffffffffffn, SMALLEST_NORMAL)).toEqual([0x000fffffffffffffn + 1n, PE | UE]);
    expect(f64(DEFAULT, "f64Mul", SMALLEST_NORMAL, 0x3fe0000000000000n)).toEqual([0x0008000000000000n, 0]);
    expect(f64(DEFAULT & ~(UE << 7), "f64Mul", SMALLEST_NORMAL, 0x3fe0000000000000n)[1]).toBe(UE);
    expect(f64(DEFAULT | 0x8000, "f64Mul", SMALLEST_NORMAL, 0x3fe0000000000000n)).toEqual([0n, UE | PE]);
  });

  it("overflows to infinity or to the largest number", () => {
    expect(f64(DEFAULT, "f64Add", LARGEST, LARGEST)).toEqual([INFINITY, OE | PE]);
    expect(f64(DEFAULT | (3 << 13), "f64Add", LARGEST, LARGEST)).toEqual([LARGEST, OE | PE]);
  });

  it("reports denormals unless DAZ flushes them", () => {
    expect(f64(DEFAULT, "f64Add", 1n, ONE)).toEqual([ONE, DE | PE]);
    expect(f64(DEFAULT | 0x40, "f64Add", 1n, ONE)).toEqual([ONE, 0]);
  });

  it("answers invalid operations with the default NaN, and quiets the first NaN", () => {
    expect(f64(DEFAULT, "f64Sub", INFINITY, INFINITY)).toEqual([0xfff8000000000000n, IE]);
    expect(f64(DEFAULT, "f64Div", ONE, 0n)).toEqual([INFINITY, ZE]);
    expect(f64(DEFAULT, "f64Add", 0x7ff8000000000123n, SNAN)).toEqual([0x7ff8000000000123n, IE]);
    expect(f64(DEFAULT, "f64ToI32", SNAN, 0)).toEqual([0xffffffff80000000n, IE]);
  });

  it("rounds a fused multiply-add once", () => {
    // (1 + 2^-52)^2 - (1 + 2^-51) = 2^-104
    expect(f64(DEFAULT, "f64Fma", ONE + 1n, ONE + 1n, (1n << 63n) | (ONE + 2n))).toEqual([0x3970000000000000n, 0]);
  });

  it("lets an unmasked denormal operand hide what rounding would report", () => {
    expect(f64(DEFAULT & ~(DE << 7), "f64Add", 1n, ONE)[1]).toBe(DE);
  });
});

const obstacle = recorderObstacle();
describe.skipIf(obstacle !== undefined)(
  `SSE arithmetic against this processor${obstacle === undefined ? "" : ` (${obstacle})`}`,
  () => {
    it.each([1, 2, 3])(
      "agrees in value, exceptions and traps, seed %i",
      (seed) => {
        expect(replaySse(module, record("sse", String(seed), "200000")).slice(0, 5)).toEqual([]);
      },
      60_000,
    );
  },
);
