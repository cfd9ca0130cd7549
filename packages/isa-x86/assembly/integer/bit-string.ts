// SPDX-License-Identifier: Apache-2.0
// Addresses of bit strings: BT and its kin with a register index reach far beyond their memory operand.
import { HANDLER_ADDRESS_SEGMENTED, RECORD_HANDLER, RECORD_IMMEDIATE, RECORD_REG, RECORD_SIZE } from "../generated/layout";
import { segmentAddress } from "../system/stack";

/**
 * Moves the linear address that the address record in front of `rec` left by `distance` bytes: the offset wraps around
 * the address size, and the segment is checked again.
 * @param access bits 0-7: bytes accessed, bit 8: write
 */
export function moveAddress(cpu: usize, rec: usize, linear: u64, distance: u64, access: u32): u64 {
  const front = rec - RECORD_SIZE;
  const segment = <usize>load<u16>(front + RECORD_REG);
  const base = load<u64>(cpu + segment);
  const offset = (linear - base + distance) & load<u64>(front + RECORD_IMMEDIATE);
  if (load<u32>(front + RECORD_HANDLER) != HANDLER_ADDRESS_SEGMENTED) return base + offset;
  return segmentAddress(cpu, rec, <u32>segment, offset, access);
}
