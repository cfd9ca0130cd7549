// SPDX-License-Identifier: Apache-2.0
// Pushing on a stack that is not in use yet: the stack of an inner ring, of a new task, or the current one while the
// instruction may still fault. The stack pointer is written by the caller when everything has succeeded.
import { CPU_CPL, CPU_GPR } from "../generated/layout";
import { writeGuest, writeSystem } from "../memory";
import { VECTOR_SS } from "./bits";
import { descriptorAttr, descriptorBase, descriptorLimit, isWritableData } from "./descriptor";
import {
  ATTR_DB,
  ATTR_UNUSABLE,
  faulted,
  is64Bit,
  isCanonical,
  isProtected,
  isVirtual8086,
  raise,
  segmentAttr,
  segmentBase,
  segmentLimit,
  SS,
} from "./segment";
import { withinLimit } from "./stack";

let frameBase: u64 = 0;
let frameLimit: u32 = 0;
let frameAttr: u32 = 0;
/** 64-bit stack: no segment, canonical addresses. */
let frameFlat: bool = false;
/** Error code of a #SS by this frame. */
let frameError: u32 = 0;
let framePrivilege: u32 = 0;
/** Width of the stack pointer. */
let frameMask: u64 = 0;
/** Stack pointer so far. */
let framePointer: u64 = 0;

/** Starts pushing on the current stack. `error` is the error code of a stack fault. */
export function beginCurrentFrame(cpu: usize, error: u32): void {
  frameBase = segmentBase(cpu, SS);
  frameLimit = segmentLimit(cpu, SS);
  frameAttr = segmentAttr(cpu, SS);
  begin(is64Bit(cpu), load<u64>(cpu, CPU_GPR + 4 * 8), load<u32>(cpu, CPU_CPL), error);
}

/** Starts pushing on the stack segment whose descriptor was fetched last, at `pointer`. */
export function beginDescriptorFrame(cpu: usize, pointer: u64, privilege: u32, error: u32): void {
  frameBase = descriptorBase();
  frameLimit = descriptorLimit();
  frameAttr = descriptorAttr();
  begin(false, pointer, privilege, error);
}

/** Starts pushing on a 64-bit stack at `pointer`. */
export function beginLongFrame(cpu: usize, pointer: u64, privilege: u32, error: u32): void {
  begin(true, pointer, privilege, error);
}

function begin(flat: bool, pointer: u64, privilege: u32, error: u32): void {
  frameFlat = flat;
  frameError = error;
  framePrivilege = privilege;
  frameMask = flat ? <u64>-1 : (frameAttr & ATTR_DB) != 0 ? 0xffff_ffff : 0xffff;
  framePointer = pointer & frameMask;
}

/** Pushes `bytes` of `value`: #SS with the frame's error code, or #PF. False if that happened. */
export function pushFrame(cpu: usize, bytes: u32, value: u64): bool {
  const top = (framePointer - bytes) & frameMask;
  let linear = top;
  if (frameFlat) {
    if (!isCanonical(top) || !isCanonical(top + bytes - 1)) return raise(cpu, VECTOR_SS, frameError);
  } else {
    if ((frameAttr & ATTR_UNUSABLE) != 0 || !withinLimit(<u32>top, bytes, frameLimit, frameAttr))
      return raise(cpu, VECTOR_SS, frameError);
    if (isProtected(cpu) && !isVirtual8086(cpu) && !isWritableData(frameAttr)) return raise(cpu, VECTOR_SS, frameError);
    linear = (frameBase + top) & 0xffff_ffff;
  }
  // What is pushed for an inner ring is written with its rights, whatever the current privilege is.
  if (framePrivilege == 3) writeGuest(cpu, 0, linear, bytes, value);
  else writeSystem(cpu, linear, bytes, value);
  if (faulted(cpu)) return false;
  framePointer = top;
  return true;
}

/** Makes the frame's stack pointer the current one. */
export function commitFrame(cpu: usize): void {
  if (frameMask == 0xffff) store<u16>(cpu, <u16>framePointer, CPU_GPR + 4 * 8);
  else store<u64>(cpu, framePointer, CPU_GPR + 4 * 8);
}
