// SPDX-License-Identifier: Apache-2.0
/**
 * Helpers that neither read nor write what compiled code keeps in locals: general registers, arithmetic flags, the
 * budget, and, but for {@link selectsTlb}, what selects the soft TLB. All others are called with everything in the CPU
 * record.
 */
const PURE: ReadonlySet<string> = new Set([
  "readGuestCompiled",
  "readGuest128Compiled",
  "readGuest256Compiled",
  "readForWriteCompiled",
  "writeGuestCompiled",
  "writeGuest128Compiled",
  "writeGuest256",
  "writeGuest256Compiled",
  "readElement",
  "maskedLoad",
  "gather",
  "writeGuest",
  "checkWrite",
  "checkFxArea",
  "readBlock",
  "writeBlock",
  "segmentAddress",
  "materializeFlags",
  "noteHot",
  "multiplyHighSigned",
  "divideSigned",
  "divideUnsigned",
  "signedDivisionOverflows",
  "crc32c",
  "depositBits",
  "extractBits",
  "moveAddress",
  "requirePrivilege",
  "swapGs",
  "readSegmentBase",
  "writeSegmentBase",
  "clearInterruptFlag",
  "setInterruptFlag",
  "changeAccessFlag",
  "readTimeStamp",
]);

/** Families of helpers that work on the x87 state, or on vectors in the scratch area. */
const PURE_FAMILY =
  /^(x87(?!Fx|CompareFlags)|arithmeticF|fusedF|dotProductF|compareF|relationF|integerToF|f\d+ToInteger|roundF|convert|reciprocal|aes|sha|carryless|multipleSad|minimumPosition|(ex|im)plicitString)/;

export function isPure(helper: string): boolean {
  return PURE.has(helper) || PURE_FAMILY.test(helper);
}

/** Pure helpers that select another soft TLB. */
export function selectsTlb(helper: string): boolean {
  return helper === "changeAccessFlag";
}

/** Helpers that read or write vector registers in the CPU record. All others leave them alone. */
export function touchesVectors(helper: string): boolean {
  return /^(x87Fx|xsave|xrstor|xgetbv)/.test(helper);
}

/** Helpers that may write guest memory, and with it the code of the region they are called from. */
export function mayWriteMemory(helper: string): boolean {
  return !isPure(helper) || /^(writeBlock|writeGuest|x87.*(Store|Save))/.test(helper);
}

/**
 * Whether the event word must be looked at after a call of `helper`: it may reach a device, kill code, change the
 * interrupt flag, or walk page tables. Plain accesses leave all that concerns devices and code to the interpreter.
 * @param mayFault the helper is given the record, so that it can raise an exception
 */
export function maySetEvent(helper: string, mayFault: boolean): boolean {
  if (/^(readGuest|readForWrite|writeGuest)/.test(helper)) return false;
  return mayFault || helper === "setInterruptFlag" || mayReachDevice(helper) || mayWriteMemory(helper);
}

/** Among the pure ones, with the clock for a device. Helpers of plain accesses are not here: they leave devices to the interpreter. */
const DEVICE_ACCESSES: ReadonlySet<string> = new Set([
  "readBlock",
  "writeBlock",
  "readElement",
  "maskedLoad",
  "gather",
  "readTimeStamp",
]);

/** Pure helpers that may access a device, which may ask for the budget. */
export function mayReachDevice(helper: string): boolean {
  return DEVICE_ACCESSES.has(helper);
}
