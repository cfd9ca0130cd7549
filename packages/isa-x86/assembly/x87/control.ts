// SPDX-License-Identifier: Apache-2.0
// Control and status words, environment and state images (SDM vol. 1, 8.1.10; vol. 2, FSTENV, FSAVE).
import {
  CPU_FCW, CPU_FPR, CPU_FP_CS, CPU_FP_DP, CPU_FP_DS, CPU_FP_IP, CPU_FP_OPCODE, CPU_FP_TAG, CPU_FP_TOP, CPU_FSW,
  CPU_SCRATCH,
} from "../generated/layout";
import { f80Class } from "../float/float80-arithmetic";
import { pending } from "./stack";

/** Layout bit: 32-bit operand size. */
const WIDE: u32 = 1;
/** Layout bit: real-address or virtual-8086 mode format. */
const REAL: u32 = 2;

/** FNINIT */
export function x87Init(cpu: usize): void {
  store<u16>(cpu + CPU_FCW, 0x37f);
  store<u16>(cpu + CPU_FSW, 0);
  store<u32>(cpu + CPU_FP_TOP, 0);
  store<u8>(cpu + CPU_FP_TAG, 0);
  store<u16>(cpu + CPU_FP_OPCODE, 0);
  store<u64>(cpu + CPU_FP_IP, 0);
  store<u64>(cpu + CPU_FP_DP, 0);
  store<u16>(cpu + CPU_FP_CS, 0);
  store<u16>(cpu + CPU_FP_DS, 0);
}

/** FNCLEX */
export function x87ClearExceptions(cpu: usize): void {
  store<u16>(cpu + CPU_FSW, load<u16>(cpu + CPU_FSW) & 0x7f00);
}

/** FNSTSW: the status word with TOP. */
export function x87StatusWord(cpu: usize): u32 {
  return load<u16>(cpu + CPU_FSW) | (load<u32>(cpu + CPU_FP_TOP) << 11);
}

/** FNSTCW */
export function x87ControlWord(cpu: usize): u32 {
  return load<u16>(cpu + CPU_FCW);
}

/** Sets FCW; its reserved bits read as 0, bit 6 as 1. */
export function x87SetControlWord(cpu: usize, word: u32): void {
  store<u16>(cpu + CPU_FCW, u16((word & 0x1f3f) | 0x40));
}

/** Sets FSW and TOP; ES and B follow from the exceptions and the control word, which is set first. */
export function x87SetStatusWord(cpu: usize, word: u32): void {
  const unmasked = (word & ~load<u16>(cpu + CPU_FCW) & 0x3f) != 0;
  store<u16>(cpu + CPU_FSW, u16((word & 0x477f) | (unmasked ? 0x8080 : 0)));
  store<u32>(cpu + CPU_FP_TOP, (word >> 11) & 7);
}

/** FLDCW */
export function x87LoadControlWord(cpu: usize, word: u32): u32 {
  if (pending(cpu)) return 0;
  x87SetControlWord(cpu, word);
  x87SetStatusWord(cpu, x87StatusWord(cpu));
  return 1;
}

/** The two-bit tags: 0 valid, 1 zero, 2 special, 3 empty. */
function fullTags(cpu: usize): u32 {
  const abridged = u32(load<u8>(cpu + CPU_FP_TAG));
  let tags: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    const at = cpu + CPU_FPR + (usize(i) << 4);
    const kind = f80Class(load<u64>(at), load<u16>(at, 8));
    const tag: u32 = ((abridged >> i) & 1) == 0 ? 3 : kind == 2 ? 0 : kind == 4 ? 1 : 2;
    tags |= tag << (i * 2);
  }
  return tags;
}

function setFullTags(cpu: usize, tags: u32): void {
  let abridged: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    if (((tags >> (i * 2)) & 3) != 3) abridged |= 1 << i;
  }
  store<u8>(cpu + CPU_FP_TAG, u8(abridged));
}

/** Bytes of an environment image. Layout: bit 0 = 32-bit operand size, bit 1 = real-address mode format. */
export function x87EnvironmentSize(layout: u32): u32 {
  return (layout & WIDE) != 0 ? 28 : 14;
}

/** One field of an image; the unused upper half of a 32-bit field is all ones. */
function field(cpu: usize, layout: u32, n: usize, value: u32): void {
  if ((layout & WIDE) != 0) store<u32>(cpu + CPU_SCRATCH + n * 4, value | 0xffff0000);
  else store<u16>(cpu + CPU_SCRATCH + n * 2, u16(value));
}

function readField(cpu: usize, layout: u32, n: usize): u32 {
  return (layout & WIDE) != 0 ? load<u32>(cpu + CPU_SCRATCH + n * 4) : load<u16>(cpu + CPU_SCRATCH + n * 2);
}

/** FNSTENV, before its store: the image at CPU_SCRATCH. */
export function x87StoreEnvironment(cpu: usize, layout: u32): void {
  const at = cpu + CPU_SCRATCH;
  const opcode = load<u16>(cpu + CPU_FP_OPCODE) & 0x7ff;
  const ip = load<u32>(cpu + CPU_FP_IP);
  const dp = load<u32>(cpu + CPU_FP_DP);
  field(cpu, layout, 0, load<u16>(cpu + CPU_FCW));
  field(cpu, layout, 1, x87StatusWord(cpu));
  field(cpu, layout, 2, fullTags(cpu));
  if ((layout & REAL) == 0) {
    field(cpu, layout, 3, ip);
    field(cpu, layout, 4, load<u16>(cpu + CPU_FP_CS));
    field(cpu, layout, 5, dp);
    field(cpu, layout, 6, load<u16>(cpu + CPU_FP_DS));
    if ((layout & WIDE) != 0) {
      store<u32>(at, ip, 12);
      store<u16>(at, opcode, 18);
      store<u32>(at, dp, 20);
    }
    return;
  }
  // Real-address format: a linear address, its upper bits beside the opcode.
  const linearIp = ip + (u32(load<u16>(cpu + CPU_FP_CS)) << 4);
  const linearDp = dp + (u32(load<u16>(cpu + CPU_FP_DS)) << 4);
  field(cpu, layout, 3, linearIp & 0xffff);
  field(cpu, layout, 4, ((linearIp >> 4) & 0xf000) | opcode);
  field(cpu, layout, 5, linearDp & 0xffff);
  field(cpu, layout, 6, (linearDp >> 4) & 0xf000);
  if ((layout & WIDE) != 0) {
    store<u32>(at, ((linearIp >> 4) & 0x0ffff000) | opcode, 16);
    store<u32>(at, (linearDp >> 4) & 0x0ffff000, 24);
  }
}

/** FNSTENV, after its store: all exceptions are masked. */
export function x87StoreEnvironmentDone(cpu: usize): void {
  store<u16>(cpu + CPU_FCW, load<u16>(cpu + CPU_FCW) | 0x3f);
  store<u16>(cpu + CPU_FSW, load<u16>(cpu + CPU_FSW) & 0x7f7f);
}

function loadEnvironment(cpu: usize, layout: u32): void {
  x87SetControlWord(cpu, readField(cpu, layout, 0));
  x87SetStatusWord(cpu, readField(cpu, layout, 1));
  setFullTags(cpu, readField(cpu, layout, 2));
  const third = readField(cpu, layout, 4);
  if ((layout & REAL) == 0) {
    store<u64>(cpu + CPU_FP_IP, readField(cpu, layout, 3));
    store<u16>(cpu + CPU_FP_CS, u16(third));
    store<u64>(cpu + CPU_FP_DP, readField(cpu, layout, 5));
    store<u16>(cpu + CPU_FP_DS, u16(readField(cpu, layout, 6)));
    if ((layout & WIDE) != 0) store<u16>(cpu + CPU_FP_OPCODE, u16((third >> 16) & 0x7ff));
    return;
  }
  const upper: u32 = (layout & WIDE) != 0 ? 0x0ffff000 : 0xf000;
  store<u64>(cpu + CPU_FP_IP, (readField(cpu, layout, 3) & 0xffff) | ((third & upper) << 4));
  store<u64>(cpu + CPU_FP_DP, (readField(cpu, layout, 5) & 0xffff) | ((readField(cpu, layout, 6) & upper) << 4));
  store<u16>(cpu + CPU_FP_CS, 0);
  store<u16>(cpu + CPU_FP_DS, 0);
  store<u16>(cpu + CPU_FP_OPCODE, u16(third & 0x7ff));
}

/** FLDENV: the image at CPU_SCRATCH. */
export function x87LoadEnvironment(cpu: usize, layout: u32): u32 {
  if (pending(cpu)) return 0;
  loadEnvironment(cpu, layout);
  return 1;
}

/** Address of ST(i). */
function stackRegister(cpu: usize, i: u32): usize {
  return cpu + CPU_FPR + (usize((load<u32>(cpu + CPU_FP_TOP) + i) & 7) << 4);
}

/** FNSAVE, before its store: environment and ST(0)-ST(7) of 10 bytes each at CPU_SCRATCH. x87Init follows the store. */
export function x87Save(cpu: usize, layout: u32): void {
  x87StoreEnvironment(cpu, layout);
  let to = cpu + CPU_SCRATCH + x87EnvironmentSize(layout);
  for (let i: u32 = 0; i < 8; i++) {
    const from = stackRegister(cpu, i);
    store<u64>(to, load<u64>(from));
    store<u16>(to, load<u16>(from, 8), 8);
    to += 10;
  }
}

/** FRSTOR: the image that x87Save makes. */
export function x87Restore(cpu: usize, layout: u32): u32 {
  if (pending(cpu)) return 0;
  loadEnvironment(cpu, layout);
  let from = cpu + CPU_SCRATCH + x87EnvironmentSize(layout);
  for (let i: u32 = 0; i < 8; i++) {
    const to = stackRegister(cpu, i);
    store<u64>(to, load<u64>(from));
    store<u16>(to, load<u16>(from, 8), 8);
    from += 10;
  }
  return 1;
}
