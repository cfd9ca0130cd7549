// SPDX-License-Identifier: Apache-2.0
// What the task-state segment holds for privilege changes and port access (SDM 3A 8.2.1, 8.7; 1 20.5.2).
import { CPU_CPL } from "../generated/layout";
import { readSystem } from "../memory";
import { VECTOR_GP, VECTOR_TS } from "./bits";
import { privilegeOfIo } from "./flags";
import {
  ATTR_TYPE,
  ATTR_UNUSABLE,
  faulted,
  isCanonical,
  isLongMode,
  isProtected,
  isVirtual8086,
  raise,
  segmentAttr,
  segmentBase,
  segmentLimit,
  segmentSelector,
  TR,
} from "./segment";
import { TYPE_TSS } from "./descriptor";
import { VECTOR_SS } from "./bits";

/** Stack of the inner ring that {@link readInnerStack} found. */
export let innerSelector: u32 = 0;
export let innerPointer: u64 = 0;

/** The current task has a 32-bit (or 64-bit) TSS, not a 16-bit one. */
export function hasWideTss(cpu: usize): bool {
  return (segmentAttr(cpu, TR) & 8) != 0;
}

function tssAddress(cpu: usize, offset: u32): u64 {
  const address = segmentBase(cpu, TR) + offset;
  return isLongMode(cpu) ? address : address & 0xffff_ffff;
}

/** Reads SS and ESP for ring `privilege` from a 16- or 32-bit TSS; #TS(TR) if it is too short. */
export function readInnerStack(cpu: usize, privilege: u32, external: u32): bool {
  const wide = hasWideTss(cpu);
  const offset: u32 = wide ? 4 + privilege * 8 : 2 + privilege * 4;
  const length: u32 = wide ? 6 : 4;
  if (offset + length - 1 > segmentLimit(cpu, TR))
    return raise(cpu, VECTOR_TS, (segmentSelector(cpu, TR) & 0xfffc) | external);
  innerPointer = readSystem(cpu, tssAddress(cpu, offset), wide ? 4 : 2);
  if (faulted(cpu)) return false;
  innerSelector = <u32>readSystem(cpu, tssAddress(cpu, offset + (wide ? 4 : 2)), 2);
  return !faulted(cpu);
}

/** Reads a stack pointer from the 64-bit TSS: RSP0-2 for `ist` = 0, else IST1-7. */
export function readLongStack(cpu: usize, privilege: u32, ist: u32, external: u32): bool {
  const offset: u32 = ist != 0 ? 0x1c + ist * 8 : 4 + privilege * 8;
  if (offset + 7 > segmentLimit(cpu, TR)) return raise(cpu, VECTOR_TS, (segmentSelector(cpu, TR) & 0xfffc) | external);
  innerPointer = readSystem(cpu, tssAddress(cpu, offset), 8);
  if (faulted(cpu)) return false;
  return isCanonical(innerPointer) || raise(cpu, VECTOR_SS, external);
}

/** #GP(0) unless the current task may access `bytes` ports from `port` on: IOPL, then the I/O permission bitmap. */
export function checkIo(cpu: usize, port: u32, bytes: u32): void {
  if (!isProtected(cpu)) return;
  if (!isVirtual8086(cpu) && load<u32>(cpu, CPU_CPL) <= privilegeOfIo(cpu)) return;
  if (!bitmapAllows(cpu, port, bytes) && !faulted(cpu)) raise(cpu, VECTOR_GP, 0);
}

function bitmapAllows(cpu: usize, port: u32, bytes: u32): bool {
  const attr = segmentAttr(cpu, TR);
  const limit = segmentLimit(cpu, TR);
  if ((attr & ATTR_UNUSABLE) != 0 || (attr & ATTR_TYPE & TYPE_TSS) != TYPE_TSS || limit < 0x67) return false;
  const bitmap = <u32>readSystem(cpu, tssAddress(cpu, 0x66), 2);
  if (faulted(cpu)) return false;
  // Two bytes are always read, because the bits of one access may straddle a byte.
  const at = bitmap + (port >> 3);
  if (at + 1 > limit) return false;
  const bits = <u32>readSystem(cpu, tssAddress(cpu, at), 2);
  if (faulted(cpu)) return false;
  return ((bits >> (port & 7)) & ((1 << bytes) - 1)) == 0;
}

/**
 * Bit of the interrupt redirection bitmap, the 32 bytes below the I/O bitmap (SDM 3B 21.3.1): true if CR4.VME sends
 * `INT vector` of a virtual-8086 task to that task's own handler.
 */
export function isRedirected(cpu: usize, vector: u32): bool {
  if (!hasWideTss(cpu) || segmentLimit(cpu, TR) < 0x67) return false;
  const bitmap = <u32>readSystem(cpu, tssAddress(cpu, 0x66), 2);
  if (faulted(cpu) || bitmap < 32) return false;
  const at = bitmap - 32 + (vector >> 3);
  if (at > segmentLimit(cpu, TR)) return false;
  const bits = <u32>readSystem(cpu, tssAddress(cpu, at), 1);
  return !faulted(cpu) && ((bits >> (vector & 7)) & 1) == 0;
}
