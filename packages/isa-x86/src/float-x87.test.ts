// SPDX-License-Identifier: Apache-2.0
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { compileFloatModule, CPU, SCRATCH, type FloatModule } from "../tests-native/float-module.js";
import { record, recorderObstacle } from "../tests-native/recorder.js";
import { replayX87 } from "../tests-native/x87-replay.js";
import { cpu } from "./cpu-layout.js";

let module: FloatModule;
beforeAll(() => {
  module = compileFloatModule();
}, 60_000);
beforeEach(() => {
  module.memory.fill(0, CPU, CPU + cpu.size);
  call("x87Init");
});

function call(name: string, ...operands: (number | bigint)[]): number | bigint {
  return module.call[name]!(CPU, ...operands);
}

/** ST(0) as the double it is stored as. */
function storedDouble(): number {
  expect(call("x87StoreF64")).toBe(1);
  return module.view.getFloat64(SCRATCH, true);
}

function bits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

describe("x87 helpers", () => {
  it("computes 1 / 3 with 64 bits", () => {
    call("x87LoadConstant", 0);
    call("x87LoadInteger", 3n);
    call("x87ArithmeticTo", 7, 1, 1);
    call("x87StoreF80");
    expect(module.view.getBigUint64(SCRATCH, true)).toBe(0xaaaaaaaaaaaaaaabn);
    expect(module.view.getUint16(SCRATCH + 8, true)).toBe(0x3ffd);
    expect(call("x87StatusWord")).toBe((7 << 11) | 0x220);
  });

  it("stores nothing and keeps the stack until the store is done", () => {
    call("x87LoadF64", bits(2.5));
    expect(storedDouble()).toBe(2.5);
    expect(Number(call("x87StatusWord")) >> 11).toBe(7);
    call("x87StoreDone", 1);
    expect(Number(call("x87StatusWord")) >> 11).toBe(0);
  });

  it("vetoes a store with an unmasked exception, then faults at the next waiting instruction", () => {
    call("x87LoadControlWord", 0x340);
    expect(call("x87StoreF64")).toBe(0);
    expect(module.view.getUint32(CPU + cpu.at("fault"), true)).toBe(0);
    expect(Number(call("x87StatusWord")) & 0x80c1).toBe(0x80c1);
    expect(call("x87LoadConstant", 0)).toBe(0);
    expect(module.view.getUint32(CPU + cpu.at("fault"), true)).toBe(17);
  });

  it("has sines, logarithms and powers", () => {
    const unary: [string, number, number][] = [
      ["x87Sine", 0.5, Math.sin(0.5)],
      ["x87Cosine", 100, Math.cos(100)],
      ["x87Exp2Minus1", 0.25, 2 ** 0.25 - 1],
    ];
    for (const [name, argument, expected] of unary) {
      call("x87Init");
      call("x87LoadF64", bits(argument));
      call(name);
      expect(Math.abs(storedDouble() - expected)).toBeLessThan(1e-15);
    }
    const binary: [string, number, number, number][] = [
      ["x87YLog2X", 3, 10, 3 * Math.log2(10)],
      ["x87YLog2XPlus1", 2, 0.125, 2 * Math.log2(1.125)],
      ["x87PartialArctangent", -1, -2, Math.atan2(-1, -2)],
    ];
    for (const [name, y, x, expected] of binary) {
      call("x87Init");
      call("x87LoadF64", bits(y));
      call("x87LoadF64", bits(x));
      call(name);
      expect(Math.abs(storedDouble() - expected)).toBeLessThan(1e-14);
    }
  });

  it("sets C2 and leaves arguments from 2^63 on alone", () => {
    call("x87LoadF64", bits(2 ** 63));
    call("x87Sine");
    expect(Number(call("x87StatusWord")) & 0x400).toBe(0x400);
    expect(storedDouble()).toBe(2 ** 63);
  });
});

describe("state images", () => {
  const at = (field: Parameters<typeof cpu.at>[0]): number => CPU + cpu.at(field);

  beforeEach(() => {
    call("x87LoadConstant", 3);
    call("x87LoadConstant", 6);
    module.view.setBigUint64(at("fpIp"), 0x12345n, true);
    module.view.setUint16(at("fpCs"), 0x1000, true);
    module.view.setBigUint64(at("fpDp"), 0x6789n, true);
    module.view.setUint16(at("fpDs"), 0x2000, true);
    module.view.setUint16(at("fpOpcode"), 0x5ee, true);
  });

  it("writes the protected-mode environments of 16 and 32 bits", () => {
    call("x87StoreEnvironment", 0);
    const words = [...Array(7).keys()].map((i) => module.view.getUint16(SCRATCH + 2 * i, true));
    expect(words).toEqual([0x37f, 6 << 11, 0x1fff, 0x2345, 0x1000, 0x6789, 0x2000]);
    call("x87StoreEnvironment", 1);
    const fields = [...Array(7).keys()].map((i) => module.view.getUint32(SCRATCH + 4 * i, true));
    expect(fields).toEqual([0xffff037f, 0xffff3000, 0xffff1fff, 0x12345, 0x05ee1000, 0x6789, 0xffff2000]);
  });

  it("writes the real-mode environments with linear addresses", () => {
    call("x87StoreEnvironment", 2);
    const words = [...Array(7).keys()].map((i) => module.view.getUint16(SCRATCH + 2 * i, true));
    expect(words.slice(3)).toEqual([0x2345, 0x25ee, 0x6789, 0x2000]);
    call("x87StoreEnvironment", 3);
    const fields = [...Array(7).keys()].map((i) => module.view.getUint32(SCRATCH + 4 * i, true));
    expect(fields.slice(3)).toEqual([0xffff2345, 0x25ee, 0xffff6789, 0x2000]);
  });

  it.each([0, 1, 2, 3])("restores what it saved, layout %i", (layout) => {
    const before = module.memory.slice(at("fpr"), at("fpr") + 128);
    call("x87Save", layout);
    call("x87Init");
    module.memory.fill(0xaa, at("fpr"), at("fpr") + 128);
    expect(call("x87Restore", layout)).toBe(1);
    expect(call("x87StatusWord")).toBe(6 << 11);
    expect(module.view.getUint8(at("fpTag"))).toBe(0xc0);
    for (let i = 0; i < 128; i += 16) {
      expect(module.memory.slice(at("fpr") + i, at("fpr") + i + 10)).toEqual(before.slice(i, i + 10));
    }
  });

  it("refuses reserved MXCSR bits with #GP and changes nothing", () => {
    call("x87FxSave", 1, 1);
    module.view.setUint32(SCRATCH + 24, 0x10000, true);
    module.view.setUint16(SCRATCH, 0x7f, true);
    expect(call("x87FxRestore", 1, 1)).toBe(0);
    expect(module.view.getUint32(at("fault"), true)).toBe(14);
    expect(call("x87ControlWord")).toBe(0x37f);
  });

  it("aliases MMX registers to significands", () => {
    expect(call("mmxEnter")).toBe(1);
    call("mmxWrite", 3, 0x0123456789abcdefn);
    expect(module.view.getBigUint64(at("fpr") + 48, true)).toBe(0x0123456789abcdefn);
    expect(module.view.getUint16(at("fpr") + 56, true)).toBe(0xffff);
    expect([module.view.getUint32(at("fpTop"), true), module.view.getUint8(at("fpTag"))]).toEqual([0, 0xff]);
    call("mmxEmpty");
    expect(module.view.getUint8(at("fpTag"))).toBe(0);
  });
});

const obstacle = recorderObstacle();
describe.skipIf(obstacle !== undefined)(
  `x87 against this processor${obstacle === undefined ? "" : ` (${obstacle})`}`,
  () => {
    it.each([1, 2])(
      "every instruction leaves the same state, seed %i",
      (seed) => {
        const { failures } = replayX87(module, record("x87", String(seed), "200000"), false);
        expect(failures.slice(0, 3)).toEqual([]);
      },
      60_000,
    );

    it("transcendental functions are within one unit in the last place, and mostly equal", () => {
      const { failures, nearMisses, records } = replayX87(module, record("x87", "3", "100000", "transcendental"), true);
      expect(failures.slice(0, 3)).toEqual([]);
      expect(nearMisses / records).toBeLessThan(0.05);
    }, 60_000);
  },
);
