// SPDX-License-Identifier: Apache-2.0
/**
 * How compiled code keeps the arithmetic flags: which operation set them, with its operands `a` and `b` in locals of the
 * region. The flags are computed from them only where something reads them.
 */
export enum FlagOperation {
  /** The flags are in flagRes and flagAux. */
  Computed = 0,
  /** a + b */
  Add = 1,
  /** a - b */
  Sub = 2,
  /** CF = OF = AF = 0, the others follow a. */
  Logic = 3,
  /** a + 1 */
  Increment = 4,
  /** a - 1 */
  Decrement = 5,
  /** a * b, signed */
  Multiply = 6,
}

/** What is known of the flags, as one number: bits 0-1 log2 of the operand's bytes, from bit 2 on these. */
export enum FlagStateBits {
  OperationShift = 2,
  OperationMask = 0x3c,
  /** CF is in a local of its own: INC, BT, shifts. */
  CarryKept = 0x40,
  /** The same for OF: shifts and rotates. */
  OverflowKept = 0x80,
}
