// SPDX-License-Identifier: Apache-2.0
import { fieldText, STATE_FIELDS, type StateImage, StateOffset } from "./state-image.js";
import { Note, NO_GPR, type Vector } from "./vector-file.js";
import { COMPLETED, type Outcome } from "./vector-target.js";

/** Makes every bit that the architecture leaves open in `actual` equal to the recorded one. */
export function adoptUndefinedBits(vector: Vector, actual: StateImage): void {
  const expected = vector.after;
  const flags = StateOffset.Flags >> 2;
  const open = ~vector.flagsCompared;
  actual.words[flags] = (actual.words[flags] & ~open) | (expected.words[flags] & open);
  if (vector.fswCompared !== 0xffff) {
    const fsw =
      (actual.view.getUint16(StateOffset.Fsw, true) & vector.fswCompared) |
      (expected.view.getUint16(StateOffset.Fsw, true) & ~vector.fswCompared);
    actual.view.setUint16(StateOffset.Fsw, fsw, true);
  }
  if (vector.maskedGpr !== NO_GPR) {
    const low = (StateOffset.Gpr >> 2) + 2 * vector.maskedGpr;
    const { maskedGprLow, maskedGprHigh } = vector;
    actual.words[low] = (actual.words[low] & maskedGprLow) | (expected.words[low] & ~maskedGprLow);
    actual.words[low + 1] = (actual.words[low + 1] & maskedGprHigh) | (expected.words[low + 1] & ~maskedGprHigh);
  }
}

/** Relative error that RCPPS and RSQRTPS may have (SDM 2B). */
const APPROX_12BIT_BOUND = 1.5 / 4096;

function closeSingles(expected: number, actual: number): boolean {
  if (!Number.isFinite(expected) || expected === 0) return Object.is(expected, actual);
  return Math.abs(actual - expected) <= Math.abs(expected) * 2 * APPROX_12BIT_BOUND;
}

/** Takes over lanes that are close enough. Both sides are within the bound of the true value, so the sum applies. */
function adoptCloseSingles(expected: StateImage, actual: StateImage): void {
  for (let at = StateOffset.Xmm; at < StateOffset.Size; at += 4) {
    if (expected.words[at >> 2] === actual.words[at >> 2]) continue;
    if (closeSingles(expected.view.getFloat32(at, true), actual.view.getFloat32(at, true))) {
      actual.words[at >> 2] = expected.words[at >> 2];
    }
  }
}

/** Sign and exponent above the significand: neighbours in value are neighbours as integers. */
function extendedOrdinal(image: StateImage, at: number): bigint {
  return (
    (BigInt(image.view.getUint16(at + 8, true)) << 63n) + (image.view.getBigUint64(at, true) & 0x7fff_ffff_ffff_ffffn)
  );
}

const FSW_C1 = 0x200;
const FSW_PE = 0x20;
const FSW_UE = 0x10;

/** Takes over x87 results that are one unit in the last place off, and how the rounding went. */
function adoptCloseExtended(expected: StateImage, actual: StateImage): void {
  for (let at = StateOffset.St; at < StateOffset.Xmm; at += 16) {
    const distance = extendedOrdinal(expected, at) - extendedOrdinal(actual, at);
    if (distance === 1n || distance === -1n) actual.bytes.set(expected.bytes.subarray(at, at + 10), at);
  }
  const free = FSW_C1 | FSW_PE | FSW_UE;
  const fsw =
    (actual.view.getUint16(StateOffset.Fsw, true) & ~free) | (expected.view.getUint16(StateOffset.Fsw, true) & free);
  actual.view.setUint16(StateOffset.Fsw, fsw, true);
}

/** Bit 0 of a page fault's error code. */
const PF_PRESENT = 1;

function outcomeText(outcome: Outcome): string {
  if (outcome.what === COMPLETED) return "completed";
  const cr2 = outcome.what === 14 ? ` cr2 ${hex(outcome.cr2High, 8)}${hex(outcome.cr2Low, 8)}` : "";
  return `exception ${outcome.what} error ${(outcome.errorCode >>> 0).toString(16)}${cr2}`;
}

function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, "0");
}

/**
 * Above 4 GiB the recording program itself has pages, which user mode may not touch or may find read-only: there a page
 * fault on the CPU can say "present" where the guest has nothing mapped.
 */
function sameErrorCode(outcome: Outcome, wanted: Outcome): boolean {
  const foreign = wanted.what === 14 && wanted.cr2High !== 0 ? PF_PRESENT : 0;
  return (outcome.errorCode | foreign) === (wanted.errorCode | foreign);
}

/**
 * Compares what a target did with what the CPU did. Returns null when they agree, else one line per difference. Changes
 * `actual`: bits that need not agree are taken from the recording.
 */
export function compareResult(vector: Vector, actual: StateImage, outcome: Outcome): string[] | null {
  const expected = vector.after;
  const wanted = vector.outcome;
  const sameOutcome =
    outcome.what === wanted.what &&
    (outcome.what === COMPLETED ||
      (sameErrorCode(outcome, wanted) &&
        (outcome.what !== 14 || (outcome.cr2Low === wanted.cr2Low && outcome.cr2High === wanted.cr2High))));
  adoptUndefinedBits(vector, actual);
  if (actual.firstDifference(expected) < 0 && sameOutcome) return null;
  if (vector.notes & Note.Approx12Bit) adoptCloseSingles(expected, actual);
  if (vector.notes & Note.ApproxX87) adoptCloseExtended(expected, actual);
  const lines: string[] = [];
  if (!sameOutcome) lines.push(`outcome: expected ${outcomeText(wanted)}, got ${outcomeText(outcome)}`);
  for (const field of STATE_FIELDS) {
    const a = fieldText(expected, field);
    const b = fieldText(actual, field);
    if (a !== b) lines.push(`${field.name}: expected ${a}, got ${b}, was ${fieldText(vector.before, field)}`);
  }
  return lines.length > 0 ? lines : null;
}
