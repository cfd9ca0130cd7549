// SPDX-License-Identifier: Apache-2.0
// From RIP to a block's first record, and from a record back to RIP.
import {
  BLOCK_FRAME,
  BLOCK_HEADER_SIZE,
  BLOCK_SECOND_FRAME,
  CPU_BUDGET,
  CPU_CODE_BASE,
  CPU_CPL,
  CPU_CS_BASE,
  CPU_CS_LIMIT,
  CPU_CURRENT_RECORD,
  CPU_EXIT_DATA,
  CPU_EXIT_REASON,
  CPU_FAULT,
  CPU_FAULT_ERROR,
  CPU_JUMP_CONTEXT,
  CPU_MODE_KEY,
  CPU_RIP,
  CPU_STEPPING,
  CPU_TLB_BASE,
  EMPTY_TLB,
  EXIT_DECODE,
  EXIT_EVENT,
  EXIT_EXCEPTION,
  EXIT_SHUTDOWN,
  EXIT_STEP,
  FAULT_STEP,
  HANDLER_RESYNC,
  HOT_CODE_BASE,
  HOT_CONTEXT,
  HOT_CPU,
  HOT_ENTRY_SIZE,
  HOT_QUEUE,
  HOT_QUEUE_CAPACITY,
  HOT_RECORD,
  RAM_BASE,
  RECORD_FLAGS,
  RECORD_FLAG_HEAD,
  RECORD_HANDLER,
  RECORD_LENGTH,
  RECORD_PAGE_OFFSET,
  RECORD_REMAINING,
  RECORD_SIZE,
  VCPU_COUNTER_BLOCK_LOOKUPS,
  VCPU_COUNTER_LINKS,
} from "./generated/layout";
import { setHeat } from "./heat";
import { count } from "./counters";
import { findBlock } from "./code-cache";
import { entryOf as jumpCacheEntry, rememberJump } from "./jump-cache";
import { raisePending } from "./system/exception";
import { EXECUTE, IS_GLOBAL, NO_PAGE, walk } from "./paging";
import { NOT_RAM, readOffset } from "./physical";
import { ADDEND, SYSTEM, TAG_EXECUTE, USER, arrayOf, entryOf, fillCode, tagOf } from "./tlb";
import { noteFetch } from "./watch";

const PAGE: u64 = ~(<u64>0xfff);
const NO_FRAME: u32 = 0xffff_ffff;
const CODE_SIZE_MASK: u32 = 3;
const CODE_64: u32 = 2;
const CODE_16: u32 = 0;
const FLAT: u32 = 8;
const STEP: u32 = 0x80;
/** Link.Never of the engine. */
const NEVER_LINKED: u32 = 1;

/** Truncates an instruction pointer to the current code size. */
export function truncateRip(cpu: usize, rip: u64): u64 {
  const size = load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK;
  if (size == CODE_64) return rip;
  return size == CODE_16 ? rip & 0xffff : rip & 0xffff_ffff;
}

/** Address of the instruction that a record was decoded from. */
export function recordRip(cpu: usize, rec: usize): u64 {
  return truncateRip(cpu, load<u64>(cpu + CPU_CODE_BASE) + <u64>load<u16>(rec + RECORD_PAGE_OFFSET));
}

/** Address of the instruction behind a record's. */
export function nextRip(cpu: usize, rec: usize): u64 {
  return truncateRip(cpu, load<u64>(cpu + CPU_CODE_BASE) + <u64>load<u16>(rec + RECORD_PAGE_OFFSET) + <u64>load<u8>(rec + RECORD_LENGTH));
}

/** Linear address of RIP. */
export function linearRip(cpu: usize, rip: u64): u64 {
  if ((load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK) == CODE_64) return rip;
  return (load<u64>(cpu + CPU_CS_BASE) + rip) & 0xffff_ffff;
}

/**
 * Translates a page of code. Offset of the page in RAM; NOT_RAM with CPU_FAULT set on a fault. The array that serves
 * data may be another one than that of fetches; it gets the execute tag, too, for compiled code to find it there.
 */
export function translateCode(cpu: usize, linear: u64): u32 {
  const ram = translateFetch(cpu, linear);
  const data = <usize>load<u32>(cpu + CPU_TLB_BASE);
  if (ram != NOT_RAM && data != EMPTY_TLB && data != fetchArray(cpu)) fillCode(cpu, data, linear, IS_GLOBAL, ram);
  return ram;
}

/** The array that serves fetches: EFLAGS.AC and data breakpoints, which choose among those of data, do not matter. */
function fetchArray(cpu: usize): usize {
  return arrayOf(cpu, load<u32>(cpu + CPU_CPL) == 3 ? USER : SYSTEM);
}

function translateFetch(cpu: usize, linear: u64): u32 {
  const base = fetchArray(cpu);
  const entry = entryOf(base, linear);
  if (load<u64>(entry + TAG_EXECUTE) == tagOf(cpu, base, linear))
    return (load<u32>(entry + ADDEND) + (<u32>linear & 0xffff_f000)) - <u32>RAM_BASE;
  if ((load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK) == CODE_64 && (<i64>(linear << 16)) >> 16 != <i64>linear) {
    store<u32>(cpu + CPU_FAULT, 14);
    store<u32>(cpu + CPU_FAULT_ERROR, 0);
    return NOT_RAM;
  }
  const page = walk(cpu, linear, EXECUTE, load<u32>(cpu + CPU_CPL) == 3, true);
  if (page == NO_PAGE) return NOT_RAM;
  const ram = readOffset(page & PAGE);
  if (ram == NOT_RAM) return NOT_RAM;
  fillCode(cpu, base, linear, page, ram);
  noteFetch(linear, ram);
  return ram;
}

/**
 * The first record of the block at CPU_RIP, with CPU_CODE_BASE set for it. 0 = the run loop must act, for the reason in
 * CPU_EXIT_REASON. Faults of the fetch are delivered on the way.
 */
export function lookup(cpu: usize): usize {
  while (true) {
    count(cpu + VCPU_COUNTER_BLOCK_LOOKUPS);
    const rip = load<u64>(cpu + CPU_RIP);
    const mode = load<u32>(cpu + CPU_MODE_KEY);
    if ((mode & STEP) != 0 && load<u32>(cpu + CPU_STEPPING) == 0) {
      // The last instruction has switched single-stepping on: the run loop takes it from here.
      store<u32>(cpu + CPU_EXIT_REASON, EXIT_EXCEPTION);
      return 0;
    }
    const code64 = (mode & CODE_SIZE_MASK) == CODE_64;
    if (!code64 && (mode & FLAT) == 0 && rip > <u64>load<u32>(cpu + CPU_CS_LIMIT)) {
      store<u32>(cpu + CPU_FAULT, 14);
      store<u32>(cpu + CPU_FAULT_ERROR, 0);
    } else {
      const linear = linearRip(cpu, rip);
      const ram = translateCode(cpu, linear);
      if (ram != NOT_RAM) {
        const offset = <u32>linear & 0xfff;
        const block = findBlock(ram >> 12, offset, mode);
        if (block != 0 && secondFrameHolds(cpu, block, linear)) {
          const record = block + BLOCK_HEADER_SIZE;
          store<u64>(cpu + CPU_CODE_BASE, rip - <u64>offset);
          // Never while single-stepping: whatever finds a block in the jump cache runs on.
          if ((mode & (FLAT | STEP)) == FLAT) rememberJump(cpu, linear, record, load<u32>(block + BLOCK_SECOND_FRAME) != NO_FRAME);
          return record;
        }
        if (load<u32>(cpu + CPU_FAULT) == 0) {
          store<u32>(cpu + CPU_EXIT_REASON, EXIT_DECODE);
          store<u32>(cpu + CPU_EXIT_DATA, ram >> 12);
          store<u32>(cpu + CPU_EXIT_DATA + 4, offset);
          return 0;
        }
      } else if (load<u32>(cpu + CPU_FAULT) == 0) {
        // A fetch from a device or from nowhere reads all ones, which is no instruction.
        store<u32>(cpu + CPU_FAULT, 7);
      }
    }
    if (raisePending(cpu) != 0) {
      store<u32>(cpu + CPU_EXIT_REASON, EXIT_SHUTDOWN);
      return 0;
    }
    if (load<u32>(cpu + CPU_STEPPING) != 0) {
      store<u32>(cpu + CPU_EXIT_REASON, EXIT_EXCEPTION);
      return 0;
    }
    // A handler may lie where nothing can be fetched, on a stack that never runs out: that must not go on for ever.
    const budget = load<i32>(cpu + CPU_BUDGET) - 1;
    store<i32>(cpu + CPU_BUDGET, budget);
    if (budget < 0) {
      store<u32>(cpu + CPU_EXIT_REASON, EXIT_EVENT);
      return 0;
    }
  }
}

/**
 * For a block whose instruction straddles two pages: whether the second page is still where it was. If not, the block
 * is of no use here and the run loop decodes again. May raise a fault.
 */
function secondFrameHolds(cpu: usize, block: usize, linear: u64): bool {
  const second = load<u32>(block + BLOCK_SECOND_FRAME);
  if (second == NO_FRAME) return true;
  const next = (linear & PAGE) + 0x1000;
  const code64 = (load<u32>(cpu + CPU_MODE_KEY) & CODE_SIZE_MASK) == CODE_64;
  const ram = translateCode(cpu, code64 ? next : next & 0xffff_ffff);
  return ram != NOT_RAM && ram >> 12 == second;
}

/**
 * Like {@link lookup} at CPU_RIP, the target of a direct jump inside one page: remembers the result in the jump's link.
 * The target must still be in the jump's own frame, whatever the page tables say by now.
 */
export function resolve(cpu: usize, rec: usize, slot: usize): usize {
  const rip = load<u64>(cpu + CPU_RIP);
  const target = lookup(cpu);
  if (target == 0 || load<u64>(cpu + CPU_RIP) != rip) return target;
  if (load<u32>(rec + RECORD_HANDLER) == HANDLER_RESYNC) return target;
  let head = rec;
  while ((load<u8>(head + RECORD_FLAGS) & RECORD_FLAG_HEAD) == 0) head -= RECORD_SIZE;
  const from = head - BLOCK_HEADER_SIZE;
  const to = target - BLOCK_HEADER_SIZE;
  // A link is followed without asking where the second page is; the jump cache knows when that may have changed.
  if (load<u32>(to + BLOCK_SECOND_FRAME) != NO_FRAME) store<u32>(slot, NEVER_LINKED);
  else if (load<u32>(to + BLOCK_FRAME) == load<u32>(from + BLOCK_FRAME)) {
    count(cpu + VCPU_COUNTER_LINKS);
    store<u32>(slot, <u32>target);
  }
  return target;
}

/** The first record of the block at linear address `linear` that the jump cache holds for `context`, or 0. */
export function cachedRecord(cpu: usize, linear: u64, context: u32): u32 {
  const entry = jumpCacheEntry(cpu, linear);
  return load<u64>(entry) == linear && load<u32>(entry + 8) == context ? load<u32>(entry + 12) : 0;
}

/** Queues a block that has become hot for the translator; when the queue is full it will be hot again later. */
export function noteHot(cpu: usize, rec: usize): void {
  const count = <usize>load<u32>(HOT_QUEUE);
  if (count >= HOT_QUEUE_CAPACITY) {
    setHeat(rec - BLOCK_HEADER_SIZE, 0);
    return;
  }
  store<u32>(HOT_QUEUE, <u32>count + 1);
  const entry = HOT_QUEUE + 64 + count * HOT_ENTRY_SIZE;
  store<u32>(entry + HOT_RECORD, <u32>rec);
  store<u32>(entry + HOT_CONTEXT, load<u32>(cpu + CPU_JUMP_CONTEXT));
  store<u32>(entry + HOT_CPU, <u32>cpu);
  store<u64>(entry + HOT_CODE_BASE, load<u64>(cpu + CPU_CODE_BASE));
}

/**
 * Delivers the exception that a handler or helper raised: the instruction of `rec` and those behind it in the block did
 * not retire. The attempt costs budget all the same, or a handler that faults itself would never give control back.
 * @returns 0 to go on at CPU_RIP, else the reason to leave to the run loop
 */
export function deliverFault(cpu: usize, rec: usize): u32 {
  store<u32>(cpu + CPU_BUDGET, load<u32>(cpu + CPU_BUDGET) + <u32>load<u8>(rec + RECORD_REMAINING) - 1);
  store<u64>(cpu + CPU_RIP, recordRip(cpu, rec));
  store<u32>(cpu + CPU_CURRENT_RECORD, <u32>rec);
  if (load<u32>(cpu + CPU_FAULT) == FAULT_STEP) {
    store<u32>(cpu + CPU_FAULT, 0);
    store<u32>(cpu + CPU_BUDGET, load<u32>(cpu + CPU_BUDGET) + 1);
    return EXIT_STEP;
  }
  if (raisePending(cpu) != 0) return EXIT_SHUTDOWN;
  return load<u32>(cpu + CPU_STEPPING) != 0 ? EXIT_EXCEPTION : 0;
}
