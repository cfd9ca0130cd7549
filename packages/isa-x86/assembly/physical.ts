// SPDX-License-Identifier: Apache-2.0
// Guest-physical space: RAM below the PCI hole, RAM from 4 GiB up, pages of the first megabyte whose backing a chip set
// switches, windows onto ROM and video memory, and everything else, which belongs to devices. What is backed lies in
// linear memory from RAM_BASE on and is named by its offset there: RAM first, then the rest.
import { RAM_BASE } from "./generated/layout";
import { mmioRead, mmioWrite } from "./host";
import { writtenCode } from "./code-cache";

const FOUR_GIB: u64 = 0x1_0000_0000;
const MIB: u64 = 0x10_0000;
/** Marks a stand-in for a physical address; no guest has one this high. */
const BESIDE_RAM: u64 = 0x4000_0000_0000_0000;
/** Result of {@link readOffset} and {@link writeOffset} for an address that belongs to a device. */
export const NOT_RAM: u32 = 0xffff_ffff;

const LOW_PAGES: u32 = 256;
const MAX_WINDOWS: u32 = 8;

/** Accesses to devices so far: whoever wants to know whether there was one compares. */
export let deviceAccesses: u32 = 0;
let lowSize: u64 = 0;
let highSize: u64 = 0;
/** Clears address line 20 while it is masked. */
let addressMask: u64 = 0xffff_ffff_ffff_ffff;
/** Some page of the first megabyte is not plain RAM. */
let lowMapped: bool = false;
let windowCount: u32 = 0;

/** For each page of the first megabyte, u32 offset for reads and u32 offset for writes. */
const lowPages: usize = memory.data(2048);
/** Windows: u64 first address, u64 last address, u32 offset, u32 writable. */
const windows: usize = memory.data(192);
const WINDOW_SIZE: usize = 24;

/** Tells how much RAM lies below the PCI hole and from 4 GiB up, in bytes. */
export function configureRam(low: u32, high: u32): void {
  lowSize = <u64>low;
  highSize = <u64>high;
  for (let page: u32 = 0; page < LOW_PAGES; page++) mapLowPage(page, page << 12, page << 12);
  lowMapped = false;
  for (let index: u32 = 0; index < MAX_WINDOWS; index++) mapWindow(index, 0, 0, 0, 0);
  windowCount = 0;
}

/** Backs page `page` of the first megabyte for reads and for writes; NOT_RAM gives it to devices. TLBs must be flushed. */
export function mapLowPage(page: u32, read: u32, write: u32): void {
  const at = lowPages + (<usize>page << 3);
  store<u32>(at, read);
  store<u32>(at, write, 4);
  lowMapped = true;
}

/** Puts window `index` at `start`; length 0 takes it away. Where windows meet RAM, RAM wins. TLBs must be flushed. */
export function mapWindow(index: u32, start: u64, length: u32, offset: u32, writable: u32): void {
  if (index >= MAX_WINDOWS) return;
  const at = windows + <usize>index * WINDOW_SIZE;
  // An empty window ends before it begins.
  store<u64>(at, length == 0 ? 1 : start);
  store<u64>(at, length == 0 ? 0 : start + <u64>length - 1, 8);
  store<u32>(at, offset, 16);
  store<u32>(at, writable, 20);
  windowCount = max<u32>(windowCount, index + 1);
}

/** Sets the mask of physical addresses. TLBs must be flushed. */
export function setAddressMask(mask: u64): void {
  addressMask = mask;
}

/** Offset of what reads of a guest-physical address get, or NOT_RAM. Pages never mix. */
export function readOffset(physical: u64): u32 {
  const address = physical & addressMask;
  if (address < lowSize) {
    if (address >= MIB || !lowMapped) return <u32>address;
    return lowOffset(address, 0);
  }
  return address - FOUR_GIB < highSize ? <u32>(address - FOUR_GIB + lowSize) : windowOffset(physical, false);
}

/** Offset of what writes of a guest-physical address change, or NOT_RAM. */
export function writeOffset(physical: u64): u32 {
  const address = physical & addressMask;
  if (address < lowSize) {
    if (address >= MIB || !lowMapped) return <u32>address;
    return lowOffset(address, 4);
  }
  return address - FOUR_GIB < highSize ? <u32>(address - FOUR_GIB + lowSize) : windowOffset(physical, true);
}

function lowOffset(address: u64, field: usize): u32 {
  const page = load<u32>(lowPages + (<usize>(address >> 12) << 3) + field);
  return page == NOT_RAM ? NOT_RAM : page | (<u32>address & 0xfff);
}

function windowOffset(physical: u64, write: bool): u32 {
  if ((physical & BESIDE_RAM) != 0) return <u32>physical;
  const address = physical & addressMask;
  for (let at = windows, end = windows + <usize>windowCount * WINDOW_SIZE; at < end; at += WINDOW_SIZE) {
    if (address < load<u64>(at) || address > load<u64>(at, 8)) continue;
    return write && load<u32>(at, 20) == 0 ? NOT_RAM : <u32>(address - load<u64>(at)) + load<u32>(at, 16);
  }
  return NOT_RAM;
}

/**
 * A guest-physical address that leads to an offset in RAM, or a stand-in for one where what is backed lies beside RAM: it
 * may be seen at several addresses, or at none that is its own.
 */
export function physicalOf(offset: u32): u64 {
  if (offset < lowSize) return offset;
  const high = <u64>offset - lowSize;
  return high < highSize ? high + FOUR_GIB : BESIDE_RAM | <u64>offset;
}

/** Reads 1, 2, 4 or 8 bytes inside one page. */
export function readPhysical(physical: u64, bytes: u32): u64 {
  const offset = readOffset(physical);
  if (offset != NOT_RAM) {
    const host = RAM_BASE + <usize>offset;
    if (bytes == 8) return load<u64>(host);
    if (bytes == 4) return <u64>load<u32>(host);
    if (bytes == 2) return <u64>load<u16>(host);
    return <u64>load<u8>(host);
  }
  deviceAccesses++;
  const address = physical & addressMask;
  const high = <u32>(address >> 32);
  const low = <u32>address;
  if (bytes == 8) return <u64>mmioRead(low, high, 4) | (<u64>mmioRead(low + 4, high, 4) << 32);
  return <u64>mmioRead(low, high, bytes);
}

/** Writes 1, 2, 4 or 8 bytes inside one page; decoded code there is dropped. */
export function writePhysical(physical: u64, bytes: u32, value: u64): void {
  const offset = writeOffset(physical);
  if (offset != NOT_RAM) {
    writtenCode(offset, bytes);
    const host = RAM_BASE + <usize>offset;
    if (bytes == 8) store<u64>(host, value);
    else if (bytes == 4) store<u32>(host, <u32>value);
    else if (bytes == 2) store<u16>(host, <u16>value);
    else store<u8>(host, <u8>value);
    return;
  }
  deviceAccesses++;
  const address = physical & addressMask;
  const high = <u32>(address >> 32);
  const low = <u32>address;
  if (bytes == 8) {
    mmioWrite(low, high, 4, <u32>value);
    mmioWrite(low + 4, high, 4, <u32>(value >> 32));
  } else mmioWrite(low, high, bytes, <u32>value);
}
