// SPDX-License-Identifier: Apache-2.0
// Short cuts of x87 instructions. Each does the whole instruction and says so, or changes nothing and leaves it to the
// general routine: exceptions, stack faults, special values, other rounding and precision are all there.
import { CPU_FCW, CPU_FPR, CPU_FP_TAG, CPU_FP_TOP, CPU_FSW, CPU_SCRATCH } from "../generated/layout";
import { resultSe, resultSig } from "../float/float80";
import {
  addNormal, converted, divideNormal, isNormal, multiplyNormal, normalStatus, normalToFormat, normalToInteger,
} from "../float/float80-normal";
import { C0, C1, C2, C3, STAGED_STATUS } from "./stack";

const SUMMARY: u32 = 0x80;
/** RC, PC and the exception masks. */
const CONTROL: u32 = 0x0f3f;
/** To nearest, 64 bits, all masked. */
const USUAL: u32 = 0x033f;
const ROUNDING: u32 = 0x0c00;
const MASKS: u32 = 0x3f;

/** No exception is pending, and none can become so; results are rounded to nearest and 64 bits. */
function isUsual(cpu: usize): bool {
  return (load<u16>(cpu + CPU_FCW) & CONTROL) == USUAL && (load<u16>(cpu + CPU_FSW) & SUMMARY) == 0;
}

/** The same with any rounding and precision. */
function isMasked(cpu: usize): bool {
  return (load<u16>(cpu + CPU_FCW) & MASKS) == MASKS && (load<u16>(cpu + CPU_FSW) & SUMMARY) == 0;
}

/** Ends an instruction: C1 cleared, then `status` set. */
function setStatus(cpu: usize, status: u32): void {
  store<u16>(cpu + CPU_FSW, u16((load<u16>(cpu + CPU_FSW) & ~C1) | status));
}

function slot(cpu: usize, top: u32): usize {
  return cpu + CPU_FPR + (usize(top & 7) << 4);
}

function isFull(cpu: usize, number: u32): bool {
  return ((u32(load<u8>(cpu + CPU_FP_TAG)) >> (number & 7)) & 1) != 0;
}

function popOnce(cpu: usize, top: u32): void {
  store<u8>(cpu + CPU_FP_TAG, u8(u32(load<u8>(cpu + CPU_FP_TAG)) & ~(<u32>1 << top)));
  store<u32>(cpu + CPU_FP_TOP, (top + 1) & 7);
}

/** x op y in float80's result, op being the ModRM.reg field of the D8 group. */
function compute(op: u32, xSig: u64, xSe: u32, ySig: u64, ySe: u32): bool {
  if (!isNormal(xSig, xSe) || !isNormal(ySig, ySe)) return false;
  switch (op) {
    case 0: return addNormal(xSig, xSe, ySig, ySe, 0);
    case 1: return multiplyNormal(xSig, xSe, ySig, ySe);
    case 4: return addNormal(xSig, xSe, ySig, ySe, 1);
    case 5: return addNormal(ySig, ySe, xSig, xSe, 1);
    case 6: return divideNormal(xSig, xSe, ySig, ySe);
    default: return divideNormal(ySig, ySe, xSig, xSe);
  }
}

/** ST(to) = ST(0) op ST(i), then perhaps a pop. */
export function arithmeticNormal(cpu: usize, op: u32, i: u32, to: u32, pops: u32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if (!isUsual(cpu) || !isFull(cpu, top) || !isFull(cpu, top + i)) return false;
  const x = slot(cpu, top);
  const y = slot(cpu, top + i);
  if (!compute(op, load<u64>(x), load<u16>(x, 8), load<u64>(y), load<u16>(y, 8))) return false;
  const target = slot(cpu, top + to);
  store<u64>(target, resultSig);
  store<u16>(target, u16(resultSe), 8);
  setStatus(cpu, normalStatus);
  if (pops != 0) popOnce(cpu, top);
  return true;
}

/** ST(0) = ST(0) op y; comparisons (op 2 and 3) too. */
export function arithmeticWithNormal(cpu: usize, op: u32, ySig: u64, ySe: u32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if (!isFull(cpu, top)) return false;
  const x = slot(cpu, top);
  if ((op & 6) == 2) {
    if (!isMasked(cpu)) return false;
    const relation = relate(load<u64>(x), load<u16>(x, 8), ySig, ySe);
    if (relation < 0) return false;
    setRelation(cpu, relation);
    if (op == 3) popOnce(cpu, top);
    return true;
  }
  if (!isUsual(cpu) || !compute(op, load<u64>(x), load<u16>(x, 8), ySig, ySe)) return false;
  store<u64>(x, resultSig);
  store<u16>(x, u16(resultSe), 8);
  setStatus(cpu, normalStatus);
  return true;
}

/** 0 equal, 1 less, 2 greater; -1 unless both values are normal or zero. */
function relate(aSig: u64, aSe: u32, bSig: u64, bSe: u32): i32 {
  const aZero = aSig == 0 && (aSe & 0x7fff) == 0;
  const bZero = bSig == 0 && (bSe & 0x7fff) == 0;
  if (!(aZero || isNormal(aSig, aSe)) || !(bZero || isNormal(bSig, bSe))) return -1;
  if (aZero && bZero) return 0;
  const aNegative = aSe >> 15 != 0;
  if (aNegative != (bSe >> 15 != 0)) return aNegative ? 1 : 2;
  if (aSe == bSe && aSig == bSig) return 0;
  const smaller = aSe < bSe || (aSe == bSe && aSig < bSig);
  return smaller != aNegative ? 1 : 2;
}

function setRelation(cpu: usize, relation: i32): void {
  const codes = relation == 0 ? C3 : relation == 1 ? C0 : 0;
  store<u16>(cpu + CPU_FSW, u16((load<u16>(cpu + CPU_FSW) & ~(C0 | C1 | C2 | C3)) | codes));
}

/** ST(0) against ST(i): 0 equal, 1 less, 2 greater; -1 for the general routine. Nothing is changed. */
export function relationNormal(cpu: usize, i: u32): i32 {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if (!isMasked(cpu) || !isFull(cpu, top) || !isFull(cpu, top + i)) return -1;
  const x = slot(cpu, top);
  const y = slot(cpu, top + i);
  return relate(load<u64>(x), load<u16>(x, 8), load<u64>(y), load<u16>(y, 8));
}

/** FCOM and its kin: condition codes and pops. */
export function compareNormal(cpu: usize, i: u32, pops: u32): bool {
  const relation = relationNormal(cpu, i);
  if (relation < 0) return false;
  setRelation(cpu, relation);
  for (; pops != 0; pops--) popOnce(cpu, load<u32>(cpu + CPU_FP_TOP));
  return true;
}

/** Pushes a value that needs neither rounding nor a look at its class. */
export function pushPlain(cpu: usize, sig: u64, se: u32): bool {
  const top = (load<u32>(cpu + CPU_FP_TOP) + 7) & 7;
  if ((load<u16>(cpu + CPU_FSW) & SUMMARY) != 0 || isFull(cpu, top)) return false;
  const target = slot(cpu, top);
  store<u64>(target, sig);
  store<u16>(target, u16(se), 8);
  store<u8>(cpu + CPU_FP_TAG, u8(u32(load<u8>(cpu + CPU_FP_TAG)) | (<u32>1 << top)));
  store<u32>(cpu + CPU_FP_TOP, top);
  setStatus(cpu, 0);
  return true;
}

/** FLD ST(i) */
export function pushRegister(cpu: usize, i: u32): bool {
  const number = load<u32>(cpu + CPU_FP_TOP) + i;
  if (!isFull(cpu, number)) return false;
  const from = slot(cpu, number);
  return pushPlain(cpu, load<u64>(from), load<u16>(from, 8));
}

/** FXCH */
export function exchangePlain(cpu: usize, i: u32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if ((load<u16>(cpu + CPU_FSW) & SUMMARY) != 0 || !isFull(cpu, top) || !isFull(cpu, top + i)) return false;
  const x = slot(cpu, top);
  const y = slot(cpu, top + i);
  const sig = load<u64>(x);
  const se = load<u16>(x, 8);
  store<u64>(x, load<u64>(y));
  store<u16>(x, load<u16>(y, 8), 8);
  store<u64>(y, sig);
  store<u16>(y, se, 8);
  setStatus(cpu, 0);
  return true;
}

/** FST ST(i), FSTP ST(i); the target may be empty. */
export function copyPlain(cpu: usize, i: u32, pops: u32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if ((load<u16>(cpu + CPU_FSW) & SUMMARY) != 0 || !isFull(cpu, top)) return false;
  const from = slot(cpu, top);
  const target = slot(cpu, top + i);
  store<u64>(target, load<u64>(from));
  store<u16>(target, load<u16>(from, 8), 8);
  store<u8>(cpu + CPU_FP_TAG, u8(u32(load<u8>(cpu + CPU_FP_TAG)) | (<u32>1 << ((top + i) & 7))));
  setStatus(cpu, 0);
  if (pops != 0) popOnce(cpu, top);
  return true;
}

/** FCHS and FABS: the sign becomes (sign & keep) ^ flip. */
export function signPlain(cpu: usize, keep: u32, flip: u32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  if ((load<u16>(cpu + CPU_FSW) & SUMMARY) != 0 || !isFull(cpu, top)) return false;
  const at = slot(cpu, top);
  store<u16>(at, u16((load<u16>(at, 8) & keep) ^ flip), 8);
  setStatus(cpu, 0);
  return true;
}

function stage(cpu: usize): void {
  store<u64>(cpu + CPU_SCRATCH, converted);
  store<u16>(cpu + STAGED_STATUS, u16((load<u16>(cpu + CPU_FSW) & ~C1) | normalStatus));
}

/** First step of FST m32 (F 23, bias 127) and m64 (F 52, bias 1023). */
export function storeNormal(cpu: usize, F: u64, bias: i32): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  // Precision control does not reach stores.
  if (!isMasked(cpu) || (load<u16>(cpu + CPU_FCW) & ROUNDING) != 0 || !isFull(cpu, top)) return false;
  const from = slot(cpu, top);
  if (!normalToFormat(load<u64>(from), load<u16>(from, 8), F, bias)) return false;
  stage(cpu);
  return true;
}

/** First step of FIST and FISTTP. */
export function storeIntegerNormal(cpu: usize, bits: i32, truncate: bool): bool {
  const top = load<u32>(cpu + CPU_FP_TOP);
  const rounding = load<u16>(cpu + CPU_FCW) & ROUNDING;
  if (!isMasked(cpu) || !isFull(cpu, top)) return false;
  if (rounding == ROUNDING) truncate = true;
  if (!truncate && rounding != 0) return false;
  const from = slot(cpu, top);
  if (!normalToInteger(load<u64>(from), load<u16>(from, 8), bits, truncate)) return false;
  stage(cpu);
  return true;
}
