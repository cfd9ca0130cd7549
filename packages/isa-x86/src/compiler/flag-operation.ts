// SPDX-License-Identifier: Apache-2.0
/**
 * How compiled code keeps the arithmetic flags: as the operation that set them, times 4, plus log2 of its bytes. `a`, `b`
 * and `third` are locals of the region; the flags are computed from them only where something reads them.
 */
export enum FlagOperation {
  /** The flags are in flagRes and flagAux. */
  Computed = 0,
  /** a + b */
  Add = 1,
  /** a - b */
  Sub = 2,
  /** a is the result of AND, OR or XOR. */
  Logic = 3,
  /** a + 1; third is CF. */
  Increment = 4,
  /** a - 1; third is CF. */
  Decrement = 5,
}
