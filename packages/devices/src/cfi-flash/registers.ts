// SPDX-License-Identifier: Apache-2.0
/** Commands of the Intel/Sharp extended command set (Intel 28F128J3 data sheet, order number 290667, table 4). */
export const enum Command {
  ReadArrayAlias = 0x00,
  LockSet = 0x01,
  ProgramAlias = 0x10,
  EraseSetup = 0x20,
  Program = 0x40,
  ClearStatus = 0x50,
  LockSetup = 0x60,
  ReadStatus = 0x70,
  ReadIdentifiers = 0x90,
  Query = 0x98,
  Suspend = 0xb0,
  /** Second cycle of an erase or a buffered write, and "resume". */
  Confirm = 0xd0,
  WriteToBuffer = 0xe8,
  ReadArray = 0xff,
}

/** Status register (data sheet, table 16). */
export const enum Status {
  /** The block is locked; nothing was changed. */
  Locked = 0x02,
  ProgramError = 0x10,
  EraseError = 0x20,
  /** Both errors at once: the command sequence makes no sense. */
  SequenceError = 0x30,
  Ready = 0x80,
}

/** Bytes that an erase sets to ones. The query table says so; the J3 family has larger blocks. */
export const BLOCK_SIZE = 4096;
/** Bytes that one buffered write takes at most. */
export const BUFFER_SIZE = 32;

/** Identifier codes at offsets 0 and 1; offset 2 of a block says whether it is locked. */
export const MANUFACTURER_INTEL = 0x89;
export const DEVICE_28F128J3 = 0x18;
export const enum Identifier {
  Manufacturer = 0,
  Device = 1,
  BlockLock = 2,
}
