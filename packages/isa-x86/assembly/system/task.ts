// SPDX-License-Identifier: Apache-2.0
// Hardware task switching (SDM 3A chapter 8): JMP and CALL to a TSS or task gate, IRET with NT, task gates in the IDT.
import {
  CPU_CR0,
  CPU_CR3,
  CPU_DEBUG_PENDING,
  CPU_DR,
  CPU_GDTR_BASE,
  CPU_GPR,
  CPU_RIP,
} from "../generated/layout";
import { readSystem, writeSystem } from "../memory";
import { CR0_PG, CR0_TS, FLAG_NT, FLAG_VM, ALL_FLAGS, VECTOR_DB, VECTOR_GP, VECTOR_NP, VECTOR_TS } from "./bits";
import { replaceCr3 } from "./control";
import {
  descriptorAddress,
  descriptorAttr,
  descriptorBase,
  descriptorHigh,
  descriptorLimit,
  fetchDescriptor,
  isPresent,
  systemType,
  tableAddress,
  TYPE_TSS,
  TYPE_TSS16,
  TYPE_TSS16_BUSY,
  TYPE_TSS_BUSY,
  writeAccessByte,
} from "./descriptor";
import { settle } from "./exception";
import { readFlags, writeFlags } from "./flags";
import { beginCurrentFrame, commitFrame, pushFrame } from "./frame";
import { updateMode } from "./mode";
import {
  ATTR_UNUSABLE,
  ES,
  faulted,
  GS,
  LDTR,
  raise,
  segmentAttr,
  segmentBase,
  segmentSelector,
  setSegment,
  TR,
} from "./segment";
import { loadTaskSegments } from "./task-segments";
import { hasWideTss } from "./tss";
import { nextRip } from "../lookup";

// Where a task switch comes from.
export const SWITCH_JUMP: u32 = 0;
export const SWITCH_CALL: u32 = 1;
const SWITCH_RETURN: u32 = 2;

const BUSY: u32 = 2;
const DR6_BT: u32 = 1 << 15;
/** L0-L3 and LE of DR7: breakpoints of one task only. */
const DR7_LOCAL: u64 = 0x155;
/** Dynamic fields of a TSS as stored here: EIP, EFLAGS, eight registers, six segments, LDT. */
const IP: u32 = 0;
const FLAGS: u32 = 1;
const REGISTERS: u32 = 2;
const SEGMENTS: u32 = 10;
const LDT: u32 = 16;
const FIELDS: u32 = 17;

const image = memory.data(17 * 4);

function getField(field: u32): u32 {
  return load<u32>(image + ((<usize>field) << 2));
}

function setField(field: u32, value: u32): void {
  store<u32>(image + ((<usize>field) << 2), value);
}

/** Offset of a field in a TSS (SDM 3A figures 8-2 and 8-10). */
function fieldOffset(field: u32, wide: bool): u32 {
  return wide ? 32 + field * 4 : 14 + field * 2;
}

/** Bytes of a field: the 16-bit TSS has no FS and GS, so its LDT selector follows DS. */
function fieldExists(field: u32, wide: bool): bool {
  return wide || (field != SEGMENTS + 4 && field != SEGMENTS + 5);
}

function tssField(base: u64, field: u32, wide: bool): u64 {
  if (!wide && field == LDT) return (base + 42) & 0xffff_ffff;
  return (base + fieldOffset(field, wide)) & 0xffff_ffff;
}

/** Reads the new task's state into `image`. */
function readTask(cpu: usize, base: u64, wide: bool): bool {
  for (let field: u32 = 0; field < FIELDS; field++) {
    let value: u32 = 0;
    if (fieldExists(field, wide)) value = <u32>readSystem(cpu, tssField(base, field, wide), wide ? 4 : 2);
    if (faulted(cpu)) return false;
    // A 16-bit TSS leaves the upper halves of the registers as ones, as processors do.
    if (!wide && field >= REGISTERS && field < SEGMENTS) value |= 0xffff_0000;
    setField(field, field >= SEGMENTS ? value & 0xffff : value);
  }
  return true;
}

/** Writes the current task's state into its TSS; the LDT selector and CR3 are static fields. */
function saveTask(cpu: usize, flags: u32, rip: u64): bool {
  const base = segmentBase(cpu, TR);
  const wide = hasWideTss(cpu);
  const bytes: u32 = wide ? 4 : 2;
  for (let field: u32 = 0; field < LDT; field++) {
    if (!fieldExists(field, wide)) continue;
    let value: u64;
    if (field == IP) value = rip;
    else if (field == FLAGS) value = <u64>flags;
    else if (field < SEGMENTS) value = load<u64>(cpu + CPU_GPR + ((<usize>(field - REGISTERS)) << 3));
    else value = <u64>segmentSelector(cpu, field - SEGMENTS);
    writeSystem(cpu, tssField(base, field, wide), field < SEGMENTS ? bytes : 2, value);
    if (faulted(cpu)) return false;
  }
  return true;
}

/** Checks the TSS that a task gate or a back link names, with `busy` as it must be; `vector` if it is wrong. */
function fetchTss(cpu: usize, selector: u32, busy: bool, vector: u32, external: u32): bool {
  const error = (selector & 0xfffc) | external;
  if ((selector & 4) != 0 || (selector & 0xfffc) == 0) return raise(cpu, vector, error);
  if (!fetchDescriptor(cpu, selector, vector, external)) return false;
  const type = systemType(descriptorAttr());
  const ok = busy ? type == TYPE_TSS_BUSY || type == TYPE_TSS16_BUSY : type == TYPE_TSS || type == TYPE_TSS16;
  if (!ok) return raise(cpu, vector, error);
  return isPresent(descriptorAttr()) || raise(cpu, VECTOR_NP, error);
}

/** JMP or CALL to the TSS whose descriptor was fetched last and checked. */
export function taskTransfer(cpu: usize, selector: u32, source: u32, rip: u64): void {
  if (switchTask(cpu, selector, source, readFlags(cpu), rip, 0)) settle(cpu);
}

/** JMP or CALL to a task gate that names the TSS `selector`. */
export function taskGateTransfer(cpu: usize, selector: u32, source: u32, rip: u64): void {
  if (fetchTss(cpu, selector, false, VECTOR_GP, 0)) taskTransfer(cpu, selector, source, rip);
}

/** An interrupt or exception through a task gate; the error code is pushed on the new task's stack. */
export function taskGateInterrupt(
  cpu: usize,
  selector: u32,
  hasError: bool,
  error: u32,
  external: u32,
  flags: u32,
  rip: u64,
): bool {
  if (!fetchTss(cpu, selector, false, VECTOR_GP, external)) return false;
  if (!switchTask(cpu, selector, SWITCH_CALL, flags, rip, external)) return false;
  if (!hasError || faulted(cpu)) return true;
  beginCurrentFrame(cpu, external);
  if (pushFrame(cpu, hasWideTss(cpu) ? 4 : 2, <u64>error)) commitFrame(cpu);
  return true;
}

/** IRET with NT set. */
export function taskReturn(cpu: usize, rec: usize): void {
  const selector = <u32>readSystem(cpu, tableAddress(cpu, segmentBase(cpu, TR)), 2);
  if (faulted(cpu) || !fetchTss(cpu, selector, true, VECTOR_TS, 0)) return;
  if (switchTask(cpu, selector, SWITCH_RETURN, readFlags(cpu) & ~FLAG_NT, nextRip(cpu, rec), 0)) settle(cpu);
}

/**
 * Switches to the task whose TSS descriptor was fetched last and checked. `flags` and `rip` are saved as the old task's
 * EFLAGS and EIP.
 * @returns false with CPU_FAULT set if nothing has happened; true if the new task is current, perhaps with a fault of
 * its own in CPU_FAULT, which is to be delivered at the new CPU_RIP
 */
function switchTask(cpu: usize, selector: u32, source: u32, flags: u32, rip: u64, external: u32): bool {
  const attr = descriptorAttr();
  const base = descriptorBase();
  const limit = descriptorLimit();
  const address = descriptorAddress;
  const access = (descriptorHigh >> 8) & 0xff;
  const wide = (attr & 8) != 0;
  const lastByte: u32 = wide ? 0x67 : 0x2b;
  if (limit < lastByte) return raise(cpu, VECTOR_TS, (selector & 0xfffc) | external);
  if ((segmentAttr(cpu, TR) & ATTR_UNUSABLE) != 0) return raise(cpu, VECTOR_TS, external);
  if (!readTask(cpu, base, wide)) return false;
  let cr3: u64 = 0;
  let trap: u32 = 0;
  if (wide) {
    cr3 = readSystem(cpu, (base + 28) & 0xffff_ffff, 4);
    if (faulted(cpu)) return false;
    trap = <u32>readSystem(cpu, (base + 100) & 0xffff_ffff, 2) & 1;
    if (faulted(cpu)) return false;
  }
  if (!saveTask(cpu, flags, rip)) return false;
  if (source == SWITCH_CALL) {
    writeSystem(cpu, base, 2, <u64>segmentSelector(cpu, TR));
    if (faulted(cpu)) return false;
  } else if (!clearBusy(cpu)) return false;
  if (source != SWITCH_RETURN && !writeAccessByte(cpu, address, access | BUSY)) return false;

  setSegment(cpu, TR, selector, base, limit, attr | BUSY);
  store<u64>(cpu, load<u64>(cpu, CPU_CR0) | CR0_TS, CPU_CR0);
  store<u64>(cpu, load<u64>(cpu, CPU_DR + 7 * 8) & ~DR7_LOCAL, CPU_DR + 7 * 8);
  const newFlags = getField(FLAGS) & (wide ? 0xffff_ffff : 0xffff);
  for (let i: u32 = 0; i < 8; i++) store<u64>(cpu + CPU_GPR + ((<usize>i) << 3), <u64>getField(REGISTERS + i));
  store<u64>(cpu, <u64>getField(IP), CPU_RIP);
  for (let segment = ES; segment <= GS; segment++)
    setSegment(cpu, segment, getField(SEGMENTS + segment), 0, 0, ATTR_UNUSABLE);
  setSegment(cpu, LDTR, getField(LDT), 0, 0, ATTR_UNUSABLE);
  writeFlags(cpu, source == SWITCH_CALL ? newFlags | FLAG_NT : newFlags, ALL_FLAGS);
  if (wide && (load<u64>(cpu, CPU_CR0) & CR0_PG) != 0 && cr3 != load<u64>(cpu, CPU_CR3)) replaceCr3(cpu, cr3);
  if (!faulted(cpu)) loadTaskSegments(cpu, (newFlags & FLAG_VM) != 0);
  updateMode(cpu);
  if (!faulted(cpu) && trap != 0) {
    store<u32>(cpu, load<u32>(cpu, CPU_DEBUG_PENDING) | DR6_BT, CPU_DEBUG_PENDING);
    raise(cpu, VECTOR_DB, 0);
  }
  return true;
}

/** The outgoing task is no longer busy. */
function clearBusy(cpu: usize): bool {
  const address = load<u64>(cpu, CPU_GDTR_BASE) + (segmentSelector(cpu, TR) & 0xfff8);
  const access = <u32>readSystem(cpu, tableAddress(cpu, address + 5), 1);
  return !faulted(cpu) && writeAccessByte(cpu, address, access & ~BUSY);
}
