// SPDX-License-Identifier: Apache-2.0
/**
 * The engine's linear memory, from address 0 up. Guest RAM comes last, so that the rest has fixed addresses; whatever
 * is never touched costs no host memory.
 */
export const MAX_CPUS = 8;
/** Bytes between the records of two vCPUs. */
export const CPU_STRIDE = 0x4000;
/** Bytes from the record of a vCPU to the counters that helpers keep for it. */
export const VCPU_COUNTERS = 0x2000;

/** Entries of one soft TLB, a power of two. */
export const TLB_ENTRIES = 8192;
export const TLB_ENTRY_SIZE = 32;

/** One entry of the soft TLB. */
export enum TlbField {
  /** u64: page and address-space tag under which reads hit, or 0. */
  TagRead = 0,
  /** The same for writes, and for fetches. */
  TagWrite = 8,
  TagExecute = 16,
  /** u32: host address = low 32 bits of the linear one + this. */
  Addend = 24,
  /** u32: offset of the page in RAM. */
  RamPage = 28,
}

export const TLB_SIZE: number = TLB_ENTRIES * TLB_ENTRY_SIZE;
/** Supervisor, user, supervisor with access to user pages. */
export const TLBS_PER_CPU = 3;

/** Entries of a jump cache, a power of two; one entry is i64 linear address, i32 context, i32 record. */
export const JUMP_CACHE_ENTRIES = 16384;
export const JUMP_CACHE_ENTRY_SIZE = 16;
export const JUMP_CACHE_SIZE: number = JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_SIZE;

/** Buckets of the block table, a power of two. */
export const BLOCK_BUCKETS = 0x40000;

/** Largest guest RAM in bytes. */
export const MAX_RAM = 0xe000_0000;
/** Most memory beside RAM, for ROM, flash and video memory. */
export const MAX_EXTRA_MEMORY = 0x0800_0000;

/** Static data of the helper module starts here. */
export const HELPER_DATA = 0x0000_1000;
export const CPU_RECORDS = 0x0010_0000;
/** u32 number of entries, then from offset 64 on the entries: blocks that have become hot; see HotField. */
export const HOT_QUEUE = 0x0018_0000;
export const HOT_QUEUE_CAPACITY = 512;
/**
 * Where indirect jumps went: the low halves of some addresses or 0, in the entry that a hash of the jump's record chooses.
 * Hints for the region former only.
 */
export const TARGET_SAMPLES = 0x0019_0000;
export const TARGET_SAMPLE_ENTRIES = 2048;
export const TARGETS_PER_SAMPLE = 16;
/** Counters that helpers keep for the machine as a whole. */
export const CODE_COUNTERS: number = CPU_RECORDS + MAX_CPUS * CPU_STRIDE;
/** A TLB without valid entries, shared by all vCPUs: every access takes the slow path. */
export const EMPTY_TLB: number = 0x0020_0000;
export const TLBS: number = EMPTY_TLB + TLB_SIZE;
export const JUMP_CACHES = 0x00a0_0000;
export const BLOCK_TABLE = 0x0100_0000;
/** Decoded blocks: two halves that are filled and evicted in turn. */
export const ARENA = 0x0200_0000;
export const ARENA_HALF_SIZE = 0x0200_0000;
/** One 64-bit mask a frame of RAM: bit i set = decoded code in bytes [64 i, 64 i + 64). */
export const CODE_MASKS = 0x0600_0000;
/** One u32 a frame of RAM: first node of the list of its blocks, or 0. */
export const FRAME_BLOCKS = 0x0680_0000;
/** Two u32 a frame of RAM: the TLB entries through which it can be written, or all ones if there are more. */
export const FRAME_WRITERS = 0x06c0_0000;
export const RAM_BASE = 0x0800_0000;

/** Pages of 64 KiB that a machine with this many bytes of RAM, and memory beside it, needs. */
export function memoryPages(size: number): number {
  return Math.ceil((RAM_BASE + size) / 0x1_0000);
}

/** The most that a machine can need: what modules declare of the memory that they import. */
export const MAX_MEMORY_PAGES: number = memoryPages(MAX_RAM + MAX_EXTRA_MEMORY);
