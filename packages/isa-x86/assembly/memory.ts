// SPDX-License-Identifier: Apache-2.0
// The slow path of guest memory accesses: TLB misses, page-crossing accesses, devices, pages with decoded code,
// alignment checks and data breakpoints. Handlers come here when the inline probe of the soft TLB fails.
import {
  CPU_CPL,
  CPU_CR0,
  CPU_EFLAGS,
  CPU_EVENT,
  CPU_FAULT,
  CPU_FAULT_ERROR,
  CPU_MODE_KEY,
  CPU_SCRATCH,
  CPU_TLB_BASE,
  CPU_TLB_KEY,
  EMPTY_TLB,
  FAULT_INTERPRET,
  RAM_BASE,
  RECORD_FLAGS,
  RECORD_FLAG_STACK_SEGMENT,
} from "./generated/layout";
import { holdsCode } from "./code-cache";
import { checkDataBreakpoint } from "./system/breakpoint";
import { IMPLICIT, MAY_WRITE, NO_PAGE, READ, WRITE, walk } from "./paging";
import { NOT_RAM, physicalOf, readOffset, readPhysical, writeOffset, writePhysical } from "./physical";
import { ADDEND, RAM_PAGE, SYSTEM, TAG_READ, TAG_WRITE, arrayOf, entryOf, fill, hasCode, tagOf } from "./tlb";
import { isWatchedPage, mustStep } from "./watch";

const PAGE: u64 = ~(<u64>0xfff);
const CR0_AM: u64 = 0x4_0000;
const EFLAGS_AC: u32 = 0x4_0000;
const CODE_SIZE_MASK: u32 = 3;
const CODE_64: u32 = 2;
/** Beside a byte count: the access is to the stack. */
const STACK: u32 = 0x100;
/** Beside a byte count: the access is not checked for alignment. */
export const UNALIGNED: u32 = 0x200;

function raise(cpu: usize, vector: u32, error: u32): void {
  store<u32>(cpu + CPU_FAULT, vector + 1);
  store<u32>(cpu + CPU_FAULT_ERROR, error);
}

function isStack(rec: usize, size: u32): bool {
  return (size & STACK) != 0 || (rec != 0 && (load<u8>(rec + RECORD_FLAGS) & RECORD_FLAG_STACK_SEGMENT) != 0);
}

/** Whether misaligned accesses raise #AC now. */
export function isAlignmentChecked(cpu: usize): bool {
  const enabled = (load<u64>(cpu + CPU_CR0) & CR0_AM) != 0 && (load<u32>(cpu + CPU_EFLAGS) & EFLAGS_AC) != 0;
  return enabled && load<u32>(cpu + CPU_CPL) == 3;
}

/** Checks that come before translation. False if a fault was raised. `size` = bytes, perhaps with STACK or UNALIGNED. */
function precheck(cpu: usize, rec: usize, linear: u64, size: u32): bool {
  const bytes = size & 0xff;
  if ((load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK) != CODE_64) {
    // HANDLER_ADDRESS_DEFERRED leaves such an address when the segment refuses the access.
    if (linear >> 63 != 0) {
      raise(cpu, isStack(rec, size) ? 12 : 13, 0);
      return false;
    }
  } else {
    const last = linear + bytes - 1;
    if ((<i64>(linear << 16)) >> 16 != <i64>linear || (<i64>(last << 16)) >> 16 != <i64>last) {
      raise(cpu, isStack(rec, size) ? 12 : 13, 0);
      return false;
    }
  }
  if (load<u32>(cpu + CPU_TLB_BASE) == <u32>EMPTY_TLB) {
    // Vectors have their own rule (#GP), or like MOVUPS may be unaligned even then (SDM 3A 6.15, #AC: left to
    // the implementation; Intel processors do not raise it).
    const aligned = bytes > 8 || (size & UNALIGNED) != 0;
    if (!aligned && (linear & <u64>(bytes - 1)) != 0 && isAlignmentChecked(cpu)) {
      raise(cpu, 17, 0);
      return false;
    }
  }
  return true;
}

/** Raises #GP(0), or #SS(0) for a stack-relative operand, unless `linear` is canonical. For checks that come before others. */
export function checkCanonical(cpu: usize, rec: usize, linear: u64): void {
  precheck(cpu, rec, linear, 1);
}

/** Whether the current privilege may touch user pages as a supervisor, and whether it is user privilege. */
function isUser(cpu: usize): bool {
  return load<u32>(cpu + CPU_CPL) == 3;
}

function userPagesAllowed(cpu: usize): bool {
  return (load<u32>(cpu + CPU_EFLAGS) & EFLAGS_AC) != 0;
}

/**
 * Translates with current privilege and fills the TLB. Physical address of the byte, or NO_PAGE with a fault. Helpers and
 * accesses that cross pages come here whatever the TLB holds, so it is looked at first.
 */
function translate(cpu: usize, linear: u64, access: u32): u64 {
  const entry = entryOf(<usize>load<u32>(cpu + CPU_TLB_BASE), linear);
  if (load<u64>(entry + (access == WRITE ? TAG_WRITE : TAG_READ)) == ((linear & PAGE) | load<u64>(cpu + CPU_TLB_KEY)))
    return physicalOf(load<u32>(entry + RAM_PAGE)) | (linear & 0xfff);
  const page = walk(cpu, linear, access, isUser(cpu), userPagesAllowed(cpu));
  if (page == NO_PAGE) return NO_PAGE;
  const physical = (page & PAGE) | (linear & 0xfff);
  if (isWatchedPage(linear)) return mustStep(cpu) ? NO_PAGE : physical;
  fillData(cpu, <usize>load<u32>(cpu + CPU_TLB_BASE), linear, page);
  return physical;
}

/** Fills a TLB after a walk, unless the page is a device's. Writes miss where they do not go to what reads get. */
function fillData(cpu: usize, base: usize, linear: u64, page: u64): void {
  const ram = readOffset(page & PAGE);
  if (ram == NOT_RAM) return;
  fill(cpu, base, linear, writeOffset(page & PAGE) == ram ? page : page & ~MAY_WRITE, ram);
}

function crossesPage(linear: u64, bytes: u32): bool {
  return (<u32>linear & 0xfff) + bytes > 0x1000;
}

/** Reads `size & 0xff` (1, 2, 4, 8) bytes at a linear address with current privilege; CPU_FAULT tells of a fault. */
export function readGuest(cpu: usize, rec: usize, linear: u64, size: u32): u64 {
  return readFor(cpu, rec, linear, size, false);
}

/**
 * What {@link readGuest} is to handlers of the interpreter, for compiled regions: an access to a device is left to the
 * interpreter, since the device may ask for the time, which is in the CPU record, or change code in RAM.
 */
export function readGuestCompiled(cpu: usize, rec: usize, linear: u64, size: u32): u64 {
  return readFor(cpu, rec, linear, size, true);
}

function readFor(cpu: usize, rec: usize, linear: u64, size: u32, compiled: bool): u64 {
  if (!precheck(cpu, rec, linear, size)) return 0;
  const bytes = size & 0xff;
  checkDataBreakpoint(cpu, linear, bytes, false);
  return readChecked(cpu, linear, bytes, compiled);
}

function readChecked(cpu: usize, linear: u64, bytes: u32, compiled: bool): u64 {
  const first = translate(cpu, linear, READ);
  if (first == NO_PAGE) return 0;
  if (!crossesPage(linear, bytes)) return compiled && isDevice(cpu, first) ? 0 : readPhysical(first, bytes);
  const second = translate(cpu, secondPage(cpu, linear), READ);
  if (second == NO_PAGE) return 0;
  if (compiled && (isDevice(cpu, first) || isDevice(cpu, second))) return 0;
  return readCrossing(first, second, bytes);
}

function secondPage(cpu: usize, linear: u64): u64 {
  const next = (linear & PAGE) + 0x1000;
  return (load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK) == CODE_64 ? next : next & 0xffff_ffff;
}

function readCrossing(first: u64, second: u64, bytes: u32): u64 {
  const head: u32 = 0x1000 - (<u32>first & 0xfff);
  let value: u64 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const at = i < head ? first + i : second + (i - head);
    value |= readPhysical(at, 1) << (i << 3);
  }
  return value;
}

function writeCrossing(first: u64, second: u64, bytes: u32, value: u64): void {
  const head: u32 = 0x1000 - (<u32>first & 0xfff);
  for (let i: u32 = 0; i < bytes; i++) {
    const at = i < head ? first + i : second + (i - head);
    writePhysical(at, 1, (value >> (i << 3)) & 0xff);
  }
}

/** Writes like {@link readGuest} reads. Nothing is written if there is a fault. */
export function writeGuest(cpu: usize, rec: usize, linear: u64, size: u32, value: u64): void {
  if (translateWrite(cpu, rec, linear, size)) writeTranslated(cpu, linear, size & 0xff, value);
}

/** Where the bytes of the write under way lie: the first one, and those of a second page or NO_PAGE. */
let writeFirst: u64 = 0;
let writeSecond: u64 = 0;

/** Finds out where a write goes; false if a fault was raised. At most one page boundary. */
function translateWrite(cpu: usize, rec: usize, linear: u64, size: u32): bool {
  if (!precheck(cpu, rec, linear, size)) return false;
  writeSecond = NO_PAGE;
  writeFirst = translate(cpu, linear, WRITE);
  if (writeFirst == NO_PAGE) return false;
  if (!crossesPage(linear, size & 0xff)) return true;
  writeSecond = translate(cpu, secondPage(cpu, linear), WRITE);
  return writeSecond != NO_PAGE;
}

function writeTranslated(cpu: usize, linear: u64, bytes: u32, value: u64): void {
  checkDataBreakpoint(cpu, linear, bytes, true);
  if (writeSecond == NO_PAGE) writePhysical(writeFirst, bytes, value);
  else writeCrossing(writeFirst, writeSecond, bytes, value);
}

/** Reads with the rights of a write: the first half of a read-modify-write. */
export function readForWrite(cpu: usize, rec: usize, linear: u64, size: u32): u64 {
  if (!checkWrite(cpu, rec, linear, size)) return 0;
  return readGuest(cpu, rec, linear, size);
}

/** Whether all of `[linear, linear + bytes)` may be written; raises the fault if not. At most one page boundary. */
export function checkWrite(cpu: usize, rec: usize, linear: u64, size: u32): bool {
  return translateWrite(cpu, rec, linear, size);
}

/**
 * What {@link writeGuest} is to handlers of the interpreter, for compiled regions: a write to a device is left to the
 * interpreter, like a read, and one to bytes that may hold decoded code, since it may change the region itself.
 */
export function writeGuestCompiled(cpu: usize, rec: usize, linear: u64, size: u32, value: u64): void {
  if (mayWriteCompiled(cpu, rec, linear, size)) writeTranslated(cpu, linear, size & 0xff, value);
}

/** {@link readForWrite} for compiled regions. */
export function readForWriteCompiled(cpu: usize, rec: usize, linear: u64, size: u32): u64 {
  if (!mayWriteCompiled(cpu, rec, linear, size)) return 0;
  const bytes = size & 0xff;
  checkDataBreakpoint(cpu, linear, bytes, false);
  if (isDevice(cpu, writeFirst)) return 0;
  if (writeSecond == NO_PAGE) return readPhysical(writeFirst, bytes);
  return isDevice(cpu, writeSecond) ? 0 : readCrossing(writeFirst, writeSecond, bytes);
}

/** {@link writeGuest128} for compiled regions. */
export function writeGuest128Compiled(cpu: usize, rec: usize, linear: u64): void {
  if (mayWriteCompiled(cpu, rec, linear, 16)) writeGuest128(cpu, rec, linear);
}

/** {@link writeGuest256} for compiled regions. */
export function writeGuest256Compiled(cpu: usize, rec: usize, linear: u64): void {
  if (mayWriteCompiled(cpu, rec, linear, 32)) writeGuest256(cpu, rec, linear);
}

/** False with CPU_FAULT set if the write faults or must be left to the interpreter. */
function mayWriteCompiled(cpu: usize, rec: usize, linear: u64, size: u32): bool {
  if (!translateWrite(cpu, rec, linear, size)) return false;
  const bytes = size & 0xff;
  if (writeSecond == NO_PAGE) return !isDeviceOrCode(cpu, writeFirst, bytes);
  const head: u32 = 0x1000 - (<u32>linear & 0xfff);
  return !isDeviceOrCode(cpu, writeSecond, bytes - head) && !isDeviceOrCode(cpu, writeFirst, head);
}

/** Whether a write must be left to the interpreter; CPU_FAULT says so then. */
function isDeviceOrCode(cpu: usize, physical: u64, bytes: u32): bool {
  const ram = writeOffset(physical);
  if (ram != NOT_RAM && !holdsCode(ram, bytes) && !hasEvent(cpu)) return false;
  store<u32>(cpu + CPU_FAULT, FAULT_INTERPRET);
  return true;
}

/** The same for a read. */
function isDevice(cpu: usize, physical: u64): bool {
  if (readOffset(physical) != NOT_RAM && !hasEvent(cpu)) return false;
  store<u32>(cpu + CPU_FAULT, FAULT_INTERPRET);
  return true;
}

/**
 * Compiled code does not look at the event word after an access. The walk for one may set it, if it writes the accessed
 * bit of an entry that is code at the same time.
 */
function hasEvent(cpu: usize): bool {
  return load<i32>(cpu + CPU_EVENT) < 0;
}

/** Reads 16 bytes into the first scratch vector. */
export function readGuest128(cpu: usize, rec: usize, linear: u64): void {
  readVector(cpu, rec, linear, 16, false);
}

/** Reads 32 bytes into the first scratch vector. */
export function readGuest256(cpu: usize, rec: usize, linear: u64): void {
  readVector(cpu, rec, linear, 32, false);
}

/** {@link readGuest128} for compiled regions. */
export function readGuest128Compiled(cpu: usize, rec: usize, linear: u64): void {
  readVector(cpu, rec, linear, 16, true);
}

/** {@link readGuest256} for compiled regions. */
export function readGuest256Compiled(cpu: usize, rec: usize, linear: u64): void {
  readVector(cpu, rec, linear, 32, true);
}

/** Writes 16 bytes from the first scratch vector. */
export function writeGuest128(cpu: usize, rec: usize, linear: u64): void {
  writeVector(cpu, rec, linear, 16);
}

/** Writes 32 bytes from the first scratch vector. */
export function writeGuest256(cpu: usize, rec: usize, linear: u64): void {
  writeVector(cpu, rec, linear, 32);
}

function readVector(cpu: usize, rec: usize, linear: u64, bytes: u32, compiled: bool): void {
  if (!precheck(cpu, rec, linear, bytes)) return;
  checkDataBreakpoint(cpu, linear, bytes, false);
  const first = translate(cpu, linear, READ);
  if (first == NO_PAGE) return;
  const scratch = cpu + CPU_SCRATCH;
  if (compiled && isDevice(cpu, first)) return;
  if (!crossesPage(linear, bytes)) {
    for (let i: u32 = 0; i < bytes; i += 8) store<u64>(scratch + i, readPhysical(first + i, 8));
    return;
  }
  const second = translate(cpu, secondPage(cpu, linear), READ);
  if (second == NO_PAGE || (compiled && isDevice(cpu, second))) return;
  const head: u32 = 0x1000 - (<u32>first & 0xfff);
  for (let i: u32 = 0; i < bytes; i++)
    store<u8>(scratch + i, <u8>readPhysical(i < head ? first + i : second + (i - head), 1));
}

function writeVector(cpu: usize, rec: usize, linear: u64, bytes: u32): void {
  if (!precheck(cpu, rec, linear, bytes)) return;
  checkDataBreakpoint(cpu, linear, bytes, true);
  const first = translate(cpu, linear, WRITE);
  if (first == NO_PAGE) return;
  const scratch = cpu + CPU_SCRATCH;
  if (!crossesPage(linear, bytes)) {
    for (let i: u32 = 0; i < bytes; i += 8) writePhysical(first + i, 8, load<u64>(scratch + i));
    return;
  }
  const second = translate(cpu, secondPage(cpu, linear), WRITE);
  if (second == NO_PAGE) return;
  const head: u32 = 0x1000 - (<u32>first & 0xfff);
  for (let i: u32 = 0; i < bytes; i++)
    writePhysical(i < head ? first + i : second + (i - head), 1, <u64>load<u8>(scratch + i));
}

/**
 * Host address of the byte at `linear` if it and the rest of its page may be read by plain loads, else 0: with
 * CPU_FAULT set there is a fault, without it the page needs {@link readGuest}.
 */
export function hostForRead(cpu: usize, rec: usize, linear: u64): usize {
  const base = <usize>load<u32>(cpu + CPU_TLB_BASE);
  const entry = entryOf(base, linear);
  if (load<u64>(entry + TAG_READ) == ((linear & PAGE) | load<u64>(cpu + CPU_TLB_KEY)))
    return <usize>(<u32>linear + load<u32>(entry + ADDEND));
  if (!precheck(cpu, rec, linear, 1)) return 0;
  const physical = translate(cpu, linear, READ);
  if (physical == NO_PAGE || base == EMPTY_TLB || isWatchedPage(linear)) return 0;
  const ram = readOffset(physical);
  return ram == NOT_RAM ? 0 : RAM_BASE + <usize>ram;
}

/** The same for writing; pages with decoded code need {@link writeGuest}. */
export function hostForWrite(cpu: usize, rec: usize, linear: u64): usize {
  const base = <usize>load<u32>(cpu + CPU_TLB_BASE);
  const entry = entryOf(base, linear);
  if (load<u64>(entry + TAG_WRITE) == ((linear & PAGE) | load<u64>(cpu + CPU_TLB_KEY)))
    return <usize>(<u32>linear + load<u32>(entry + ADDEND));
  if (!precheck(cpu, rec, linear, 1)) return 0;
  const physical = translate(cpu, linear, WRITE);
  if (physical == NO_PAGE || base == EMPTY_TLB || isWatchedPage(linear)) return 0;
  const ram = writeOffset(physical);
  return ram == NOT_RAM || hasCode(ram) ? 0 : RAM_BASE + <usize>ram;
}

/** Translates an implicit supervisor access: descriptor tables, TSS, IDT, stacks of inner rings. */
function translateSystem(cpu: usize, linear: u64, access: u32): u64 {
  const page = walk(cpu, linear, access | IMPLICIT, false, false);
  if (page == NO_PAGE) return NO_PAGE;
  if (!isWatchedPage(linear)) fillData(cpu, arrayOf(cpu, SYSTEM), linear, page);
  return (page & PAGE) | (linear & 0xfff);
}

/** Host address of an implicit supervisor access that hits the TLB within one page, or 0. */
function systemHit(cpu: usize, linear: u64, bytes: u32, tagOffset: usize): usize {
  const base = arrayOf(cpu, SYSTEM);
  const entry = entryOf(base, linear);
  const tag = tagOf(cpu, base, linear + bytes - 1);
  return load<u64>(entry + tagOffset) == tag ? <usize>(<u32>linear + load<u32>(entry + ADDEND)) : 0;
}

/** Reads 1, 2, 4 or 8 bytes as an implicit supervisor access. */
export function readSystem(cpu: usize, linear: u64, bytes: u32): u64 {
  const host = systemHit(cpu, linear, bytes, TAG_READ);
  if (host != 0) {
    if (bytes == 8) return load<u64>(host);
    if (bytes == 4) return <u64>load<u32>(host);
    if (bytes == 2) return <u64>load<u16>(host);
    return <u64>load<u8>(host);
  }
  const first = translateSystem(cpu, linear, READ);
  if (first == NO_PAGE) return 0;
  if (!crossesPage(linear, bytes)) return readPhysical(first, bytes);
  const second = translateSystem(cpu, secondPage(cpu, linear), READ);
  return second == NO_PAGE ? 0 : readCrossing(first, second, bytes);
}

/** Writes 1, 2, 4 or 8 bytes as an implicit supervisor access. */
export function writeSystem(cpu: usize, linear: u64, bytes: u32, value: u64): void {
  const host = systemHit(cpu, linear, bytes, TAG_WRITE);
  if (host != 0) {
    if (bytes == 8) store<u64>(host, value);
    else if (bytes == 4) store<u32>(host, <u32>value);
    else if (bytes == 2) store<u16>(host, <u16>value);
    else store<u8>(host, <u8>value);
    return;
  }
  const first = translateSystem(cpu, linear, WRITE);
  if (first == NO_PAGE) return;
  if (!crossesPage(linear, bytes)) {
    writePhysical(first, bytes, value);
    return;
  }
  const second = translateSystem(cpu, secondPage(cpu, linear), WRITE);
  if (second != NO_PAGE) writeCrossing(first, second, bytes, value);
}

/** Bytes from `linear` to the end of its page, at most `bytes`. */
function run(linear: u64, bytes: u32): u32 {
  const rest: u32 = 0x1000 - (<u32>linear & 0xfff);
  return rest < bytes ? rest : bytes;
}

/** Largest power of two up to 8 that is not more than `bytes`. */
function piece(bytes: u32): u32 {
  return bytes >= 8 ? 8 : bytes >= 4 ? 4 : bytes >= 2 ? 2 : 1;
}

/** Copies guest memory to host address `to`; stops at a fault. */
export function copyFromGuest(cpu: usize, rec: usize, linear: u64, to: usize, bytes: u32): void {
  for (let done: u32 = 0; done < bytes; ) {
    const at = linear + done;
    const host = hostForRead(cpu, rec, at);
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    const length = host != 0 ? run(at, bytes - done) : piece(bytes - done);
    if (host != 0) memory.copy(to + done, host, length);
    else {
      const value = readGuest(cpu, rec, at, length | UNALIGNED);
      if (load<u32>(cpu + CPU_FAULT) != 0) return;
      storePiece(to + done, length, value);
    }
    done += length;
  }
}

/** Copies from host address `from` to guest memory; stops at a fault. */
export function copyToGuest(cpu: usize, rec: usize, linear: u64, from: usize, bytes: u32): void {
  for (let done: u32 = 0; done < bytes; ) {
    const at = linear + done;
    const host = hostForWrite(cpu, rec, at);
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    const length = host != 0 ? run(at, bytes - done) : piece(bytes - done);
    if (host != 0) memory.copy(host, from + done, length);
    else {
      writeGuest(cpu, rec, at, length | UNALIGNED, loadPiece(from + done, length));
      if (load<u32>(cpu + CPU_FAULT) != 0) return;
    }
    done += length;
  }
}

function loadPiece(from: usize, bytes: u32): u64 {
  if (bytes == 8) return load<u64>(from);
  if (bytes == 4) return <u64>load<u32>(from);
  if (bytes == 2) return <u64>load<u16>(from);
  return <u64>load<u8>(from);
}

function storePiece(to: usize, bytes: u32, value: u64): void {
  if (bytes == 8) store<u64>(to, value);
  else if (bytes == 4) store<u32>(to, <u32>value);
  else if (bytes == 2) store<u16>(to, <u16>value);
  else store<u8>(to, <u8>value);
}

/** Whether accesses may go by the soft TLB: neither alignment nor data breakpoints are looked for. */
function isProbed(cpu: usize): bool {
  return load<u32>(cpu + CPU_TLB_BASE) != <u32>EMPTY_TLB;
}

/** Copies a block inside one page; 10 bytes, of FLD and FSTP, are worth a case of their own. */
function copyBlock(to: usize, from: usize, bytes: u32): void {
  if (bytes == 10) {
    store<u64>(to, load<u64>(from));
    store<u16>(to, load<u16>(from, 8), 8);
  } else memory.copy(to, from, bytes);
}

/** Bytes of the fields that a block is transferred by, which is also what its alignment is checked for (SDM 3A table 6-7). */
function fieldSize(bytes: u32): u32 {
  if (bytes == 10) return 8;
  return (bytes & 3) != 0 ? 2 : 4;
}

/** Reads `bytes` (up to 512) of guest memory into the scratch area. */
export function readBlock(cpu: usize, rec: usize, linear: u64, bytes: u32): void {
  const scratch = cpu + CPU_SCRATCH;
  if (isProbed(cpu) && !crossesPage(linear, bytes)) {
    const host = hostForRead(cpu, rec, linear);
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    if (host != 0) {
      copyBlock(scratch, host, bytes);
      return;
    }
  }
  const field = fieldSize(bytes);
  // Of images with several fields, processors look for the first one, then for the last byte.
  if (bytes != 10 && !(checkRead(cpu, rec, linear, field) && checkRead(cpu, rec, linear + bytes - 1, 1))) return;
  for (let done: u32 = 0; done < bytes; ) {
    const size = min(field, bytes - done);
    const value = readGuest(cpu, rec, linear + done, size);
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    storePiece(scratch + done, size, value);
    done += size;
  }
}

/** Whether all of `[linear, linear + bytes)` may be read; raises the fault if not. At most one page boundary. */
function checkRead(cpu: usize, rec: usize, linear: u64, bytes: u32): bool {
  if (!precheck(cpu, rec, linear, bytes) || translate(cpu, linear, READ) == NO_PAGE) return false;
  return !crossesPage(linear, bytes) || translate(cpu, secondPage(cpu, linear), READ) != NO_PAGE;
}

/**
 * Writes `bytes` (up to 512) of the scratch area to guest memory. If there is a fault nothing is written, but for a value of
 * 80 bits, whose significand processors store before they look for the rest.
 */
export function writeBlock(cpu: usize, rec: usize, linear: u64, bytes: u32): void {
  const scratch = cpu + CPU_SCRATCH;
  if (isProbed(cpu) && !crossesPage(linear, bytes)) {
    const host = hostForWrite(cpu, rec, linear);
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    if (host != 0) {
      copyBlock(host, scratch, bytes);
      return;
    }
  }
  const field = fieldSize(bytes);
  if (bytes != 10 && !(checkWrite(cpu, rec, linear, field) && checkWrite(cpu, rec, linear + bytes - 1, 1))) return;
  for (let done: u32 = 0; done < bytes; ) {
    const size = min(field, bytes - done);
    writeGuest(cpu, rec, linear + done, size, loadPiece(scratch + done, size));
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
    done += size;
  }
}

const FX_AREA: u32 = 512;

/**
 * What FXSAVE (`write`) and FXRSTOR check of their area, in the order of processors: a canonical address, alignment to 16
 * bytes (#AC instead of #GP where alignment is checked at all), the last byte.
 */
export function checkFxArea(cpu: usize, rec: usize, linear: u64, write: bool): void {
  if (!precheck(cpu, rec, linear, 1)) return;
  if ((linear & 15) != 0) {
    raise(cpu, isAlignmentChecked(cpu) ? 17 : 13, 0);
    return;
  }
  const last = linear + FX_AREA - 1;
  if (write) checkWrite(cpu, rec, last, 1);
  else checkRead(cpu, rec, last, 1);
}
