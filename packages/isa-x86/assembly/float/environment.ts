// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that one instruction runs in: rounding, masks and the exceptions raised so far.
// MXCSR bits 0-5 and FSW bits 0-5 have the same order, so SSE and x87 share it (SDM vol. 1, 8.1.3 and 10.2.3).

/** Exception bits, in the order of MXCSR and FSW. */
export const IE: u32 = 1;
export const DE: u32 = 2;
export const ZE: u32 = 4;
export const OE: u32 = 8;
export const UE: u32 = 16;
export const PE: u32 = 32;

/** Rounding modes, as MXCSR.RC and FCW.RC encode them. */
export const NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const ZERO: u32 = 3;

/** Exceptions raised since the environment was set. */
export let flags: u32 = 0;
/** Rounding mode. */
export let rounding: u32 = 0;
/** Denormal operands count as zero. */
export let daz: bool = false;
/** Tiny results become zero while underflow is masked. */
export let ftz: bool = false;
/** Exception masks: a set bit is a masked exception. */
export let masks: u32 = 63;
/** PE is already set and masked, so that the fast paths may report it without working out whether it is due. */
export let inexactKnown: bool = false;
/** Significant bits that x87 arithmetic rounds to: 24, 53 or 64. */
export let precision: i32 = 64;
/** The last rounding made the magnitude larger: C1 of x87 instructions. */
export let roundedUp: bool = false;

export function raise(exceptions: u32): void {
  flags |= exceptions;
}

export function setRounding(mode: u32): void {
  rounding = mode;
}

export function setFlushToZero(flush: bool): void {
  ftz = flush;
}

export function setRoundedUp(up: bool): void {
  roundedUp = up;
}

/** Loads rounding mode, masks, DAZ and FTZ from MXCSR, and forgets raised exceptions. */
export function setFromMxcsr(mxcsr: u32): void {
  flags = 0;
  rounding = (mxcsr >> 13) & 3;
  masks = (mxcsr >> 7) & 63;
  daz = (mxcsr & 0x40) != 0;
  ftz = (mxcsr & 0x8000) != 0;
  inexactKnown = (mxcsr & 0x1020) == 0x1020;
}

/** Loads rounding mode, precision and masks from the x87 control word, and forgets raised exceptions. */
export function setFromFcw(fcw: u32): void {
  flags = 0;
  rounding = (fcw >> 10) & 3;
  masks = fcw & 63;
  const control = (fcw >> 8) & 3;
  precision = control == 0 ? 24 : control == 2 ? 53 : 64;
  daz = false;
  ftz = false;
  inexactKnown = false;
  roundedUp = false;
}

/**
 * The exceptions that an SSE instruction reports once all its elements are done: an unmasked invalid, denormal or
 * divide-by-zero exception is found before any result is computed, so then nothing else is reported.
 */
export function reportedFlags(): u32 {
  return (flags & ~masks & (IE | DE | ZE)) != 0 ? flags & (IE | DE | ZE) : flags;
}
