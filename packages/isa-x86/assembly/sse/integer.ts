// SPDX-License-Identifier: Apache-2.0
// Integer instructions that search or accumulate across lanes.
import { slot0, slot1 } from "./result";

/**
 * MPSADBW: eight sums of absolute differences of four bytes. imm[2] moves the window of slot 0, imm[1:0] the block of
 * slot 1.
 */
export function multipleSad(cpu: usize, imm: u32): void {
  const window = slot0(cpu) + ((imm & 4) as usize);
  const block = slot1(cpu) + (((imm & 3) << 2) as usize);
  let low: u64 = 0;
  let high: u64 = 0;
  for (let i: usize = 0; i < 8; i++) {
    let sum: u64 = 0;
    for (let j: usize = 0; j < 4; j++) {
      const a = <i32>load<u8>(window + i + j);
      const b = <i32>load<u8>(block + j);
      sum += <u64>(a > b ? a - b : b - a);
    }
    if (i < 4) low |= sum << (<u64>i << 4);
    else high |= sum << ((<u64>i - 4) << 4);
  }
  store<u64>(slot0(cpu), low);
  store<u64>(slot0(cpu), high, 8);
}

/** PHMINPOSUW: the least 16-bit element of slot 1 and, above it, the number of the first one. */
export function minimumPosition(cpu: usize): void {
  let minimum: u32 = 0x1_0000;
  let position: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    const value = <u32>load<u16>(slot1(cpu) + (<usize>i << 1));
    if (value < minimum) {
      minimum = value;
      position = i;
    }
  }
  store<u64>(slot0(cpu), <u64>(minimum | (position << 16)));
  store<u64>(slot0(cpu), 0, 8);
}
