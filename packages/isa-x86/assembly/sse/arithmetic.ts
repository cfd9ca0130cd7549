// SPDX-License-Identifier: Apache-2.0
// SSE arithmetic that is not provably free of exceptions. Operations go by the low four bits of their opcode 0F 5x.
import { f32Add, f32Div, f32Max, f32Min, f32Mul, f32Sqrt, f32Sub } from "../float/float32";
import { f64Add, f64Div, f64Max, f64Min, f64Mul, f64Sqrt, f64Sub } from "../float/float64";
import { begin, finish, slot0, slot1 } from "./result";

const ADDSUB: u32 = 0;
const SQRT: u32 = 0x1;
const ADD: u32 = 0x8;
const MUL: u32 = 0x9;
const SUB: u32 = 0xc;
const MIN: u32 = 0xd;
const DIV: u32 = 0xe;

function operateF32(operation: u32, odd: bool, a: u32, b: u32): u32 {
  switch (operation) {
    case ADDSUB:
      return odd ? f32Add(a, b) : f32Sub(a, b);
    case SQRT:
      return f32Sqrt(b);
    case ADD:
      return f32Add(a, b);
    case MUL:
      return f32Mul(a, b);
    case SUB:
      return f32Sub(a, b);
    case MIN:
      return f32Min(a, b);
    case DIV:
      return f32Div(a, b);
    default:
      return f32Max(a, b);
  }
}

function operateF64(operation: u32, odd: bool, a: u64, b: u64): u64 {
  switch (operation) {
    case ADDSUB:
      return odd ? f64Add(a, b) : f64Sub(a, b);
    case SQRT:
      return f64Sqrt(b);
    case ADD:
      return f64Add(a, b);
    case MUL:
      return f64Mul(a, b);
    case SUB:
      return f64Sub(a, b);
    case MIN:
      return f64Min(a, b);
    case DIV:
      return f64Div(a, b);
    default:
      return f64Max(a, b);
  }
}

/** The first `count` binary32 elements; the others of slot 0 stay. */
export function arithmeticF32(cpu: usize, operation: u32, count: u32): void {
  begin(cpu);
  const a = slot0(cpu);
  const b = slot1(cpu);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    store<u32>(a + at, operateF32(operation, (i & 1) != 0, load<u32>(a + at), load<u32>(b + at)));
  }
  finish(cpu);
}

/** The first `count` binary64 elements. */
export function arithmeticF64(cpu: usize, operation: u32, count: u32): void {
  begin(cpu);
  const a = slot0(cpu);
  const b = slot1(cpu);
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 3;
    store<u64>(a + at, operateF64(operation, (i & 1) != 0, load<u64>(a + at), load<u64>(b + at)));
  }
  finish(cpu);
}

/** Product of element `i` of the 16 bytes at `at`, or 0 where imm[4 + i] is clear. */
function productF32(cpu: usize, imm: u32, at: usize, i: u32): void {
  const from = at + (<usize>i << 2);
  const a = slot0(cpu) + from;
  store<u32>(a, ((imm >> (4 + i)) & 1) != 0 ? f32Mul(load<u32>(a), load<u32>(slot1(cpu) + from)) : 0);
}

function putF32(cpu: usize, at: usize, e0: u32, e1: u32, e2: u32, e3: u32): void {
  store<u32>(slot0(cpu) + at, e0);
  store<u32>(slot0(cpu) + at, e1, 4);
  store<u32>(slot0(cpu) + at, e2, 8);
  store<u32>(slot0(cpu) + at, e3, 12);
}

/**
 * DPPS on `pieces` times 16 bytes: products, sums of neighbours, sums of these. Each step reports its exceptions before
 * the next one begins. The order of the operands, which decides whose NaN an element shows, is the one of Intel
 * processors.
 */
export function dotProductF32(cpu: usize, imm: u32, pieces: u32): void {
  const bytes = <usize>pieces << 4;
  begin(cpu);
  for (let at: usize = 0; at < bytes; at += 16) for (let i: u32 = 0; i < 4; i++) productF32(cpu, imm, at, i);
  if (!finish(cpu)) return;
  begin(cpu);
  for (let at: usize = 0; at < bytes; at += 16) {
    const p = slot0(cpu) + at;
    const p0 = load<u32>(p);
    const p1 = load<u32>(p, 4);
    const p2 = load<u32>(p, 8);
    const p3 = load<u32>(p, 12);
    putF32(cpu, at, f32Add(p1, p0), f32Add(p0, p1), f32Add(p3, p2), f32Add(p2, p3));
  }
  if (!finish(cpu)) return;
  begin(cpu);
  for (let at: usize = 0; at < bytes; at += 16) {
    const s = slot0(cpu) + at;
    const s0 = load<u32>(s);
    const s1 = load<u32>(s, 4);
    const s2 = load<u32>(s, 8);
    const s3 = load<u32>(s, 12);
    putF32(cpu, at, f32Add(s0, s2), f32Add(s1, s3), f32Add(s2, s0), f32Add(s3, s1));
    for (let i: u32 = 0; i < 4; i++) if (((imm >> i) & 1) == 0) store<u32>(s + (<usize>i << 2), 0);
  }
  finish(cpu);
}

/** DPPD, which has no form of 256 bits. */
export function dotProductF64(cpu: usize, imm: u32, pieces: u32): void {
  begin(cpu);
  const p0 = (imm & 0x10) != 0 ? f64Mul(load<u64>(slot0(cpu)), load<u64>(slot1(cpu))) : 0;
  const p1 = (imm & 0x20) != 0 ? f64Mul(load<u64>(slot0(cpu), 8), load<u64>(slot1(cpu), 8)) : 0;
  if (!finish(cpu)) return;
  begin(cpu);
  const s0 = f64Add(p0, p1);
  const s1 = f64Add(p1, p0);
  store<u64>(slot0(cpu), (imm & 1) != 0 ? s0 : 0);
  store<u64>(slot0(cpu), (imm & 2) != 0 ? s1 : 0, 8);
  finish(cpu);
}
