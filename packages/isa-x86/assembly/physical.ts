// SPDX-License-Identifier: Apache-2.0
// Guest-physical space: RAM below the PCI hole, RAM from 4 GiB up, and everything else, which belongs to devices.
import { RAM_BASE } from "./generated/layout";
import { mmioRead, mmioWrite } from "./host";
import { writtenCode } from "./code-cache";

const FOUR_GIB: u64 = 0x1_0000_0000;
/** Result of {@link ramOffset} for an address that is not RAM. */
export const NOT_RAM: u32 = 0xffff_ffff;

/** Accesses to devices so far: whoever wants to know whether there was one compares. */
export let deviceAccesses: u32 = 0;
let lowSize: u64 = 0;
let highSize: u64 = 0;

/** Tells how much RAM lies below the PCI hole and from 4 GiB up, in bytes. */
export function configureRam(low: u32, high: u32): void {
  lowSize = <u64>low;
  highSize = <u64>high;
}

/** Offset in RAM of a guest-physical address, or NOT_RAM. RAM is a whole number of pages, so pages never mix. */
export function ramOffset(physical: u64): u32 {
  if (physical < lowSize) return <u32>physical;
  const high = physical - FOUR_GIB;
  if (physical >= FOUR_GIB && high < highSize) return <u32>(high + lowSize);
  return NOT_RAM;
}

/** Guest-physical address of an offset in RAM. */
export function physicalOf(offset: u32): u64 {
  return offset < lowSize ? offset : offset - lowSize + FOUR_GIB;
}

/** Reads 1, 2, 4 or 8 bytes inside one page. */
export function readPhysical(physical: u64, bytes: u32): u64 {
  const offset = ramOffset(physical);
  if (offset != NOT_RAM) {
    const host = RAM_BASE + <usize>offset;
    if (bytes == 8) return load<u64>(host);
    if (bytes == 4) return <u64>load<u32>(host);
    if (bytes == 2) return <u64>load<u16>(host);
    return <u64>load<u8>(host);
  }
  deviceAccesses++;
  const high = <u32>(physical >> 32);
  const low = <u32>physical;
  if (bytes == 8) return <u64>mmioRead(low, high, 4) | (<u64>mmioRead(low + 4, high, 4) << 32);
  return <u64>mmioRead(low, high, bytes);
}

/** Writes 1, 2, 4 or 8 bytes inside one page; decoded code there is dropped. */
export function writePhysical(physical: u64, bytes: u32, value: u64): void {
  const offset = ramOffset(physical);
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
  const high = <u32>(physical >> 32);
  const low = <u32>physical;
  if (bytes == 8) {
    mmioWrite(low, high, 4, <u32>value);
    mmioWrite(low + 4, high, 4, <u32>(value >> 32));
  } else mmioWrite(low, high, bytes, <u32>value);
}
