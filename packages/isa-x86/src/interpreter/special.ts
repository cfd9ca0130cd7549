// SPDX-License-Identifier: Apache-2.0
/** Handlers that belong to no opcode: their indices in the function table come first. */
export enum Special {
  /** First record of a block: takes the block's instructions off the budget and looks for events. */
  Head = 0,
  /** Overwrites the records of a dead block: looks RIP up again. */
  Resync = 1,
  /** Goes on with the next block after a block that ends without a jump. */
  FallThrough = 2,
  /** Leaves linear = segment base + (base + index * scale + displacement, masked) in effectiveAddress. */
  AddressLong = 3,
  /** The same with limit and type checks of legacy segmentation. */
  AddressSegmented = 4,
  /** Raises the exception whose vector is in the immediate: undefined opcodes and their like. */
  Raise = 5,
  /** Leaves linear = segment base + 64-bit immediate in effectiveAddress. */
  AddressAbsolute = 6,
  /** Raises #NM or #UD for an instruction of the unit in the immediate, which CR0 or CR4 has switched off. */
  Unavailable = 7,
  /** AddressSegmented in front of the store of an MMX register, which switches the x87 state before the checks. */
  AddressMmxStore = 8,
  /** Raises the fault that reading the top of the stack would; bytes in the immediate. In front of POP's address. */
  ProbeStack = 9,
  /** Raises a pending x87 exception: in front of the address of a waiting instruction, whose checks come later. */
  WaitX87 = 10,
  /**
   * AddressSegmented for an instruction that may find that it has nothing to store (x87 stores with an unmasked
   * exception): a failed check leaves an address that faults when it is used.
   */
  AddressDeferred = 11,
  /** Leaves to the run loop in front of an instruction on which a debugger may have a breakpoint. */
  Breakpoint = 12,
  /** Number of special handlers. */
  Count = 13,
}
