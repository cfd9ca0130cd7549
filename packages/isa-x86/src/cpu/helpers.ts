// SPDX-License-Identifier: Apache-2.0
/** The helper module's exports that TypeScript calls. Addresses are i32, 64-bit values bigint. */
export interface Helpers {
  configureRam(low: number, high: number): void;
  /** Backs a page of the first megabyte for reads and writes; 0xffff_ffff is a device's. */
  mapLowPage(page: number, read: number, write: number): void;
  mapWindow(index: number, start: bigint, length: number, offset: number, writable: number): void;
  setAddressMask(mask: bigint): void;
  configureCpus(count: number): void;
  initTlb(cpu: number): void;
  flushTlb(cpu: number): void;
  invalidatePage(cpu: number, linear: bigint): void;
  refreshJumpContext(cpu: number): void;
  /** The live block at `offset` of `frame`, or 0. */
  findBlock(frame: number, offset: number, mode: number): number;
  /** First record of the block at a linear address that the jump cache holds for a context, or 0. */
  cachedRecord(cpu: number, linear: bigint, context: number): number;
  /** First of a list of dead blocks that compiled regions contain, or 0; they count as told afterwards. */
  takeDeadBlocks(): number;
  insertBlock(block: number, end: number, secondEnd: number): void;
  /** Sets what the head of a block counts, and counts what was interpreted before. */
  setHeat(block: number, heat: number): void;
  /** Brings the counter of interpreted instructions up to date; bytes in use of the two halves of the arena. */
  countAllInterpreted(used: number, otherUsed: number): void;
  evictHalf(half: number, used: number, otherUsed: number): void;
  writtenByDevice(offset: number, length: number): void;
  translateCode(cpu: number, linear: bigint): number;
  linearRip(cpu: number, rip: bigint): bigint;
  nextRip(cpu: number, record: number): bigint;
  recordRip(cpu: number, record: number): bigint;
  /** 0, or 1 for a triple fault. */
  deliverInterrupt(cpu: number, vector: number): number;
  deliverFault(cpu: number, record: number): number;
  /** Like deliverInterrupt, for the exception in the CPU record. */
  raisePending(cpu: number): number;
  beginStep(cpu: number): number;
  endStep(cpu: number): number;
  updateMode(cpu: number): void;
  readFlags(cpu: number): number;
  writeFlags(cpu: number, value: number, mask: number): void;
  writeEfer(cpu: number, value: bigint): number;
  timeStamp(cpu: number): bigint;
  /** Whether guests may be given an estimate of the time-stamp counter, 0 or 1: see EngineOptions. */
  estimateTicks(allowed: number): void;
  checkIo(cpu: number, port: number, bytes: number): void;
  checkIoBreakpoint(cpu: number, port: number, bytes: number): void;
  segmentAddress(cpu: number, record: number, segmentOffset: number, offset: bigint, bytesAndWrite: number): bigint;
  checkWrite(cpu: number, record: number, linear: bigint, size: number): number;
  /** Address in linear memory of a byte of RAM, good for the rest of its page, or 0 if accesses need checks. */
  hostForRead(cpu: number, record: number, linear: bigint): number;
  hostForWrite(cpu: number, record: number, linear: bigint): number;
  readGuest(cpu: number, record: number, linear: bigint, size: number): bigint;
  writeGuest(cpu: number, record: number, linear: bigint, size: number, value: bigint): void;
  /** Offset from the start of RAM of what reads of a physical address get; -1 for devices. */
  readOffset(physical: bigint): number;
  /** Accesses: 1 write, 2 read. See assembly/watch.ts for these three. */
  setWatchpoint(index: number, first: bigint, last: bigint, accesses: number): void;
  setWatchpointCount(count: number): void;
  setBreakpointPages(filter: bigint): void;
  /** MOV to CR0, CR2, CR3 or CR4, which may raise an exception. */
  writeControl(cpu: number, number: number, value: bigint): void;
  readPhysical(physical: bigint, bytes: number): bigint;
  writePhysical(physical: bigint, bytes: number, value: bigint): void;
}
