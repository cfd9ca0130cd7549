// SPDX-License-Identifier: Apache-2.0
// ENTER, LEAVE, PUSHA and POPA: several stack accesses. A fault in the middle leaves those before it done, as on real CPUs,
// and rSP and rBP as they were, so that the instruction can be executed again. `bytes` is the operand size.
import { CPU_FAULT, CPU_GPR, CPU_SS_BASE } from "../generated/layout";
import { checkWrite, readGuest, writeGuest } from "../memory";
import { stackMask } from "../system/segment";
import { segmentAddress, setStackPointer } from "../system/stack";

const RSP: usize = CPU_GPR + 32;
const RBP: usize = CPU_GPR + 40;
/** Beside a byte count: a non-canonical address raises #SS. */
const STACK: u32 = 0x100;
const WRITE: u32 = 0x100;

function faulted(cpu: usize): bool {
  return load<u32>(cpu + CPU_FAULT) != 0;
}

function stackRead(cpu: usize, rec: usize, offset: u64, bytes: u32): u64 {
  const linear = segmentAddress(cpu, rec, <u32>CPU_SS_BASE, offset, bytes);
  return faulted(cpu) ? 0 : readGuest(cpu, rec, linear, bytes | STACK);
}

/** Raises the fault that a write would. */
function stackCheck(cpu: usize, rec: usize, offset: u64, bytes: u32): void {
  const linear = segmentAddress(cpu, rec, <u32>CPU_SS_BASE, offset, bytes | WRITE);
  if (!faulted(cpu)) checkWrite(cpu, rec, linear, bytes | STACK);
}

function stackWrite(cpu: usize, rec: usize, offset: u64, bytes: u32, value: u64): void {
  const linear = segmentAddress(cpu, rec, <u32>CPU_SS_BASE, offset, bytes | WRITE);
  if (!faulted(cpu)) writeGuest(cpu, rec, linear, bytes | STACK, value);
}

function writeRegister(cpu: usize, register: usize, bytes: u32, value: u64): void {
  if (bytes == 2) store<u16>(cpu + register, <u16>value);
  else store<u64>(cpu + register, value);
}

/** PUSHA, PUSHAD: rAX rCX rDX rBX rSP (as it was) rBP rSI rDI. */
export function pushAll(cpu: usize, rec: usize, bytes: u32): void {
  const mask = stackMask(cpu);
  const top = load<u64>(cpu + RSP);
  for (let i: u32 = 0; i < 8; i++) {
    stackWrite(cpu, rec, (top - <u64>((i + 1) * bytes)) & mask, bytes, load<u64>(cpu + CPU_GPR + (<usize>i << 3)));
    if (faulted(cpu)) return;
  }
  setStackPointer(cpu, top - <u64>(8 * bytes), mask);
}

/**
 * POPA, POPAD: the same in reverse; the image of rSP is skipped. A fault leaves the registers popped so far changed, as on
 * real CPUs; rSP has not moved, so that the instruction can be executed again.
 */
export function popAll(cpu: usize, rec: usize, bytes: u32): void {
  const mask = stackMask(cpu);
  const top = load<u64>(cpu + RSP);
  for (let i: u32 = 0; i < 8; i++) {
    const register: usize = 7 - <usize>i;
    if (register == 4) continue;
    const value = stackRead(cpu, rec, (top + <u64>(i * bytes)) & mask, bytes);
    if (faulted(cpu)) return;
    writeRegister(cpu, CPU_GPR + (register << 3), bytes, value);
  }
  setStackPointer(cpu, top + <u64>(8 * bytes), mask);
}

/** ENTER (SDM 2): pushes rBP and copies `level` - 1 frame pointers and the new one, then makes room for `size` bytes. */
export function enterFrame(cpu: usize, rec: usize, bytes: u32, size: u32, level: u32): void {
  const mask = stackMask(cpu);
  const nesting = level & 31;
  const top = load<u64>(cpu + RSP);
  const oldFrame = load<u64>(cpu + RBP);
  const frame = (top - <u64>bytes) & mask;
  const bottom = (top - <u64>((nesting + 1) * bytes)) & mask;
  const end = (bottom - <u64>size) & mask;
  stackWrite(cpu, rec, frame, bytes, oldFrame);
  if (faulted(cpu)) return;
  for (let i: u32 = 1; i < nesting; i++) {
    const pointer = stackRead(cpu, rec, (oldFrame - <u64>(i * bytes)) & mask, bytes);
    if (faulted(cpu)) return;
    stackWrite(cpu, rec, (frame - <u64>(i * bytes)) & mask, bytes, pointer);
    if (faulted(cpu)) return;
  }
  if (nesting > 0) stackWrite(cpu, rec, bottom, bytes, frame);
  if (faulted(cpu)) return;
  // The new stack must be writable at its end (SDM 2, ENTER).
  stackCheck(cpu, rec, end, bytes);
  if (faulted(cpu)) return;
  writeRegister(cpu, RBP, bytes, frame);
  setStackPointer(cpu, end, mask);
}

/** LEAVE with general segmentation. */
export function leaveFrame(cpu: usize, rec: usize, bytes: u32): void {
  const mask = stackMask(cpu);
  const frame = load<u64>(cpu + RBP) & mask;
  const value = stackRead(cpu, rec, frame, bytes);
  if (faulted(cpu)) return;
  setStackPointer(cpu, frame + bytes, mask);
  writeRegister(cpu, RBP, bytes, value);
}
