// SPDX-License-Identifier: Apache-2.0
// FPATAN.
import { raise, DE } from "./environment";
import {
  anyDenormal, exponent80, isInfinity, isUnordered, propagate80, round80, roundInexact80, setZero, significand80,
} from "./float80";
import { ARCTANGENTS, ATAN_TERMS, ODD_SERIES } from "./series";
import { wideAdd, wideExp, wideHi, wideLo, wideNormalize } from "./wide";
import { product128, productHi, productLo, series, squareFraction, wideProduct, wideQuotient } from "./wide-math";

/** Significand of pi. */
const PI_HI: u64 = 0xc90fdaa22168c234;
const PI_LO: u64 = 0xc4c6628b80dc1cd1;

/** Arctangent of a wide number in (0, 1]; the result is the wide number. */
function arctangent(exp: i32, hi: u64, lo: u64): void {
  // The nearest multiple of 1/8 is taken out: arctan r = arctan c + arctan((r - c) / (1 + r c)).
  let n: u32 = 0;
  if (exp >= -4) n = u32(((hi >> (-exp)) + (<u64>1 << 59)) >> 60);
  if (n == 0) {
    squareFraction(exp, hi, lo);
    series(ODD_SERIES, ATAN_TERMS, productHi, productLo, true);
    wideProduct(0, exp, hi, lo, wideExp, wideHi, wideLo);
    return;
  }
  // r and c with 127 fraction bits
  const rHi = exp == 0 ? hi : hi >> (-exp);
  const rLo = exp == 0 ? lo : (lo >> (-exp)) | (hi << (64 + exp));
  const cHi = u64(n) << 60;
  const negative = rHi < cHi;
  let dHi = negative ? cHi - rHi - u64(rLo != 0) : rHi - cHi;
  let dLo = negative ? <u64>0 - rLo : rLo;
  const at = ARCTANGENTS + (usize(n) << 4);
  const baseHi = load<u64>(at);
  const baseLo = load<u64>(at, 8);
  if ((dHi | dLo) == 0) {
    wideNormalize(0, 0, baseHi, baseLo);
    return;
  }
  // 1 + r c with 126 fraction bits
  product128(rHi, rLo, cHi, 0);
  const sumHi = (<u64>1 << 62) + productHi;
  const sumLo = productLo;
  wideNormalize(0, 0, dHi, dLo);
  const dExp = wideExp;
  dHi = wideHi;
  dLo = wideLo;
  wideNormalize(0, 1, sumHi, sumLo);
  wideQuotient(0, dExp, dHi, dLo, wideExp, wideHi, wideLo);
  const uExp = wideExp;
  const uHi = wideHi;
  const uLo = wideLo;
  squareFraction(uExp, uHi, uLo);
  series(ODD_SERIES, ATAN_TERMS, productHi, productLo, true);
  wideProduct(0, uExp, uHi, uLo, wideExp, wideHi, wideLo);
  const partExp = wideExp;
  const partHi = wideHi;
  const partLo = wideLo;
  wideNormalize(0, 0, baseHi, baseLo);
  wideAdd(0, wideExp, wideHi, wideLo, u32(negative), partExp, partHi, partLo);
}

/** A multiple of pi/4 as the result: quarters 1, 2, 3 or 4. */
function quartersOfPi(sign: u32, quarters: u32): void {
  if (quarters == 3) round80(sign, 1, 0x96cbe3f9990e91a7, 0x9394c9e8a0a5159d, 64);
  else round80(sign, quarters == 1 ? -1 : quarters == 2 ? 0 : 1, PI_HI, PI_LO, 64);
}

/** FPATAN: the angle of the point (x, y). */
export function f80Arctangent(ySig: u64, ySe: u32, xSig: u64, xSe: u32): void {
  if (isUnordered(ySig, ySe) || isUnordered(xSig, xSe)) {
    propagate80(ySig, ySe, xSig, xSe);
    return;
  }
  if (anyDenormal(ySig, ySe, xSig, xSe)) raise(DE);
  const sign = ySe >> 15;
  const left = xSe >> 15;
  if (isInfinity(ySig, ySe)) {
    quartersOfPi(sign, isInfinity(xSig, xSe) ? (left != 0 ? 3 : 1) : 2);
    return;
  }
  if (isInfinity(xSig, xSe) || ySig == 0) {
    if (left != 0) quartersOfPi(sign, 4);
    else setZero(sign);
    return;
  }
  if (xSig == 0) {
    quartersOfPi(sign, 2);
    return;
  }
  const yExp = exponent80(ySig, ySe);
  const xExp = exponent80(xSig, xSe);
  ySig = significand80(ySig);
  xSig = significand80(xSig);
  const steep = yExp > xExp || (yExp == xExp && ySig > xSig);
  if (steep) wideQuotient(0, xExp, xSig, 0, yExp, ySig, 0);
  else wideQuotient(0, yExp, ySig, 0, xExp, xSig, 0);
  if (!steep && left == 0 && wideExp <= -41) {
    // The processor takes the ratio for the angle.
    roundInexact80(sign, wideExp, wideHi, wideLo);
    return;
  }
  arctangent(wideExp, wideHi, wideLo);
  // A steep angle is pi/2 minus the other one; the left half plane has pi minus the angle.
  if (steep) wideAdd(0, 0, PI_HI, PI_LO, u32(left == 0), wideExp, wideHi, wideLo);
  else if (left != 0) wideAdd(0, 1, PI_HI, PI_LO, 1, wideExp, wideHi, wideLo);
  roundInexact80(sign, wideExp, wideHi, wideLo | 1);
}
