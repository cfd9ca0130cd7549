// SPDX-License-Identifier: Apache-2.0
// MASKMOVQ and MASKMOVDQU: slot 0 holds the data, slot 1 the mask.
import { CPU_ES_BASE, CPU_FAULT, CPU_GPR, SEGMENT_STRIDE } from "../generated/layout";
import { checkWrite, writeGuest } from "../memory";
import { slot0, slot1 } from "./result";

const RDI: usize = 7;

/** Linear address of byte `i` of the destination. `source`: address size and segment as string instructions have them. */
function linearAddress(cpu: usize, source: u32, i: u32): u64 {
  const size = source & 3;
  const mask: u64 = size == 0 ? 0xffff : size == 1 ? 0xffff_ffff : ~(<u64>0);
  const segment = (source >> 8) & 7;
  const offset = (load<u64>(cpu + CPU_GPR + (RDI << 3)) + <u64>i) & mask;
  return load<u64>(cpu + CPU_ES_BASE + <usize>segment * SEGMENT_STRIDE) + offset;
}

function isSelected(cpu: usize, i: u32): bool {
  return load<i8>(slot1(cpu) + i) < 0;
}

/** Stores the bytes whose mask byte has bit 7 set; all are checked before the first is written. */
export function maskedStore(cpu: usize, rec: usize, source: u32, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) {
    if (isSelected(cpu, i) && !checkWrite(cpu, rec, linearAddress(cpu, source, i), 1)) return;
  }
  for (let i: u32 = 0; i < bytes; i++) {
    if (!isSelected(cpu, i)) continue;
    writeGuest(cpu, rec, linearAddress(cpu, source, i), 1, <u64>load<u8>(slot0(cpu) + i));
    if (load<u32>(cpu + CPU_FAULT) != 0) return;
  }
}
