// SPDX-License-Identifier: Apache-2.0
// The code and stack segments that a transfer is going to load: checked, but kept aside until nothing can fault.
import { CPU_CPL, CPU_RIP } from "../generated/layout";
import { VECTOR_GP } from "./bits";
import { descriptorAttr, descriptorBase, descriptorLimit } from "./descriptor";
import { ATTR_DPL_SHIFT, ATTR_L, ATTR_UNUSABLE, CS, isCanonical, isLongMode, raise, setSegment, SS } from "./segment";

let codeSelector: u32 = 0;
let codeBase: u64 = 0;
let codeLimit: u32 = 0;
let codeAttr: u32 = 0;
let stackSelector: u32 = 0;
let stackBase: u64 = 0;
let stackLimit: u32 = 0;
let stackAttr: u32 = 0;

/** Keeps the descriptor fetched last as the new CS. */
export function holdCode(cpu: usize, selector: u32): void {
  codeSelector = selector;
  codeAttr = descriptorAttr();
  const long = targetIsLong(cpu);
  codeBase = long ? 0 : descriptorBase();
  codeLimit = long ? 0xffff_ffff : descriptorLimit();
}

/** Whether the held code segment is 64-bit code. */
export function targetIsLong(cpu: usize): bool {
  return isLongMode(cpu) && (codeAttr & ATTR_L) != 0;
}

/** Keeps the descriptor fetched last as the new SS. */
export function holdStack(selector: u32): void {
  stackSelector = selector;
  stackBase = descriptorBase();
  stackLimit = descriptorLimit();
  stackAttr = descriptorAttr();
}

/** Keeps a null selector of privilege level `privilege` as the new SS, as 64-bit mode allows. */
export function holdNullStack(selector: u32, privilege: u32): void {
  stackSelector = selector;
  stackBase = 0;
  stackLimit = 0;
  stackAttr = ATTR_UNUSABLE | (privilege << ATTR_DPL_SHIFT);
}

/** Access rights of the held SS. */
export function heldStackAttr(): u32 {
  return stackAttr;
}

/** #GP(`error`) unless `offset` lies in the held code segment, or is canonical if that is 64-bit code. */
export function checkTarget(cpu: usize, offset: u64, error: u32): bool {
  if (targetIsLong(cpu)) return isCanonical(offset) || raise(cpu, VECTOR_GP, error);
  return offset <= <u64>codeLimit || raise(cpu, VECTOR_GP, error);
}

/** Loads CS with RPL and CPL = `privilege`, and RIP. */
export function commitCode(cpu: usize, privilege: u32, offset: u64): void {
  setSegment(cpu, CS, (codeSelector & 0xfffc) | privilege, codeBase, codeLimit, codeAttr);
  store<u32>(cpu, privilege, CPU_CPL);
  store<u64>(cpu, offset, CPU_RIP);
}

/** Loads SS. */
export function commitStack(cpu: usize): void {
  setSegment(cpu, SS, stackSelector, stackBase, stackLimit, stackAttr);
}
