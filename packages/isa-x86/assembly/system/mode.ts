// SPDX-License-Identifier: Apache-2.0
// What the engine derives from control registers, segments and flags: how code decodes and which soft TLB serves it.
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR4,
  CPU_CS_ATTR,
  CPU_DR,
  CPU_EFER,
  CPU_EFLAGS,
  CPU_GPR,
  CPU_MODE_KEY,
  CPU_SS_ATTR,
  CPU_TLB_ARRAYS,
  CPU_TLB_BASE,
  CPU_XCR0,
} from "../generated/layout";
import { refreshKey } from "../address-space";
import { refreshJumpContext } from "../jump-cache";
import { CR0_AM, CR0_EM, CR0_TS, CR4_OSFXSR, CR4_OSXSAVE, CR4_SMAP, EFER_LMA, FLAG_AC, FLAG_RF, FLAG_TF } from "./bits";
import {
  ATTR_CODE,
  ATTR_CONFORMING,
  ATTR_DB,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_UNUSABLE,
  ATTR_WRITABLE,
  CS,
  DS,
  ES,
  segmentAttr,
  segmentBase,
  segmentLimit,
  SS,
} from "./segment";

// Bits of the mode key; bits 0-1 are the code size: 0 = 16, 1 = 32, 2 = 64.
const KEY_STACK32: u32 = 1 << 2;
const KEY_FLAT: u32 = 1 << 3;
const KEY_NO_X87: u32 = 1 << 4;
const KEY_NO_SSE: u32 = 1 << 5;
const KEY_NO_AVX: u32 = 1 << 6;
const KEY_STEP: u32 = 1 << 7;

const XCR0_SSE_AVX: u64 = 6;

const TLB_SUPERVISOR: usize = 0;
const TLB_USER: usize = 1;
const TLB_SUPERVISOR_AC: usize = 2;
const TLB_NEVER: usize = 3;

/** Enable bits L0-G3 of DR7 (SDM 3B 18.2.4). */
const DR7_ENABLES: u64 = 0xff;

/** Breakpoint `i` is enabled in DR7, locally or globally. */
export function breakpointEnabled(dr7: u64, i: u32): bool {
  return ((dr7 >> (i << 1)) & 3) != 0;
}

/** R/W field of breakpoint `i`: 0 execution, 1 write, 2 I/O, 3 read or write. */
export function breakpointType(dr7: u64, i: u32): u32 {
  return <u32>(dr7 >> (16 + (i << 2))) & 3;
}

function hasDataBreakpoints(dr7: u64): bool {
  for (let i: u32 = 0; i < 4; i++) if (breakpointEnabled(dr7, i) && (breakpointType(dr7, i) & 1) != 0) return true;
  return false;
}

/** Usable through plain 32-bit arithmetic: base 0, limit 4 GiB - 1, and `wanted` rights among those in `mask`. */
function isFlat(cpu: usize, segment: u32, mask: u32, wanted: u32): bool {
  return (
    segmentBase(cpu, segment) == 0 &&
    segmentLimit(cpu, segment) == 0xffff_ffff &&
    (segmentAttr(cpu, segment) & mask) == wanted
  );
}

function isFlatData(cpu: usize, segment: u32): bool {
  const wanted = ATTR_P | ATTR_S | ATTR_WRITABLE;
  return isFlat(cpu, segment, wanted | ATTR_CODE | ATTR_CONFORMING | ATTR_UNUSABLE, wanted);
}

function isFlatCode(cpu: usize): bool {
  const wanted = ATTR_P | ATTR_S | ATTR_CODE | ATTR_WRITABLE;
  return isFlat(cpu, CS, wanted | ATTR_UNUSABLE, wanted);
}

function modeKey(cpu: usize, long: bool): u32 {
  const cr0 = load<u64>(cpu, CPU_CR0);
  const cr4 = load<u64>(cpu, CPU_CR4);
  const code = load<u32>(cpu, CPU_CS_ATTR);
  let key: u32;
  if (long) key = 2 | KEY_FLAT;
  else {
    key = (code & ATTR_DB) != 0 ? 1 : 0;
    if ((load<u32>(cpu, CPU_SS_ATTR) & ATTR_DB) != 0) key |= KEY_STACK32;
    if (isFlatCode(cpu) && isFlatData(cpu, DS) && isFlatData(cpu, SS) && isFlatData(cpu, ES)) key |= KEY_FLAT;
  }
  if ((cr0 & (CR0_EM | CR0_TS)) != 0) key |= KEY_NO_X87 | KEY_NO_SSE;
  if ((cr4 & CR4_OSFXSR) == 0) key |= KEY_NO_SSE;
  // CR0.EM does not matter to VEX instructions (SDM 2A table 2-18).
  const avx = (cr4 & CR4_OSXSAVE) != 0 && (load<u64>(cpu, CPU_XCR0) & XCR0_SSE_AVX) == XCR0_SSE_AVX;
  if (!avx || (cr0 & CR0_TS) != 0) key |= KEY_NO_AVX;
  if ((load<u32>(cpu, CPU_EFLAGS) & FLAG_TF) != 0 || (load<u64>(cpu, CPU_DR + 7 * 8) & DR7_ENABLES) != 0)
    key |= KEY_STEP;
  return key;
}

function tlbIndex(cpu: usize): usize {
  const ac = (load<u32>(cpu, CPU_EFLAGS) & FLAG_AC) != 0;
  const dr7 = load<u64>(cpu, CPU_DR + 7 * 8);
  if ((dr7 & DR7_ENABLES) != 0 && hasDataBreakpoints(dr7)) return TLB_NEVER;
  if (load<u32>(cpu, CPU_CPL) == 3) return ac && (load<u64>(cpu, CPU_CR0) & CR0_AM) != 0 ? TLB_NEVER : TLB_USER;
  return ac || (load<u64>(cpu, CPU_CR4) & CR4_SMAP) == 0 ? TLB_SUPERVISOR_AC : TLB_SUPERVISOR;
}

/**
 * Bits 32-63 of general registers are undefined after leaving 64-bit mode (SDM 1, 3.4.1.1). Here they are zero as long as
 * code is not 64-bit, so that compiled regions may keep registers in 32-bit locals.
 */
function clearUpperHalves(cpu: usize): void {
  for (let i: usize = 0; i < 8; i++) store<u32>(cpu + CPU_GPR + (i << 3) + 4, 0);
}

/**
 * Recomputes everything that depends on CR0, CR4, XCR0, EFER, DR7, CPL, the code, stack and data segments and EFLAGS.VM, TF
 * and AC. To be called after any change of these.
 */
export function updateMode(cpu: usize): void {
  const long = (load<u64>(cpu, CPU_EFER) & EFER_LMA) != 0 && (load<u32>(cpu, CPU_CS_ATTR) & ATTR_L) != 0;
  const key = modeKey(cpu, long);
  // RF means something only while instructions are looked at one by one; elsewhere the next one would clear it.
  if ((key & KEY_STEP) == 0) store<u32>(cpu, load<u32>(cpu, CPU_EFLAGS) & ~FLAG_RF, CPU_EFLAGS);
  if (!long && (load<u32>(cpu, CPU_MODE_KEY) & 3) == 2) clearUpperHalves(cpu);
  store<u32>(cpu, key, CPU_MODE_KEY);
  chooseTlb(cpu);
  refreshJumpContext(cpu);
}

/**
 * The same where only CPL, the code and stack segments and EFLAGS have changed: system calls, interrupts and returns. From
 * 64-bit code to 64-bit code, with nothing to be stepped through, the mode key is what it was.
 */
export function updatePrivilege(cpu: usize): void {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  const was64 = (load<u32>(cpu, CPU_MODE_KEY) & (3 | KEY_STEP)) == 2;
  if (!was64 || (load<u32>(cpu, CPU_CS_ATTR) & ATTR_L) == 0 || (flags & FLAG_TF) != 0) {
    updateMode(cpu);
    return;
  }
  store<u32>(cpu, flags & ~FLAG_RF, CPU_EFLAGS);
  chooseTlb(cpu);
  refreshJumpContext(cpu);
}

function chooseTlb(cpu: usize): void {
  store<u32>(cpu, load<u32>(cpu + CPU_TLB_ARRAYS + (tlbIndex(cpu) << 2)), CPU_TLB_BASE);
  refreshKey(cpu);
}

/** STAC and CLAC in ring 0: loads EFLAGS.AC from its place in `value`. Fetches and decoding do not depend on it. */
export function changeAccessFlag(cpu: usize, value: u32): void {
  const flags = load<u32>(cpu, CPU_EFLAGS);
  if ((flags & FLAG_AC) == value) return;
  store<u32>(cpu, flags ^ FLAG_AC, CPU_EFLAGS);
  chooseTlb(cpu);
}
