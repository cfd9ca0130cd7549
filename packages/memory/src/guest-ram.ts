// SPDX-License-Identifier: Apache-2.0
import { type Gpa, gpa, OperatorError } from "@isola/base";
import type { MemoryReclaimer } from "@isola/ports";

/** End of low RAM: the PCI hole, the APICs and the firmware live between here and 4 GiB. */
export const LOW_RAM_LIMIT = 0xc000_0000;
const FOUR_GIB = 0x1_0000_0000;
/** Below this address a chip set may put other things in front of RAM. */
const MIB = 0x10_0000;
const PAGE_SHIFT = 12;
const PAGE_SIZE = 1 << PAGE_SHIFT;

/** Called after a device wrote guest RAM, so that translations of that code can be dropped. */
export type WriteHook = (address: Gpa, length: number) => void;

/** Looks before it writes: a page of the host that nobody has written to yet takes no memory, and stays so. */
function clear(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const page = bytes.subarray(at, at + PAGE_SIZE);
    if (!isClear(page)) page.fill(0);
  }
}

function isClear(page: Uint8Array): boolean {
  if (page.byteOffset % 4 !== 0 || page.length % 4 !== 0) return false;
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  return true;
}

/**
 * Guest-physical RAM as seen by devices, firmware loaders and the debugger. It is a window into the linear memory in
 * which guest code runs: `[0, lowSize)` holds low RAM, the rest appears at 4 GiB in guest-physical space.
 *
 * Every access checks its range; nothing outside RAM is ever read or written. Multi-byte values are little endian.
 */
export class GuestRam {
  readonly size: number;
  readonly lowSize: number;
  readonly highSize: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private writeHook: WriteHook | null = null;
  /** For each page of the first megabyte whether something else is there; null while it is all RAM. */
  private hidden: Uint8Array | null = null;

  /**
   * @param buffer the linear memory
   * @param base offset of guest-physical 0 in `buffer`
   * @param size bytes of RAM, a multiple of 4 KiB
   */
  constructor(
    buffer: ArrayBufferLike,
    readonly base: number,
    size: number,
  ) {
    if (size % 4096 !== 0 || base + size > buffer.byteLength)
      throw new OperatorError("bad-memory-size", `guest RAM of ${size} bytes does not fit the machine's memory`);
    this.size = size;
    this.lowSize = Math.min(size, LOW_RAM_LIMIT);
    this.highSize = size - this.lowSize;
    this.bytes = new Uint8Array(buffer, base, size);
    this.view = new DataView(buffer, base, size);
  }

  /** Installs the one hook that hears of writes by devices. */
  onWrite(hook: WriteHook): void {
    this.writeHook = hook;
  }

  /**
   * Hides whole pages of the first megabyte from devices, or shows them again: video memory or ROM is there instead. An
   * access to a range with a hidden page fails as one outside RAM does.
   */
  showLow(start: number, length: number, shown: boolean): void {
    this.hidden ??= new Uint8Array(MIB >> PAGE_SHIFT);
    this.hidden.fill(shown ? 0 : 1, start >> PAGE_SHIFT, (start + length) >> PAGE_SHIFT);
  }

  /** Offset in RAM of `[address, address + length)`, or -1 if it is not wholly RAM. */
  offsetOf(address: number, length: number): number {
    if (!(address >= 0) || !(length >= 0)) return -1;
    if (address + length <= this.lowSize) return address < MIB && this.hides(address, length) ? -1 : address;
    if (address >= FOUR_GIB && address + length <= FOUR_GIB + this.highSize) return address - FOUR_GIB + this.lowSize;
    return -1;
  }

  /** A live view of guest memory for reading, or null if the range is not RAM. Do not write through it. */
  peek(address: number, length: number): Uint8Array | null {
    const at = this.offsetOf(address, length);
    return at < 0 ? null : this.bytes.subarray(at, at + length);
  }

  /** Copies guest memory into `into`; false (and nothing copied) if the range is not RAM. */
  read(address: number, into: Uint8Array): boolean {
    const at = this.offsetOf(address, into.length);
    if (at < 0) return false;
    into.set(this.bytes.subarray(at, at + into.length));
    return true;
  }

  /** Copies `data` into guest memory; false (and nothing copied) if the range is not RAM. */
  write(address: number, data: Uint8Array): boolean {
    const at = this.offsetOf(address, data.length);
    if (at < 0) return false;
    this.bytes.set(data, at);
    this.written(address, data.length);
    return true;
  }

  /**
   * Clears whole pages that the guest does not need, and gives the host's memory behind them back if `reclaim` can. False
   * if the range is not RAM.
   */
  release(address: number, length: number, reclaim?: MemoryReclaimer): boolean {
    const at = this.offsetOf(address, length);
    if (at < 0) return false;
    const bytes = this.bytes.subarray(at, at + length);
    if (reclaim?.(bytes) !== true) clear(bytes);
    this.written(address, length);
    return true;
  }

  /** Unsigned 8-bit value, or 0 outside RAM. */
  u8(address: number): number {
    const at = this.offsetOf(address, 1);
    return at < 0 ? 0 : this.bytes[at]!;
  }

  /** Unsigned 16-bit value, or 0 outside RAM. */
  u16(address: number): number {
    const at = this.offsetOf(address, 2);
    return at < 0 ? 0 : this.view.getUint16(at, true);
  }

  /** Unsigned 32-bit value, or 0 outside RAM. */
  u32(address: number): number {
    const at = this.offsetOf(address, 4);
    return at < 0 ? 0 : this.view.getUint32(at, true);
  }

  /** Unsigned 64-bit value, or 0 outside RAM. */
  u64(address: number): bigint {
    const at = this.offsetOf(address, 8);
    return at < 0 ? 0n : this.view.getBigUint64(at, true);
  }

  setU8(address: number, value: number): boolean {
    const at = this.offsetOf(address, 1);
    if (at < 0) return false;
    this.bytes[at] = value;
    this.written(address, 1);
    return true;
  }

  setU16(address: number, value: number): boolean {
    const at = this.offsetOf(address, 2);
    if (at < 0) return false;
    this.view.setUint16(at, value, true);
    this.written(address, 2);
    return true;
  }

  setU32(address: number, value: number): boolean {
    const at = this.offsetOf(address, 4);
    if (at < 0) return false;
    this.view.setUint32(at, value, true);
    this.written(address, 4);
    return true;
  }

  setU64(address: number, value: bigint): boolean {
    const at = this.offsetOf(address, 8);
    if (at < 0) return false;
    this.view.setBigUint64(at, value, true);
    this.written(address, 8);
    return true;
  }

  private hides(address: number, length: number): boolean {
    const { hidden } = this;
    if (hidden === null || length === 0) return false;
    const last = Math.min(address + length, MIB) - 1;
    for (let page = address >> PAGE_SHIFT; page <= last >> PAGE_SHIFT; page++) if (hidden[page] !== 0) return true;
    return false;
  }

  private written(address: number, length: number): void {
    if (this.writeHook !== null) this.writeHook(gpa(address), length);
  }
}
