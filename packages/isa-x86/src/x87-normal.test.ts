// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from "vitest";
import { compileFloatModule, CPU, SCRATCH, type FloatModule } from "../tests-native/float-module.js";
import { cpu } from "./cpu-layout.js";

/** Nearest, 64 bits, everything masked: what the short cuts are for. */
const USUAL = 0x37f;
/** The same with DE unmasked, which keeps the short cuts out and which the operands here never raise. */
const GENERAL = 0x37d;
const BIAS = 16383;
const TOP_BIT = 1n << 63n;

interface Value {
  readonly sig: bigint;
  readonly se: number;
}

let module: FloatModule;
beforeAll(() => {
  module = compileFloatModule();
}, 60_000);

/** A generator of its own, so that every run looks at the same numbers (xorshift64). */
function generator(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    return state;
  };
}

/** Significands with long runs of equal bits, and others. */
function significand(next: () => bigint): bigint {
  const shape = next() & 7n;
  const shift = next() & 63n;
  const small = next() & 3n;
  if (shape === 0n) return TOP_BIT | small;
  if (shape === 1n) return BigInt.asUintN(64, -1n - small);
  if (shape === 2n) return TOP_BIT | BigInt.asUintN(64, -1n << shift);
  if (shape === 3n) return TOP_BIT | (1n << shift);
  if (shape === 4n) return TOP_BIT | (1n << shift) | small;
  if (shape === 5n) return TOP_BIT | BigInt.asUintN(64, (next() >> shift) << shift);
  return TOP_BIT | next();
}

/** Exponents near a centre, near the ends of the range, and zero. */
function value(next: () => bigint, centre: number): Value {
  const shape = Number(next() & 31n);
  const sign = Number(next() & 1n) << 15;
  if (shape === 0) return { sig: 0n, se: sign };
  let biased = centre + Number(next() % 140n) - 70;
  if (shape === 1) biased = 1 + Number(next() & 3n);
  if (shape === 2) biased = 0x7ffe - Number(next() & 3n);
  if (shape > 20) biased = centre + Number(next() % 3n) - 1;
  return { sig: significand(next), se: sign | biased };
}

function put(slot: number, { sig, se }: Value): void {
  const at = CPU + cpu.at("fpr") + 16 * slot;
  module.view.setBigUint64(at, sig, true);
  module.view.setUint16(at + 8, se, true);
}

/** Everything an instruction leaves, after `operation` on ST(0) = a and ST(1) = b. */
function outcome(control: number, a: Value, b: Value, operation: () => void): string {
  module.memory.fill(0, CPU, CPU + cpu.size);
  module.call["x87Init"]!(CPU);
  module.call["x87LoadControlWord"]!(CPU, control);
  put(0, a);
  put(1, b);
  module.view.setUint8(CPU + cpu.at("fpTag"), 3);
  // C1 is to be cleared, and C0, C2 and C3 to be kept or overwritten.
  module.view.setUint16(CPU + cpu.at("fsw"), 0x4700, true);
  operation();
  const registers = Buffer.from(module.memory.slice(CPU + cpu.at("fpr"), CPU + cpu.at("fpr") + 128)).toString("hex");
  const scratch = module.view.getBigUint64(SCRATCH, true).toString(16);
  const status = module.view.getUint16(CPU + cpu.at("fsw"), true).toString(16);
  const state = [module.view.getUint8(CPU + cpu.at("fpTag")), module.view.getUint32(CPU + cpu.at("fpTop"), true)];
  const flags = [
    module.view.getBigUint64(CPU + cpu.at("flagRes"), true),
    module.view.getUint32(CPU + cpu.at("flagAux"), true),
  ];
  return `${registers} ${scratch} FSW ${status} tags and top ${state.join()} flags ${flags.join()}`;
}

function agree(name: string, a: Value, b: Value, operation: () => void): void {
  const usual = outcome(USUAL, a, b, operation);
  const general = outcome(GENERAL, a, b, operation);
  if (usual !== general) {
    const show = ({ sig, se }: Value): string => `${se.toString(16)}:${sig.toString(16)}`;
    expect.fail(`${name} ${show(a)} ${show(b)}\n${usual}\n${general}`);
  }
}

const COUNT = 20_000;

describe("short cuts of x87 instructions agree with the general routines", () => {
  it.each([0, 1, 4, 5, 6, 7])("arithmetic, operation %i", (op) => {
    const next = generator(BigInt(op + 1));
    for (let i = 0; i < COUNT; i++) {
      const [a, b] = [value(next, BIAS), value(next, BIAS)];
      agree("ST(0)", a, b, () => module.call["x87ArithmeticRegister"]!(CPU, op, 1));
      agree("ST(1)", a, b, () => module.call["x87ArithmeticTo"]!(CPU, op, 1, i & 1));
    }
  });

  it("operands in memory", () => {
    const next = generator(11n);
    for (let i = 0; i < COUNT; i++) {
      const a = value(next, BIAS);
      const op = i & 7;
      const exponent = BigInt(1 + Number(next() % 2046n)) << 52n;
      const double = ((next() & 1n) << 63n) | exponent | ((significand(next) & ~TOP_BIT) >> 11n);
      const single = Number(((next() & 1n) << 31n) | (BigInt(1 + Number(next() % 254n)) << 23n) | (next() & 0x7fffffn));
      const integer = BigInt.asIntN(64, next()) >> (next() & 63n);
      agree("m64", a, a, () => module.call["x87ArithmeticF64"]!(CPU, op, double));
      agree("m32", a, a, () => module.call["x87ArithmeticF32"]!(CPU, op, single));
      agree("load m64", a, a, () => module.call["x87LoadF64"]!(CPU, double));
      agree("load m32", a, a, () => module.call["x87LoadF32"]!(CPU, single));
      agree("load integer", a, a, () => module.call["x87LoadInteger"]!(CPU, integer));
    }
  });

  it("comparisons", () => {
    const next = generator(13n);
    for (let i = 0; i < COUNT; i++) {
      const a = value(next, BIAS);
      const b = (i & 3) === 0 ? a : value(next, BIAS);
      agree("compare", a, b, () => module.call["x87Compare"]!(CPU, 1, i & 1, i % 3));
      agree("flags", a, b, () => module.call["x87CompareFlags"]!(CPU, 1, i & 1, i & 1));
    }
  });

  it("stores", () => {
    const next = generator(17n);
    for (let i = 0; i < COUNT; i++) {
      const a = value(next, BIAS);
      const done = (): void => void module.call["x87StoreDone"]!(CPU, 1);
      const wide = value(next, BIAS + (i & 1 ? 1000 : -1000));
      for (const operand of [a, wide]) {
        agree("m64", operand, a, () => module.call["x87StoreF64"]!(CPU) === 1 && done());
        agree("m32", operand, a, () => module.call["x87StoreF32"]!(CPU) === 1 && done());
      }
      for (const bits of [16, 32, 64]) {
        agree("integer", a, a, () => module.call["x87StoreInteger"]!(CPU, bits, i & 1) === 1 && done());
      }
    }
  });

  it("register moves and signs, with empty registers too", () => {
    const next = generator(19n);
    for (let i = 0; i < 200; i++) {
      const [a, b] = [value(next, BIAS), value(next, BIAS)];
      for (const other of [1, 2]) {
        agree("FXCH", a, b, () => module.call["x87Exchange"]!(CPU, other));
        agree("FST", a, b, () => module.call["x87StoreRegister"]!(CPU, other, i & 1));
        agree("FLD", a, b, () => module.call["x87LoadRegister"]!(CPU, other));
      }
      agree("FCHS", a, b, () => module.call["x87ChangeSign"]!(CPU));
      agree("FABS", a, b, () => module.call["x87Absolute"]!(CPU));
    }
  });
});
