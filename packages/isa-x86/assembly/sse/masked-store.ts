// SPDX-License-Identifier: Apache-2.0
// MASKMOVQ and MASKMOVDQU: slot 0 holds the data, slot 1 the mask.
import { CPU_ES_BASE, CPU_FAULT, CPU_GPR, SEGMENT_STRIDE } from "../generated/layout";
import { checkWrite, writeGuest } from "../memory";
import { segmentAddress } from "../system/stack";
import { slot0, slot1 } from "./result";

const RDI: usize = 7;

/** Bit of `segmentAddress`: the access is a write. */
const WRITE: u32 = 0x100;

/**
 * Linear address of `bytes` bytes from byte `i` of the destination on. `source` holds address size and segment as
 * string instructions have them. May raise a fault.
 */
function linearAddress(cpu: usize, rec: usize, source: u32, i: u32, bytes: u32): u64 {
  const size = source & 3;
  const mask: u64 = size == 0 ? 0xffff : size == 1 ? 0xffff_ffff : ~(<u64>0);
  const base = CPU_ES_BASE + <usize>((source >> 8) & 7) * SEGMENT_STRIDE;
  const offset = (load<u64>(cpu + CPU_GPR + (RDI << 3)) + <u64>i) & mask;
  return segmentAddress(cpu, rec, <u32>base, offset, bytes | WRITE);
}

/**
 * Stores the bytes whose mask byte has bit 7 set. Like processors, it first checks all 8 bytes of each half, selected
 * or not, the upper half before the lower one (the SDM leaves faults with an empty mask to the implementation).
 */
export function maskedStore(cpu: usize, rec: usize, source: u32, bytes: u32): void {
  for (let i: i32 = <i32>bytes - 8; i >= 0; i -= 8) {
    const linear = linearAddress(cpu, rec, source, i, 8);
    if (load<u32>(cpu + CPU_FAULT) != 0 || !checkWrite(cpu, rec, linear, 8)) return;
  }
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<i8>(slot1(cpu) + i) >= 0) continue;
    writeGuest(cpu, rec, linearAddress(cpu, rec, source, i, 1), 1, <u64>load<u8>(slot0(cpu) + i));
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
  }
}
