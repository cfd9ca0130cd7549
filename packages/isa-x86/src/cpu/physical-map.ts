// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import type { Helpers } from "./helpers.js";

const PAGE = 4096;
const MIB = 1 << 20;
/** For the helper module: a page that devices have. */
const DEVICE = 0xffff_ffff;
const ALL_ADDRESS_LINES = (1n << 64n) - 1n;
const ADDRESS_LINE_20 = 1n << 20n;

/** Memory beside RAM that a machine has taken: ROM or video memory. */
export interface ExtraMemory {
  /** Its bytes, for loading ROM and for devices; what guest code sees of them is up to the windows onto it. */
  readonly bytes: Uint8Array;
  /** Names its first byte to {@link PhysicalMap.backLow}. */
  readonly offset: number;
}

/** A window in physical address space through which guest code reaches {@link ExtraMemory} without leaving the engine. */
export interface MemoryWindow {
  /** Moves the window to `start`, or takes it away for null. */
  place(start: number | null): void;
}

/** What an address of the first megabyte is backed by: RAM of the same address, a place in extra memory, or a device. */
export type LowBacking = "ram" | "device" | { readonly offset: number };

/**
 * What guest-physical addresses lead to. After creation it is RAM, then devices; a PC's chip set changes it while the
 * guest runs: shadow RAM, ROM, frame buffers, and the masking of address line 20. All vCPUs see a change at their next
 * block; instructions of the block under way that follow the change may see the old state, as a prefetch queue would.
 */
export class PhysicalMap {
  private taken = 0;
  private windows = 0;

  /** @param records addresses of the records of all vCPUs */
  constructor(
    private readonly helpers: Helpers,
    private readonly ram: GuestRam,
    private readonly extra: Uint8Array,
    private readonly records: readonly number[],
  ) {}

  /** Takes `length` bytes, a multiple of 4 KiB, of the memory beside RAM. */
  takeExtra(length: number): ExtraMemory {
    const start = this.taken;
    this.taken += length;
    assert(length % PAGE === 0 && this.taken <= this.extra.length, "the machine needs more memory beside its RAM");
    return { bytes: this.extra.subarray(start, this.taken), offset: this.ram.size + start };
  }

  /** A new window onto extra memory, which is nowhere yet. Writes through one that is not writable go to devices. */
  addWindow(memory: ExtraMemory, writable: boolean): MemoryWindow {
    const index = this.windows++;
    return {
      place: (start) => {
        const length = start === null ? 0 : memory.bytes.length;
        this.helpers.mapWindow(index, BigInt(start ?? 0), length, memory.offset, writable ? 1 : 0);
        this.flush();
      },
    };
  }

  /**
   * Says what pages of the first megabyte are backed by, for reads and for writes. Devices that use DMA reach RAM there
   * only where reads do.
   */
  backLow(start: number, length: number, read: LowBacking, write: LowBacking): void {
    assert(start % PAGE === 0 && length % PAGE === 0 && start + length <= MIB, "whole pages of the first megabyte");
    for (let at = start; at < start + length; at += PAGE)
      this.helpers.mapLowPage(at / PAGE, offsetOf(read, at, at - start), offsetOf(write, at, at - start));
    this.ram.showLow(start, length, read === "ram");
    this.flush();
  }

  /** Says that a device has changed extra memory, so that code decoded from there is dropped. */
  writtenBeside(memory: ExtraMemory, offset: number, length: number): void {
    this.helpers.writtenByDevice(memory.offset + offset, length);
  }

  /** Opens or masks address line 20. */
  setA20(open: boolean): void {
    this.helpers.setAddressMask(open ? ALL_ADDRESS_LINES : ALL_ADDRESS_LINES ^ ADDRESS_LINE_20);
    this.flush();
  }

  /** A live view of memory for a debugger, ROM and video memory included; null if a byte of it is a device's. */
  peek(address: number, length: number): Uint8Array | null {
    const offset = this.helpers.readOffset(BigInt(address)) >>> 0;
    return isInPage(address, length) && offset !== DEVICE ? this.view(offset, length) : null;
  }

  /** Writes within a page as a debugger does, also to memory that is read-only for the guest. False for devices. */
  poke(address: number, data: Uint8Array): boolean {
    const view = this.peek(address, data.length);
    if (view === null) return false;
    view.set(data);
    this.helpers.writtenByDevice(this.helpers.readOffset(BigInt(address)) >>> 0, data.length);
    return true;
  }

  private view(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.extra.buffer, this.ram.base + offset, length);
  }

  private flush(): void {
    for (const record of this.records) this.helpers.flushTlb(record);
  }
}

/** Whether a range lies in one page, which is backed as a whole. */
function isInPage(address: number, length: number): boolean {
  return (address % PAGE) + length <= PAGE;
}

function offsetOf(backing: LowBacking, address: number, delta: number): number {
  if (backing === "ram") return address;
  return backing === "device" ? DEVICE : backing.offset + delta;
}
