// SPDX-License-Identifier: Apache-2.0
// Conversions between floating-point formats and integers.
import type { Value } from "@isola/engine";
import { bitsOf } from "./sse-arithmetic.js";
import {
  exceeds,
  type FloatSize,
  plainArithmetic,
  plainRounding,
  plainTruncation,
  ScalarTests,
  VectorTests,
} from "./sse-exceptions.js";
import {
  bytes,
  checkPendingX87,
  enterMmx,
  joinLow,
  loadScratch,
  storeScratch,
  type UnaryLanes,
  writeMmx,
} from "./sse-operands.js";
import type { Operand } from "../table/operand.js";
import type { Semantics } from "./semantics.js";
import type { X86Emitter } from "./x86-emitter.js";

/** binary64 encodings of the least normal and the greatest binary32. */
const LEAST_SINGLE = 0x3810_0000_0000_0000n;
const GREATEST_SINGLE = 0x47ef_ffff_e000_0000n;

/** Calls a helper on `source`; elements of the result that it does not write are 0. */
function byHelper(e: X86Emitter, name: string, source: Value, ...args: Value[]): Value {
  storeScratch(e, 0, e.v128(bytes(0)));
  storeScratch(e, 1, source);
  e.callFaulting(name, [e.cpu, ...args]);
  return loadScratch(e, 0);
}

/** The first `count` 32-bit integers to binary32. */
function integersToSingles(e: X86Emitter, source: Value, count: 2 | 4): Value {
  return e.choose(
    plainArithmetic(e),
    "v128",
    () => e.op("f32x4.convert_i32x4_s", source),
    () => byHelper(e, "convertI32ToF32", source, e.i32(count)),
  );
}

/** CVTDQ2PS */
export const integersToSinglesLanes: UnaryLanes = (e, a) => integersToSingles(e, a, 4);

/** CVTDQ2PD: exact. */
export const integersToDoublesLanes: UnaryLanes = (e, a) => e.op("f64x2.convert_low_i32x4_s", a);

/** CVTPS2PD: the two low elements; exact but for NaNs and denormals. */
export const singlesToDoublesLanes: UnaryLanes = (e, a) => {
  const t = new VectorTests(e, 32);
  const magnitude = t.magnitude(joinLow(e, a, a));
  return e.choose(
    t.any(t.or(t.denormal(magnitude), t.nan(magnitude))),
    "v128",
    () => byHelper(e, "convertF32ToF64", a, e.i32(2)),
    () => e.op("f64x2.promote_low_f32x4", a),
  );
};

/** CVTPD2PS: zeros above. */
export const doublesToSinglesLanes: UnaryLanes = (e, a) => {
  const t = new VectorTests(e, 64);
  const failed = t.any(outsideSingle(t, t.magnitude(a)));
  return e.choose(
    e.and(e.eqz(failed), plainArithmetic(e)),
    "v128",
    () => e.op("f32x4.demote_f64x2_zero", a),
    () => byHelper(e, "convertF64ToF32", a, e.i32(2)),
  );
};

/** Whether a binary64 may overflow or underflow as a binary32, or is a NaN. */
function outsideSingle(t: VectorTests | ScalarTests, magnitude: Value): Value {
  return t.or(t.above(magnitude, GREATEST_SINGLE), t.andNot(t.below(magnitude, LEAST_SINGLE), t.zero(magnitude)));
}

/** The first `count` elements to 32-bit integers, zeros above. */
function toIntegers(e: X86Emitter, size: FloatSize, truncate: boolean, source: Value, count: number): Value {
  const t = new VectorTests(e, size);
  const tested = count * size === 64 ? joinLow(e, source, source) : source;
  const failed = t.any(exceeds(t, size, 32, t.magnitude(tested)));
  return e.choose(
    e.and(e.eqz(failed), truncate ? plainTruncation(e) : plainRounding(e)),
    "v128",
    () => {
      const shape = size === 32 ? "f32x4" : "f64x2";
      const rounded = truncate ? source : e.op(`${shape}.nearest`, source);
      return e.op(size === 32 ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f64x2_s_zero", rounded);
    },
    () => byHelper(e, `convertF${size}ToI32`, source, e.i32(count), e.i32(truncate ? 1 : 0)),
  );
}

/** CVTPS2DQ, CVTPD2DQ and their truncating forms. */
export function toIntegersLanes(size: FloatSize, truncate: boolean): UnaryLanes {
  return (e, a) => toIntegers(e, size, truncate, a, 128 / size);
}

/** CVTPS2PI, CVTPD2PI and their truncating forms. */
export function toIntegersMmx(size: FloatSize, truncate: boolean): Semantics {
  return (e, [dst, src]) => {
    checkPendingX87(e);
    const source = e.readVector(src!);
    // Before the conversion: #XM leaves the x87 state switched.
    enterMmx(e);
    writeMmx(e, dst!, toIntegers(e, size, truncate, source, 2));
  };
}

/** Reads an MMX register, or memory: then the instruction has nothing to do with MMX (SDM 2, CVTPI2PD). */
function readMmxOrMemory(e: X86Emitter, src: Operand): Value {
  if (src.kind !== "mmx") return e.readVector(src);
  checkPendingX87(e);
  enterMmx(e);
  return e.readVector(src);
}

/** CVTPI2PS: the upper half of the destination stays. */
export const integersToSinglesMmx: Semantics = (e, [dst, src]) => {
  const result = integersToSingles(e, readMmxOrMemory(e, src!), 2);
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31];
  e.writeVector(dst!, e.shuffle(result, e.readVector(dst!), lanes));
};

/** CVTPI2PD */
export const integersToDoublesMmx: Semantics = (e, [dst, src]) =>
  e.writeVector(dst!, e.op("f64x2.convert_low_i32x4_s", readMmxOrMemory(e, src!)));

function isWide(operand: Operand): boolean {
  return (operand.kind === "gpr" || operand.kind === "mem") && operand.size === 64;
}

/** CVTSI2SS, CVTSI2SD from a 32- or 64-bit integer; the other elements stay. */
export function integerToScalar(size: FloatSize): Semantics {
  return (e, [dst, src]) => {
    const value = e.read(src!);
    const type = isWide(src!) ? "i64" : "i32";
    let bits: Value;
    if (size === 64 && type === "i32") bits = e.op("i64.reinterpret_f64", e.op("f64.convert_i32_s", value));
    else
      bits = e.choose(
        plainArithmetic(e),
        size === 32 ? "i32" : "i64",
        () =>
          size === 32
            ? e.op("i32.reinterpret_f32", e.op(`f32.convert_${type}_s`, value))
            : e.op("i64.reinterpret_f64", e.op("f64.convert_i64_s", value)),
        () => e.callFaultingValue(`integerToF${size}`, [e.cpu, e.extendS(value)], size === 32 ? "i32" : "i64"),
      );
    e.writeVector(dst!, e.lane(size === 32 ? "i32x4.replace_lane" : "i64x2.replace_lane", 0, e.readVector(dst!), bits));
  };
}

/** CVTSS2SI, CVTSD2SI and their truncating forms. */
export function scalarToInteger(size: FloatSize, truncate: boolean): Semantics {
  return (e, [dst, src]) => {
    const source = e.readVector(src!);
    const type = isWide(dst!) ? "i64" : "i32";
    const bits = bitsOf(e, size, source);
    const t = new ScalarTests(e, size);
    const failed = exceeds(t, size, type === "i64" ? 64 : 32, t.magnitude(bits));
    const result = e.choose(
      e.and(e.eqz(failed), truncate ? plainTruncation(e) : plainRounding(e)),
      type,
      () => {
        const float = size === 32 ? "f32" : "f64";
        const value = e.lane(size === 32 ? "f32x4.extract_lane" : "f64x2.extract_lane", 0, source);
        return e.op(`${type}.trunc_sat_${float}_s`, truncate ? value : e.op(`${float}.nearest`, value));
      },
      () => {
        const args = [e.cpu, bits, e.i32(type === "i64" ? 64 : 32), e.i32(truncate ? 1 : 0)];
        const value = e.callFaultingValue(`f${size}ToInteger`, args, "i64");
        return type === "i64" ? value : e.wrap(value);
      },
    );
    e.write(dst!, result);
  };
}

/** CVTSS2SD: the upper half stays. */
export const singleToDouble: Semantics = (e, [dst, src]) => {
  const source = e.readVector(src!);
  const t = new ScalarTests(e, 32);
  const magnitude = t.magnitude(bitsOf(e, 32, source));
  const bits = e.choose(
    t.or(t.denormal(magnitude), t.nan(magnitude)),
    "i64",
    () => bitsOf(e, 64, byHelper(e, "convertF32ToF64", source, e.i32(1))),
    () => e.op("i64.reinterpret_f64", e.op("f64.promote_f32", e.lane("f32x4.extract_lane", 0, source))),
  );
  e.writeVector(dst!, e.lane("i64x2.replace_lane", 0, e.readVector(dst!), bits));
};

/** CVTSD2SS: elements 1-3 stay. */
export const doubleToSingle: Semantics = (e, [dst, src]) => {
  const source = e.readVector(src!);
  const t = new ScalarTests(e, 64);
  const failed = outsideSingle(t, t.magnitude(bitsOf(e, 64, source)));
  const bits = e.choose(
    e.and(e.eqz(failed), plainArithmetic(e)),
    "i32",
    () => e.op("i32.reinterpret_f32", e.op("f32.demote_f64", e.lane("f64x2.extract_lane", 0, source))),
    () => bitsOf(e, 32, byHelper(e, "convertF64ToF32", source, e.i32(1))),
  );
  e.writeVector(dst!, e.lane("i32x4.replace_lane", 0, e.readVector(dst!), bits));
};
