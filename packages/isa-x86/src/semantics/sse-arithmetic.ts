// SPDX-License-Identifier: Apache-2.0
// Floating-point arithmetic: an inline path for the common case, and helpers that are exact in value and exceptions.
import type { Value } from "@isola/engine";
import { type ElementTests, type FloatSize, plainArithmetic, ScalarTests, VectorTests } from "./sse-exceptions.js";
import { dwords, quads } from "./sse-operands.js";
import type { Semantics } from "./semantics.js";
import {
  anyTrue,
  chooseHalves,
  type Halves,
  loadScratch,
  readHalves,
  readLow,
  rolesOf,
  storeScratch,
  writeHalves,
  writeLow,
} from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

type Shape = "f32x4" | "f64x2";
type Scalar = "f32" | "f64";

/** An operation on floating-point elements. */
export interface FloatOperation {
  /** What the helper calls it: the low four bits of its opcode 0F 5x; 0 is ADDSUB. */
  readonly code: number;
  /** Whole vectors, without exceptions. */
  vector(e: X86Emitter, shape: Shape, a: Value, b: Value): Value;
  /** One f32 or f64. */
  scalar(e: X86Emitter, type: Scalar, a: Value, b: Value): Value;
  /** Elements for which the WebAssembly instruction might not do; all arguments are magnitudes. */
  fails(t: ElementTests, a: Value, b: Value, result: Value): Value;
  /** The result is never inexact, so MXCSR does not matter. */
  readonly exact?: true;
}

/** Sums of normal numbers are exact where they are tiny, so only overflow matters. */
function sumFails(t: ElementTests, a: Value, b: Value, result: Value): Value {
  return t.or(t.or(t.denormal(a), t.denormal(b)), t.notFinite(result));
}

function minimumFails(t: ElementTests, a: Value, b: Value): Value {
  return t.or(t.or(t.denormal(a), t.denormal(b)), t.or(t.nan(a), t.nan(b)));
}

export const add: FloatOperation = {
  code: 0x8,
  vector: (e, shape, a, b) => e.op(`${shape}.add`, a, b),
  scalar: (e, type, a, b) => e.op(`${type}.add`, a, b),
  fails: sumFails,
};

export const sub: FloatOperation = {
  code: 0xc,
  vector: (e, shape, a, b) => e.op(`${shape}.sub`, a, b),
  scalar: (e, type, a, b) => e.op(`${type}.sub`, a, b),
  fails: sumFails,
};

export const mul: FloatOperation = {
  code: 0x9,
  vector: (e, shape, a, b) => e.op(`${shape}.mul`, a, b),
  scalar: (e, type, a, b) => e.op(`${type}.mul`, a, b),
  fails: (t, a, b, result) => t.or(sumFails(t, a, b, result), t.andNot(t.tiny(result), t.or(t.zero(a), t.zero(b)))),
};

export const div: FloatOperation = {
  code: 0xe,
  vector: (e, shape, a, b) => e.op(`${shape}.div`, a, b),
  scalar: (e, type, a, b) => e.op(`${type}.div`, a, b),
  fails: (t, a, b, result) => t.or(sumFails(t, a, b, result), t.andNot(t.tiny(result), t.zero(a))),
};

/** Of the second source. */
export const sqrt: FloatOperation = {
  code: 0x1,
  vector: (e, shape, _a, b) => e.op(`${shape}.sqrt`, b),
  scalar: (e, type, _a, b) => e.op(`${type}.sqrt`, b),
  fails: (t, _a, b, result) => t.or(t.denormal(b), t.notFinite(result)),
};

/** The first source if it is less, else the second. */
export const min: FloatOperation = {
  code: 0xd,
  vector: (e, shape, a, b) => e.op(`${shape}.pmin`, b, a),
  scalar: (e, type, a, b) => e.select(e.op(`${type}.lt`, a, b), a, b),
  fails: minimumFails,
  exact: true,
};

/** The first source if it is greater, else the second. */
export const max: FloatOperation = {
  code: 0xf,
  vector: (e, shape, a, b) => e.op(`${shape}.pmax`, b, a),
  scalar: (e, type, a, b) => e.select(e.op(`${type}.gt`, a, b), a, b),
  fails: minimumFails,
  exact: true,
};

/** Subtracts in even elements, adds in odd ones. */
export const addsub: FloatOperation = {
  code: 0,
  vector: (e, shape, a, b) => {
    const signs = shape === "f32x4" ? dwords(0x8000_0000, 0) : quads(1n << 63n, 0n);
    return e.op(`${shape}.add`, a, e.op("v128.xor", b, e.v128(signs)));
  },
  scalar: (e, type, a, b) => e.op(`${type}.sub`, a, b),
  fails: sumFails,
};

/** The operation on all elements of two vectors. May leave the handler with #XM. */
export function vectorArithmetic(
  e: X86Emitter,
  operation: FloatOperation,
  size: FloatSize,
  a: Halves,
  b: Halves,
): Halves {
  const tests = new VectorTests(e, size);
  const results = b.map((right, i) => operation.vector(e, size === 32 ? "f32x4" : "f64x2", a[i]!, right));
  const failed = anyTrue(
    e,
    b.map((right, i) =>
      operation.fails(tests, tests.magnitude(a[i]!), tests.magnitude(right), tests.magnitude(results[i]!)),
    ),
  );
  return chooseHalves(
    e,
    inlineAllowed(e, operation, failed),
    b.length,
    () => results,
    () => callHelper(e, operation, size, a, b, (b.length * 128) / size),
  );
}

/** The operation on element 0; the others come from `a`. May leave the handler with #XM. */
export function scalarArithmetic(e: X86Emitter, operation: FloatOperation, size: FloatSize, a: Value, b: Value): Value {
  const tests = new ScalarTests(e, size);
  const type = size === 32 ? "f32" : "f64";
  const shape = size === 32 ? "f32x4" : "f64x2";
  const result = operation.scalar(
    e,
    type,
    e.lane(`${shape}.extract_lane`, 0, a),
    e.lane(`${shape}.extract_lane`, 0, b),
  );
  const failed = tests.any(
    operation.fails(
      tests,
      tests.magnitude(bitsOf(e, size, a)),
      tests.magnitude(bitsOf(e, size, b)),
      tests.magnitude(size === 32 ? e.op("i32.reinterpret_f32", result) : e.op("i64.reinterpret_f64", result)),
    ),
  );
  return e.choose(
    inlineAllowed(e, operation, failed),
    "v128",
    () => e.lane(`${shape}.replace_lane`, 0, a, result),
    () => callHelper(e, operation, size, [a], [b], 1)[0]!,
  );
}

function inlineAllowed(e: X86Emitter, operation: FloatOperation, failed: Value): Value {
  const passed = e.eqz(failed);
  return operation.exact === true ? passed : e.and(passed, plainArithmetic(e));
}

function callHelper(
  e: X86Emitter,
  operation: FloatOperation,
  size: FloatSize,
  a: Halves,
  b: Halves,
  count: number,
): Halves {
  storeScratch(e, 0, a);
  storeScratch(e, 1, b);
  e.callFaulting(`arithmeticF${size}`, [e.cpu, e.i32(operation.code), e.i32(count)]);
  return loadScratch(e, 0, b.length);
}

/** Bits of element 0: i32 or i64. */
export function bitsOf(e: X86Emitter, size: FloatSize, vector: Value): Value {
  return size === 32 ? e.lane("i32x4.extract_lane", 0, vector) : e.lane("i64x2.extract_lane", 0, vector);
}

/** ADDPS and the like. */
export function packedFloat(operation: FloatOperation, size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const right = readHalves(e, b);
    writeHalves(e, dst, vectorArithmetic(e, operation, size, readHalves(e, a), right));
  };
}

/** SQRTPS and SQRTPD. */
export function packedSquareRoot(size: FloatSize): Semantics {
  return (e, [dst, src]) => {
    const source = readHalves(e, src!);
    writeHalves(e, dst!, vectorArithmetic(e, sqrt, size, source, source));
  };
}

/** ADDSS and the like. */
export function scalarFloat(operation: FloatOperation, size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const right = readLow(e, b);
    writeLow(e, dst, scalarArithmetic(e, operation, size, readLow(e, a), right));
  };
}

/** HADDPS and the like: neighbours of the first source give the lower half of the result, in each 128 bits. */
export function horizontalFloat(operation: FloatOperation, size: FloatSize): Semantics {
  const even = size === 32 ? [0, 1, 2, 3, 8, 9, 10, 11] : [0, 1, 2, 3, 4, 5, 6, 7];
  const lanes = (offset: number): number[] => [...even, ...even.map((byte) => byte + 16)].map((byte) => byte + offset);
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const right = readHalves(e, b);
    const left = readHalves(e, a);
    const neighbours = (offset: number): Halves => left.map((half, i) => e.shuffle(half, right[i]!, lanes(offset)));
    writeHalves(e, dst, vectorArithmetic(e, operation, size, neighbours(0), neighbours(size / 8)));
  };
}

/** DPPS, DPPD: always by helper; exceptions of the products come before those of the sums. */
export function dotProduct(size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b, rest } = rolesOf(operands);
    const right = readHalves(e, b);
    storeScratch(e, 0, readHalves(e, a));
    storeScratch(e, 1, right);
    e.callFaulting(`dotProductF${size}`, [e.cpu, e.read(rest!), e.i32(right.length)]);
    writeHalves(e, dst, loadScratch(e, 0, right.length));
  };
}

/** RCPPS and RSQRTPS, which raise no exceptions. */
export function packedEstimate(name: EstimateHelper): Semantics {
  return (e, [dst, src]) => {
    const source = readHalves(e, src!);
    storeScratch(e, 1, source);
    e.callVoid(name, [e.cpu, e.i32(source.length * 4)]);
    writeHalves(e, dst!, loadScratch(e, 0, source.length));
  };
}

/** RCPSS and RSQRTSS. */
export function scalarEstimate(name: EstimateHelper): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const right = readLow(e, b);
    storeScratch(e, 0, [readLow(e, a)]);
    storeScratch(e, 1, [right]);
    e.callVoid(name, [e.cpu, e.i32(1)]);
    writeHalves(e, dst, loadScratch(e, 0));
  };
}

type EstimateHelper = "reciprocalF32" | "reciprocalSqrtF32";
