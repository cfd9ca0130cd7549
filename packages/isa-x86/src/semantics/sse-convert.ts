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
import { bytes, checkPendingX87, enterMmx, joinLow } from "./sse-operands.js";
import type { Operand } from "../table/operand.js";
import type { Semantics } from "./semantics.js";
import {
  anyTrue,
  chooseHalves,
  type Halves,
  isWide,
  loadScratch,
  readHalves,
  readLow,
  rolesOf,
  storeScratch,
  writeHalves,
  writeLow,
} from "./vector-operand.js";
import type { X86Emitter } from "./x86-emitter.js";

/** binary64 encodings of the least normal and the greatest binary32. */
const LEAST_SINGLE = 0x3810_0000_0000_0000n;
const GREATEST_SINGLE = 0x47ef_ffff_e000_0000n;

/** Calls a helper on `source`; elements of the `count` pieces of result that it does not write are 0. */
function byHelper(e: X86Emitter, name: string, source: Halves, count: number, ...args: Value[]): Halves {
  storeScratch(e, 0, zeros(e, count));
  storeScratch(e, 1, source);
  e.callFaulting(name, [e.cpu, ...args]);
  return loadScratch(e, 0, count);
}

function zeros(e: X86Emitter, count: number): Halves {
  return Array.from({ length: count }, () => e.v128(bytes(0)));
}

/** 32-bit integers to binary32; `count` elements may be inexact. */
function integersToSingles(e: X86Emitter, source: Halves, count: number): Halves {
  return chooseHalves(
    e,
    plainArithmetic(e),
    source.length,
    () => source.map((half) => e.op("f32x4.convert_i32x4_s", half)),
    () => byHelper(e, "convertI32ToF32", source, source.length, e.i32(count)),
  );
}

/** CVTDQ2PS */
export const packedIntegersToSingles: Semantics = (e, [dst, src]) => {
  const source = readHalves(e, src!);
  writeHalves(e, dst!, integersToSingles(e, source, source.length * 4));
};

/** Pieces of a result whose elements are twice as wide: the lower and, with VEX.L, the upper elements of `source`. */
function widened(e: X86Emitter, dst: Operand, source: Value, lower: (half: Value) => Value): Halves {
  if (!isWide(dst)) return [lower(source)];
  return [lower(source), lower(e.shuffle(source, source, UPPER_FIRST))];
}

const UPPER_FIRST = [8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7];

/** The low halves of pieces in one vector, zeros above: a result whose elements are half as wide. */
function narrowed(e: X86Emitter, halves: Halves): Value {
  const [low, high] = halves;
  return high === undefined ? low! : joinLow(e, low!, high);
}

/** CVTDQ2PD: exact. */
export const packedIntegersToDoubles: Semantics = (e, [dst, src]) =>
  writeHalves(
    e,
    dst!,
    widened(e, dst!, readLow(e, src!), (half) => e.op("f64x2.convert_low_i32x4_s", half)),
  );

/** CVTPS2PD: exact but for NaNs and denormals. */
export const packedSinglesToDoubles: Semantics = (e, [dst, src]) => {
  const source = readLow(e, src!);
  const count = isWide(dst!) ? 2 : 1;
  const t = new VectorTests(e, 32);
  const magnitude = t.magnitude(count === 2 ? source : joinLow(e, source, source));
  const result = chooseHalves(
    e,
    t.any(t.or(t.denormal(magnitude), t.nan(magnitude))),
    count,
    () => byHelper(e, "convertF32ToF64", [source], count, e.i32(2 * count)),
    () => widened(e, dst!, source, (half) => e.op("f64x2.promote_low_f32x4", half)),
  );
  writeHalves(e, dst!, result);
};

/** CVTPD2PS: zeros above. */
export const packedDoublesToSingles: Semantics = (e, [dst, src]) => {
  const source = readHalves(e, src!);
  const t = new VectorTests(e, 64);
  const failed = anyTrue(
    e,
    source.map((half) => outsideSingle(t, t.magnitude(half))),
  );
  const result = e.choose(
    e.and(e.eqz(failed), plainArithmetic(e)),
    "v128",
    () =>
      narrowed(
        e,
        source.map((half) => e.op("f32x4.demote_f64x2_zero", half)),
      ),
    () => byHelper(e, "convertF64ToF32", source, 1, e.i32(source.length * 2))[0]!,
  );
  writeLow(e, dst!, result);
};

/** Whether a binary64 may overflow or underflow as a binary32, or is a NaN. */
function outsideSingle(t: VectorTests | ScalarTests, magnitude: Value): Value {
  return t.or(t.above(magnitude, GREATEST_SINGLE), t.andNot(t.below(magnitude, LEAST_SINGLE), t.zero(magnitude)));
}

/** The first `count` elements to 32-bit integers, zeros above. */
function toIntegers(e: X86Emitter, size: FloatSize, truncate: boolean, source: Halves, count: number): Halves {
  const t = new VectorTests(e, size);
  const pieces = size === 32 ? source.length : 1;
  const tested = count * size === 64 ? source.map((half) => joinLow(e, half, half)) : source;
  const failed = anyTrue(
    e,
    tested.map((half) => exceeds(t, size, 32, t.magnitude(half))),
  );
  const convert = (half: Value): Value => {
    const rounded = truncate ? half : e.op(size === 32 ? "f32x4.nearest" : "f64x2.nearest", half);
    return e.op(size === 32 ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f64x2_s_zero", rounded);
  };
  return chooseHalves(
    e,
    e.and(e.eqz(failed), truncate ? plainTruncation(e) : plainRounding(e)),
    pieces,
    () => (size === 32 ? source.map(convert) : [narrowed(e, source.map(convert))]),
    () => byHelper(e, `convertF${size}ToI32`, source, pieces, e.i32(count), e.i32(truncate ? 1 : 0)),
  );
}

/** CVTPS2DQ, CVTPD2DQ and their truncating forms. */
export function packedToIntegers(size: FloatSize, truncate: boolean): Semantics {
  return (e, [dst, src]) => {
    const source = readHalves(e, src!);
    writeHalves(e, dst!, toIntegers(e, size, truncate, source, (source.length * 128) / size));
  };
}

/** CVTPS2PI, CVTPD2PI and their truncating forms. */
export function toIntegersMmx(size: FloatSize, truncate: boolean): Semantics {
  return (e, [dst, src]) => {
    checkPendingX87(e);
    const source = e.readVector(src!);
    // Before the conversion: #XM leaves the x87 state switched.
    enterMmx(e);
    e.writeMmx(dst!, toIntegers(e, size, truncate, [source], 2)[0]!);
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
  const result = integersToSingles(e, [readMmxOrMemory(e, src!)], 2)[0]!;
  const lanes = [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31];
  e.writeVector(dst!, e.shuffle(result, e.readVector(dst!), lanes));
};

/** CVTPI2PD */
export const integersToDoublesMmx: Semantics = (e, [dst, src]) =>
  e.writeVector(dst!, e.op("f64x2.convert_low_i32x4_s", readMmxOrMemory(e, src!)));

function isQuad(operand: Operand): boolean {
  return (operand.kind === "gpr" || operand.kind === "mem") && operand.size === 64;
}

/** CVTSI2SS, CVTSI2SD from a 32- or 64-bit integer; the other elements stay. */
export function integerToScalar(size: FloatSize): Semantics {
  return (e, operands) => {
    const { dst, a, b } = rolesOf(operands);
    const value = e.read(b);
    const type = isQuad(b) ? "i64" : "i32";
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
    writeLow(e, dst, e.lane(size === 32 ? "i32x4.replace_lane" : "i64x2.replace_lane", 0, readLow(e, a), bits));
  };
}

/** CVTSS2SI, CVTSD2SI and their truncating forms. */
export function scalarToInteger(size: FloatSize, truncate: boolean): Semantics {
  return (e, [dst, src]) => {
    const source = readLow(e, src!);
    const type = isQuad(dst!) ? "i64" : "i32";
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
export const singleToDouble: Semantics = (e, operands) => {
  const { dst, a, b } = rolesOf(operands);
  const source = readLow(e, b);
  const t = new ScalarTests(e, 32);
  const magnitude = t.magnitude(bitsOf(e, 32, source));
  const bits = e.choose(
    t.or(t.denormal(magnitude), t.nan(magnitude)),
    "i64",
    () => bitsOf(e, 64, byHelper(e, "convertF32ToF64", [source], 1, e.i32(1))[0]!),
    () => e.op("i64.reinterpret_f64", e.op("f64.promote_f32", e.lane("f32x4.extract_lane", 0, source))),
  );
  writeLow(e, dst, e.lane("i64x2.replace_lane", 0, readLow(e, a), bits));
};

/** CVTSD2SS: elements 1-3 stay. */
export const doubleToSingle: Semantics = (e, operands) => {
  const { dst, a, b } = rolesOf(operands);
  const source = readLow(e, b);
  const t = new ScalarTests(e, 64);
  const failed = outsideSingle(t, t.magnitude(bitsOf(e, 64, source)));
  const bits = e.choose(
    e.and(e.eqz(failed), plainArithmetic(e)),
    "i32",
    () => e.op("i32.reinterpret_f32", e.op("f32.demote_f64", e.lane("f64x2.extract_lane", 0, source))),
    () => bitsOf(e, 32, byHelper(e, "convertF64ToF32", [source], 1, e.i32(1))[0]!),
  );
  writeLow(e, dst, e.lane("i32x4.replace_lane", 0, readLow(e, a), bits));
};
