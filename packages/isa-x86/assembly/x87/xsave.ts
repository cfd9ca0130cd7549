// SPDX-License-Identifier: Apache-2.0
// The XSAVE feature set for x87, SSE and AVX state (SDM vol. 1, chapter 13). Areas are put together at CPU_SCRATCH: the
// legacy region of FXSAVE, the header at 512, the upper halves of the YMM registers at 576, in both formats.
import {
  CPU_CPL, CPU_CR0, CPU_CR4, CPU_FAULT, CPU_FAULT_ERROR, CPU_FCW, CPU_FPR, CPU_FP_CS, CPU_FP_DP, CPU_FP_DS, CPU_FP_IP,
  CPU_FP_OPCODE, CPU_FP_TAG, CPU_FP_TOP, CPU_FSW, CPU_MXCSR, CPU_SCRATCH, CPU_VEC, CPU_XCR0,
} from "../generated/layout";
import { checkCanonical, checkWrite, copyFromGuest, copyToGuest, isAlignmentChecked, readGuest } from "../memory";
import { updateMode } from "../system/mode";
import { x87Init } from "./control";
import { MXCSR_MASK, x87LoadLegacyArea, x87StoreLegacyArea } from "./fxsave";

const CR0_TS: u64 = 8;
const CR4_OSXSAVE: u64 = 0x4_0000;
const FAULT_UD: u32 = 1 + 6;
const FAULT_NM: u32 = 1 + 7;
const FAULT_GP: u32 = 1 + 13;
const FAULT_AC: u32 = 1 + 17;

/** State components, as XCR0 and the requested-feature bitmap number them. */
const X87: u64 = 1;
const SSE: u64 = 2;
const AVX: u64 = 4;
const ALL: u64 = X87 | SSE | AVX;
const COMPACTED: u64 = 1 << 63;
const MXCSR_INITIAL: u32 = 0x1f80;

const MXCSR_OFFSET: u32 = 24;
const XMM_OFFSET: u32 = 160;
const HEADER_OFFSET: u32 = 512;
const AVX_OFFSET: u32 = 576;
const REGISTER_STRIDE: usize = 64;

/** Which of XSAVE, XSAVEOPT and XSAVEC an instruction is: semantics/xsave.ts. */
const OPTIMIZED: u32 = 1;
const COMPACT: u32 = 2;

function fault(cpu: usize, code: u32): bool {
  store<u32>(cpu + CPU_FAULT, code);
  store<u32>(cpu + CPU_FAULT_ERROR, 0);
  return false;
}

function isFaulted(cpu: usize): bool {
  return load<u32>(cpu + CPU_FAULT) != 0;
}

/** Vector registers that 64-bit mode (wide) or any other mode has. */
function registers(wide: bool): usize {
  return wide ? 16 : 8;
}

function isZero(at: usize, count: usize): bool {
  let bits = i64x2.splat(0);
  for (let i: usize = 0; i < count; i++) bits = v128.or(bits, v128.load(at + i * REGISTER_STRIDE));
  return !v128.any_true(bits);
}

function isX87Initial(cpu: usize): bool {
  if (load<u16>(cpu + CPU_FCW) != 0x37f || load<u16>(cpu + CPU_FSW) != 0) return false;
  if (load<u32>(cpu + CPU_FP_TOP) != 0 || load<u8>(cpu + CPU_FP_TAG) != 0) return false;
  const pointers = load<u64>(cpu + CPU_FP_IP) | load<u64>(cpu + CPU_FP_DP) | <u64>load<u16>(cpu + CPU_FP_OPCODE);
  if (pointers != 0 || (load<u16>(cpu + CPU_FP_CS) | load<u16>(cpu + CPU_FP_DS)) != 0) return false;
  for (let i: usize = 0; i < 8; i++)
    if (load<u64>(cpu + CPU_FPR + (i << 4)) != 0 || load<u16>(cpu + CPU_FPR + (i << 4), 8) != 0) return false;
  return true;
}

/** XINUSE: components that are not in their initial configuration. */
function inUse(cpu: usize, wide: bool): u64 {
  let used: u64 = 0;
  if (!isX87Initial(cpu)) used |= X87;
  if (!isZero(cpu + CPU_VEC, registers(wide))) used |= SSE;
  if (!isZero(cpu + CPU_VEC + 16, 16)) used |= AVX;
  return used;
}

/** What all instructions check first: #UD, #NM, a canonical address, alignment to 64 bytes. */
function enter(cpu: usize, rec: usize, linear: u64): bool {
  if ((load<u64>(cpu + CPU_CR4) & CR4_OSXSAVE) == 0) return fault(cpu, FAULT_UD);
  if ((load<u64>(cpu + CPU_CR0) & CR0_TS) != 0) return fault(cpu, FAULT_NM);
  checkCanonical(cpu, rec, linear);
  if (isFaulted(cpu)) return false;
  if ((linear & 63) == 0) return true;
  // Alignment is checked to 16 bytes, as that of FXSAVE.
  return fault(cpu, (linear & 15) != 0 && isAlignmentChecked(cpu) ? FAULT_AC : FAULT_GP);
}

/** Writes bytes [from, to) of the area. */
function put(cpu: usize, rec: usize, linear: u64, from: u32, to: u32): void {
  if (!isFaulted(cpu)) copyToGuest(cpu, rec, linear + from, cpu + CPU_SCRATCH + from, to - from);
}

/** Reads bytes [from, to) of the area. */
function get(cpu: usize, rec: usize, linear: u64, from: u32, to: u32): void {
  if (!isFaulted(cpu)) copyFromGuest(cpu, rec, linear + from, cpu + CPU_SCRATCH + from, to - from);
}

/** Copies `count` halves of vector registers between the CPU record and the area. */
function copyRegisters(to: usize, toStride: usize, from: usize, fromStride: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) v128.store(to + i * toStride, v128.load(from + i * fromStride));
}

/**
 * XSAVE, XSAVEOPT (kind 1), XSAVEC (kind 2) to `linear`; `mask` = EDX:EAX.
 * @param long REX.W: 64-bit x87 pointers
 * @param wide 64-bit mode
 */
export function xsave(
  cpu: usize,
  rec: usize,
  linear: u64,
  mask: u64,
  kind: u32,
  long: bool,
  wide: bool,
): void {
  if (!enter(cpu, rec, linear)) return;
  const requested = load<u64>(cpu + CPU_XCR0) & mask;
  const used = inUse(cpu, wide);
  const mxcsr = load<u32>(cpu + CPU_MXCSR);
  let saved = kind == 0 ? requested : requested & used;
  if (kind == COMPACT && mxcsr != MXCSR_INITIAL) saved |= requested & SSE;
  const savesMxcsr = kind == COMPACT ? (saved & SSE) != 0 : (requested & (SSE | AVX)) != 0;
  const area = cpu + CPU_SCRATCH;
  const count = registers(wide);
  // The components that are written to must be writable as a whole; processors look for the last byte first.
  const start: u32 = (saved & X87) != 0 ? 0 : savesMxcsr ? MXCSR_OFFSET : HEADER_OFFSET;
  const end: u32 = (saved & AVX) != 0 ? AVX_OFFSET + 256 : HEADER_OFFSET + 64;
  if (!checkWrite(cpu, rec, linear + end - 1, 1) || !checkWrite(cpu, rec, linear + start, 1)) return;
  const old = kind == COMPACT ? 0 : readGuest(cpu, rec, linear + HEADER_OFFSET, 8);
  if (isFaulted(cpu)) return;
  if ((saved & X87) != 0) {
    x87StoreLegacyArea(cpu, long);
    put(cpu, rec, linear, 0, MXCSR_OFFSET);
    put(cpu, rec, linear, 32, XMM_OFFSET);
  }
  if (savesMxcsr) {
    store<u32>(area + MXCSR_OFFSET, mxcsr);
    store<u32>(area + MXCSR_OFFSET, MXCSR_MASK, 4);
    put(cpu, rec, linear, MXCSR_OFFSET, 32);
  }
  if ((saved & SSE) != 0) {
    copyRegisters(area + XMM_OFFSET, 16, cpu + CPU_VEC, REGISTER_STRIDE, count);
    put(cpu, rec, linear, XMM_OFFSET, XMM_OFFSET + (<u32>count << 4));
  }
  if ((saved & AVX) != 0) {
    copyRegisters(area + AVX_OFFSET, 16, cpu + CPU_VEC + 16, REGISTER_STRIDE, count);
    put(cpu, rec, linear, AVX_OFFSET, AVX_OFFSET + (<u32>count << 4));
  }
  store<u64>(area + HEADER_OFFSET, kind == COMPACT ? saved : (old & ~requested) | (used & requested));
  store<u64>(area + HEADER_OFFSET, requested | COMPACTED, 8);
  put(cpu, rec, linear, HEADER_OFFSET, HEADER_OFFSET + (kind == COMPACT ? 16 : 8));
}

/** Whether the header at CPU_SCRATCH may be restored under XCR0 (SDM vol. 1, 13.8). */
function isHeaderValid(cpu: usize): bool {
  const header = cpu + CPU_SCRATCH + HEADER_OFFSET;
  const present = load<u64>(header);
  const format = load<u64>(header, 8);
  const xcr0 = load<u64>(cpu + CPU_XCR0);
  let reserved: u64 = 0;
  for (let at: usize = 16; at < 64; at += 8) if (at == 16 || (format & COMPACTED) != 0) reserved |= load<u64>(header + at);
  if (reserved != 0) return false;
  if ((format & COMPACTED) == 0) return format == 0 && (present & ~xcr0) == 0;
  return (format & ~COMPACTED & ~xcr0) == 0 && (present & ~format) == 0;
}

function initializeX87(cpu: usize): void {
  x87Init(cpu);
  memory.fill(cpu + CPU_FPR, 0, 128);
}

function clearRegisters(at: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) v128.store(at + i * REGISTER_STRIDE, i64x2.splat(0));
}

/** XRSTOR from `linear`; parameters like those of `xsave`. #GP(0) for a bad area, with nothing changed. */
export function xrstor(cpu: usize, rec: usize, linear: u64, mask: u64, long: bool, wide: bool): void {
  if (!enter(cpu, rec, linear)) return;
  // Processors read XCOMP_BV first.
  readGuest(cpu, rec, linear + HEADER_OFFSET + 8, 8);
  get(cpu, rec, linear, HEADER_OFFSET, AVX_OFFSET);
  if (isFaulted(cpu)) return;
  if (!isHeaderValid(cpu)) {
    fault(cpu, FAULT_GP);
    return;
  }
  const area = cpu + CPU_SCRATCH;
  const requested = load<u64>(cpu + CPU_XCR0) & mask;
  const format = load<u64>(area + HEADER_OFFSET, 8);
  const compacted = (format & COMPACTED) != 0;
  const restored = requested & load<u64>(area + HEADER_OFFSET);
  const count = registers(wide);
  const loadsMxcsr = compacted ? (restored & SSE) != 0 : (requested & (SSE | AVX)) != 0;
  if ((restored & X87) != 0) get(cpu, rec, linear, 0, XMM_OFFSET);
  else if (loadsMxcsr) get(cpu, rec, linear, MXCSR_OFFSET, 32);
  if ((restored & SSE) != 0) get(cpu, rec, linear, XMM_OFFSET, XMM_OFFSET + (<u32>count << 4));
  if ((restored & AVX) != 0) get(cpu, rec, linear, AVX_OFFSET, AVX_OFFSET + (<u32>count << 4));
  if (isFaulted(cpu)) return;
  const mxcsr = load<u32>(area + MXCSR_OFFSET);
  if (loadsMxcsr && (mxcsr & ~MXCSR_MASK) != 0) {
    fault(cpu, FAULT_GP);
    return;
  }
  if (loadsMxcsr) store<u32>(cpu + CPU_MXCSR, mxcsr);
  else if (compacted && (requested & SSE) != 0) store<u32>(cpu + CPU_MXCSR, MXCSR_INITIAL);
  if ((restored & X87) != 0) x87LoadLegacyArea(cpu, long);
  else if ((requested & X87) != 0) initializeX87(cpu);
  if ((restored & SSE) != 0) copyRegisters(cpu + CPU_VEC, REGISTER_STRIDE, area + XMM_OFFSET, 16, count);
  else if ((requested & SSE) != 0) clearRegisters(cpu + CPU_VEC, count);
  if ((restored & AVX) != 0) copyRegisters(cpu + CPU_VEC + 16, REGISTER_STRIDE, area + AVX_OFFSET, 16, count);
  else if ((requested & AVX) != 0) clearRegisters(cpu + CPU_VEC + 16, count);
}

/** XGETBV: register 0 is XCR0, register 1 those of its components that are in use. */
export function xgetbv(cpu: usize, index: u32, wide: bool): u64 {
  if ((load<u64>(cpu + CPU_CR4) & CR4_OSXSAVE) == 0) fault(cpu, FAULT_UD);
  else if (index > 1) fault(cpu, FAULT_GP);
  const xcr0 = load<u64>(cpu + CPU_XCR0);
  return index == 0 ? xcr0 : xcr0 & inUse(cpu, wide);
}

/** XSETBV: x87 cannot be left out, AVX needs SSE. */
export function xsetbv(cpu: usize, index: u32, value: u64): void {
  if ((load<u64>(cpu + CPU_CR4) & CR4_OSXSAVE) == 0) {
    fault(cpu, FAULT_UD);
    return;
  }
  const valid = (value & X87) != 0 && (value & ~ALL) == 0 && (value & (SSE | AVX)) != AVX;
  if (load<u32>(cpu + CPU_CPL) != 0 || index != 0 || !valid) {
    fault(cpu, FAULT_GP);
    return;
  }
  store<u64>(cpu + CPU_XCR0, value);
  updateMode(cpu);
}
