// SPDX-License-Identifier: Apache-2.0
// Conversions and roundings that are not provably free of exceptions. Vectors: from slot 1 to slot 0.
import {
  f16ToF32, f32RoundToInt, f32ToF16, f32ToF64, f32ToI32, f32ToI64, f64RoundToInt, f64ToF32, f64ToI32, f64ToI64, i32ToF32, i64ToF32,
  i64ToF64,
} from "../float/conversions";
import { rounding } from "../float/environment";
import { begin, finish, slot0, slot1 } from "./result";

/** CVTDQ2PS, CVTPI2PS */
export function convertI32ToF32(cpu: usize, count: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<u32>(slot0(cpu) + at, i32ToF32(load<i32>(slot1(cpu) + at)));
  }
  finish(cpu);
}

/** CVTPS2PD, CVTSS2SD */
export function convertF32ToF64(cpu: usize, count: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++)
    store<u64>(slot0(cpu) + (<usize>i << 3), f32ToF64(load<u32>(slot1(cpu) + (<usize>i << 2))));
  finish(cpu);
}

/** CVTPD2PS, CVTSD2SS */
export function convertF64ToF32(cpu: usize, count: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++)
    store<u32>(slot0(cpu) + (<usize>i << 2), f64ToF32(load<u64>(slot1(cpu) + (<usize>i << 3))));
  finish(cpu);
}

/** CVTPS2DQ, CVTTPS2DQ (truncate), CVTPS2PI, CVTTPS2PI */
export function convertF32ToI32(cpu: usize, count: u32, truncate: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<i32>(slot0(cpu) + at, f32ToI32(load<u32>(slot1(cpu) + at), truncate != 0));
  }
  finish(cpu);
}

/** CVTPD2DQ, CVTTPD2DQ (truncate), CVTPD2PI, CVTTPD2PI */
export function convertF64ToI32(cpu: usize, count: u32, truncate: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++)
    store<i32>(slot0(cpu) + (<usize>i << 2), f64ToI32(load<u64>(slot1(cpu) + (<usize>i << 3)), truncate != 0));
  finish(cpu);
}

/** CVTSI2SS: the bits of the binary32. */
export function integerToF32(cpu: usize, value: i64): u32 {
  begin(cpu);
  const result = i64ToF32(value);
  finish(cpu);
  return result;
}

/** CVTSI2SD: the bits of the binary64. */
export function integerToF64(cpu: usize, value: i64): u64 {
  begin(cpu);
  const result = i64ToF64(value);
  finish(cpu);
  return result;
}

/** CVTSS2SI, CVTTSS2SI (truncate) to 32 or 64 bits. */
export function f32ToInteger(cpu: usize, a: u32, bits: u32, truncate: u32): i64 {
  begin(cpu);
  const result = bits == 64 ? f32ToI64(a, truncate != 0) : <i64>f32ToI32(a, truncate != 0);
  finish(cpu);
  return result;
}

/** CVTSD2SI, CVTTSD2SI (truncate) to 32 or 64 bits. */
export function f64ToInteger(cpu: usize, a: u64, bits: u32, truncate: u32): i64 {
  begin(cpu);
  const result = bits == 64 ? f64ToI64(a, truncate != 0) : <i64>f64ToI32(a, truncate != 0);
  finish(cpu);
  return result;
}

const MODE_FROM_MXCSR: u32 = 4;
const SUPPRESS_INEXACT: u32 = 8;

function modeOf(imm: u32): u32 {
  return (imm & MODE_FROM_MXCSR) != 0 ? rounding : imm & 3;
}

/** VCVTPH2PS on the first `count` elements. */
export function convertF16ToF32(cpu: usize, count: u32): void {
  begin(cpu);
  for (let i: u32 = 0; i < count; i++)
    store<u32>(slot0(cpu) + (<usize>i << 2), f16ToF32(load<u16>(slot1(cpu) + (<usize>i << 1))));
  finish(cpu);
}

/** VCVTPS2PH on the first `count` elements; the rest of 16 bytes becomes zero. */
export function convertF32ToF16(cpu: usize, imm: u32, count: u32): void {
  begin(cpu);
  const mode = modeOf(imm);
  store<u64>(slot0(cpu), 0, 8);
  for (let i: u32 = 0; i < count; i++)
    store<u16>(slot0(cpu) + (<usize>i << 1), <u16>f32ToF16(load<u32>(slot1(cpu) + (<usize>i << 2)), mode));
  finish(cpu);
}

/** ROUNDPS, ROUNDSS on the first `count` elements. */
export function roundF32(cpu: usize, imm: u32, count: u32): void {
  begin(cpu);
  const mode = modeOf(imm);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<u32>(slot0(cpu) + at, f32RoundToInt(load<u32>(slot1(cpu) + at), mode, (imm & SUPPRESS_INEXACT) != 0));
  }
  finish(cpu);
}

/** ROUNDPD, ROUNDSD on the first `count` elements. */
export function roundF64(cpu: usize, imm: u32, count: u32): void {
  begin(cpu);
  const mode = modeOf(imm);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 3;
    store<u64>(slot0(cpu) + at, f64RoundToInt(load<u64>(slot1(cpu) + at), mode, (imm & SUPPRESS_INEXACT) != 0));
  }
  finish(cpu);
}
