// SPDX-License-Identifier: Apache-2.0
// AES-NI: one round of FIPS 197 on the state in slot 0 with the round key in slot 1. Tables join SubBytes with the
// column of MixColumns; the four bytes of a column are one little-endian word.
import { slot0, slot1 } from "./result";

const SBOX: usize = memory.data(256);
const INVERSE_SBOX: usize = memory.data(256);
/** u32 per byte: (2, 1, 1, 3) times SBOX of it. */
const ROUND: usize = memory.data(1024, 4);
/** u32 per byte: (14, 9, 13, 11) times the byte itself. */
const INVERSE_COLUMN: usize = memory.data(1024, 4);

/** Multiplies by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
function double(a: u32): u32 {
  return ((a << 1) ^ ((a >> 7) * 0x11b)) & 0xff;
}

function fillTables(): void {
  // p runs through the powers of the generator 3, q through those of its inverse, so q is 1 / p.
  let p: u32 = 1;
  let q: u32 = 1;
  do {
    p = p ^ double(p);
    q ^= q << 1;
    q ^= q << 2;
    q ^= q << 4;
    q &= 0xff;
    if ((q & 0x80) != 0) q ^= 0x09;
    const rotations = q ^ (q << 1) ^ (q << 2) ^ (q << 3) ^ (q << 4);
    setSubstitution(p, ((rotations ^ (rotations >> 8)) & 0xff) ^ 0x63);
  } while (p != 1);
  setSubstitution(0, 0x63);
  for (let i: u32 = 0; i < 256; i++) {
    const two = double(i);
    const four = double(two);
    const eight = double(four);
    const column = (eight ^ four ^ two) | ((eight ^ i) << 8) | ((eight ^ four ^ i) << 16) | ((eight ^ two ^ i) << 24);
    store<u32>(INVERSE_COLUMN + (<usize>i << 2), column);
  }
}

function setSubstitution(from: u32, to: u32): void {
  store<u8>(SBOX + from, <u8>to);
  store<u8>(INVERSE_SBOX + to, <u8>from);
  const two = double(to);
  store<u32>(ROUND + (<usize>from << 2), two | (to << 8) | (to << 16) | ((two ^ to) << 24));
}

fillTables();

function round(byte: u32): u32 {
  return load<u32>(ROUND + ((<usize>byte & 0xff) << 2));
}

function inverseColumn(byte: u32): u32 {
  return load<u32>(INVERSE_COLUMN + ((<usize>byte & 0xff) << 2));
}

function substitute(byte: u32): u32 {
  return <u32>load<u8>(SBOX + (<usize>byte & 0xff));
}

function substituteInverse(byte: u32): u32 {
  return <u32>load<u8>(INVERSE_SBOX + (<usize>byte & 0xff));
}

function word(slot: usize, i: u32): u32 {
  return load<u32>(slot + ((<usize>i & 3) << 2));
}

/** AESENC: ShiftRows takes row r of column c from column c + r. */
export function aesEncrypt(cpu: usize): void {
  const s = slot0(cpu);
  const k = slot1(cpu);
  for (let c: u32 = 0; c < 4; c++) {
    const column =
      round(word(s, c)) ^
      rotl<u32>(round(word(s, c + 1) >> 8), 8) ^
      rotl<u32>(round(word(s, c + 2) >> 16), 16) ^
      rotl<u32>(round(word(s, c + 3) >> 24), 24);
    store<u32>(k + (<usize>c << 2), column ^ word(k, c));
  }
  copy(s, k);
}

/** AESENCLAST */
export function aesEncryptLast(cpu: usize): void {
  const s = slot0(cpu);
  const k = slot1(cpu);
  for (let c: u32 = 0; c < 4; c++) {
    const column =
      substitute(word(s, c)) |
      (substitute(word(s, c + 1) >> 8) << 8) |
      (substitute(word(s, c + 2) >> 16) << 16) |
      (substitute(word(s, c + 3) >> 24) << 24);
    store<u32>(k + (<usize>c << 2), column ^ word(k, c));
  }
  copy(s, k);
}

/** Column c after InvShiftRows and InvSubBytes. */
function inverseSubstituted(s: usize, c: u32): u32 {
  return (
    substituteInverse(word(s, c)) |
    (substituteInverse(word(s, c + 3) >> 8) << 8) |
    (substituteInverse(word(s, c + 2) >> 16) << 16) |
    (substituteInverse(word(s, c + 1) >> 24) << 24)
  );
}

function inverseMixed(column: u32): u32 {
  return (
    inverseColumn(column) ^
    rotl<u32>(inverseColumn(column >> 8), 8) ^
    rotl<u32>(inverseColumn(column >> 16), 16) ^
    rotl<u32>(inverseColumn(column >> 24), 24)
  );
}

/** AESDEC: the equivalent inverse cipher. */
export function aesDecrypt(cpu: usize): void {
  const s = slot0(cpu);
  const k = slot1(cpu);
  for (let c: u32 = 0; c < 4; c++) store<u32>(k + (<usize>c << 2), inverseMixed(inverseSubstituted(s, c)) ^ word(k, c));
  copy(s, k);
}

/** AESDECLAST */
export function aesDecryptLast(cpu: usize): void {
  const s = slot0(cpu);
  const k = slot1(cpu);
  for (let c: u32 = 0; c < 4; c++) store<u32>(k + (<usize>c << 2), inverseSubstituted(s, c) ^ word(k, c));
  copy(s, k);
}

/** AESIMC of slot 1. */
export function aesInverseMixColumns(cpu: usize): void {
  for (let c: u32 = 0; c < 4; c++) store<u32>(slot0(cpu) + (<usize>c << 2), inverseMixed(word(slot1(cpu), c)));
}

function substituteWord(w: u32): u32 {
  return substitute(w) | (substitute(w >> 8) << 8) | (substitute(w >> 16) << 16) | (substitute(w >> 24) << 24);
}

/** AESKEYGENASSIST of slot 1. */
export function aesKeygenAssist(cpu: usize, roundConstant: u32): void {
  const x1 = substituteWord(word(slot1(cpu), 1));
  const x3 = substituteWord(word(slot1(cpu), 3));
  const d = slot0(cpu);
  store<u32>(d, x1);
  store<u32>(d, rotr<u32>(x1, 8) ^ roundConstant, 4);
  store<u32>(d, x3, 8);
  store<u32>(d, rotr<u32>(x3, 8) ^ roundConstant, 12);
}

function copy(to: usize, from: usize): void {
  store<u64>(to, load<u64>(from));
  store<u64>(to, load<u64>(from, 8), 8);
}
