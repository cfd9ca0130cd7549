// SPDX-License-Identifier: Apache-2.0
import { TARGET_SAMPLE_ENTRIES, TARGET_SAMPLES, TARGETS_PER_SAMPLE } from "./memory-map.js";

/**
 * A decoded instruction: 32 bytes that its handler reads. Records of one block are contiguous and executed in order.
 * `reg`, `rm`, `vvvv`, `base` and `index` are byte offsets into the CPU record (control and debug registers: numbers).
 */
export const RECORD_SIZE = 32;

export enum RecordField {
  /** u32: index of the handler in the function table. */
  Handler = 0,
  Reg = 4,
  Rm = 6,
  Base = 8,
  Index = 10,
  Vvvv = 12,
  /** u8: shift of the index. */
  Scale = 14,
  /** u8: guest instructions of the block from this one on. */
  Remaining = 15,
  /** i32: displacement of the memory operand, or branch target relative to the start of the page. */
  Displacement = 16,
  /** u16: offset of the instruction in its page. */
  PageOffset = 20,
  /** u8: bytes of the instruction. */
  Length = 22,
  /** u8: see RecordFlag. */
  Flags = 23,
  /** i64: immediate. Branches: two links, u32 each, taken then not taken. */
  Immediate = 24,
  /** u32: how often an indirect jump has been sampled: see TARGET_SAMPLES. */
  Samples = 24,
  LinkTaken = 24,
  LinkNotTaken = 28,
}

/** Address of the samples of the indirect jump whose record is at `record`. */
export function targetSamples(record: number): number {
  return TARGET_SAMPLES + ((record / RECORD_SIZE) & (TARGET_SAMPLE_ENTRIES - 1)) * TARGETS_PER_SAMPLE * 4;
}

/** Fields of a block's first record, which is no instruction, beside those of {@link RecordField} that it uses too. */
export enum HeadField {
  /** u16: number of the block in the compiled region that is entered here. */
  Index = 4,
  /** i32: how often the interpreter has entered the block. */
  Heat = 16,
  /** i32: bytes from the virtual page of the region's first block to this one's. */
  Delta = 24,
}

export enum RecordFlag {
  /** The memory operand is relative to SS: a non-canonical address raises #SS instead of #GP. */
  StackSegment = 1,
  /** The record holds links. */
  Links = 2,
  /** First record of a block; see HeadField. */
  Head = 4,
}

/** Values of a link below the first record address. */
export enum Link {
  /** Not linked yet. */
  Open = 0,
  /** The target is in another page and must be looked up every time. */
  Never = 1,
}

/**
 * Header of a block, in front of its records: what {@link RecordField} is to a record. The two nodes put the block into
 * the lists of the one or two frames that hold its bytes.
 */
export const BLOCK_HEADER_SIZE = 64;

export enum BlockField {
  /** u32: frame of RAM with the first byte. */
  Frame = 0,
  /** u32: frame with the rest of an instruction that straddles two pages, or NO_FRAME. */
  SecondFrame = 4,
  ModeKey = 8,
  PageOffset = 10,
  /** u16: records, the head included. */
  Records = 12,
  /** u16: 1 once the block is dead. */
  Dead = 14,
  /** u32: next block in the bucket of the block table. */
  NextInBucket = 16,
  /** u16: 1 if a compiled region contains the block, so that its death must be told to the translator. */
  Compiled = 20,
  /** u32: next block in the list of dead blocks that the translator has not heard of yet. */
  NextDead = 24,
  /** u32: heat up to which entries have been counted as interpreted. */
  CountedHeat = 28,
  FirstNode = 32,
  SecondNode = 48,
}

export enum NodeField {
  Next = 0,
  Block = 4,
  /** u16: bytes [start, end) of the frame. */
  Start = 8,
  End = 10,
}

export const NO_FRAME = 0xffff_ffff;

/** Beside exception vectors in the CPU record's `fault`: compiled code must let the interpreter do the instruction. */
export const FAULT_INTERPRET = 0x200;
/** Likewise: the run loop must execute the instruction by itself, since it accesses what a debugger watches. */
export const FAULT_STEP = 0x201;

/** One entry of the queue of blocks that have become hot. */
export const HOT_ENTRY_SIZE = 24;

export enum HotField {
  /** u32: first record of the block. */
  Record = 0,
  /** u32: jumpContext of the vCPU at that time. */
  Context = 4,
  /** u32: address of the vCPU's record. */
  Cpu = 8,
  /** u64: RIP of the start of the block's page. */
  CodeBase = 16,
}

/** Why compiled code returned to the run loop. */
export enum Exit {
  /** The budget is used up or the event word is set. */
  Event = 1,
  /** There is no block at RIP yet: frame and offset are in exitData. */
  Decode = 2,
  /** An instruction is to be emulated by the run loop. */
  Trap = 3,
  /** Triple fault. */
  Shutdown = 4,
  /** An exception was delivered while single-stepping. */
  Exception = 5,
  /** An instruction has a breakpoint of a debugger; RIP is its address. */
  Breakpoint = 6,
  /** The instruction at RIP accesses what a debugger watches, and must be executed by itself. */
  Step = 7,
}
