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
  return load<u32>(ROUND + (<usize>byte << 2));
}

function inverseColumn(byte: u32): u32 {
  return load<u32>(INVERSE_COLUMN + (<usize>byte << 2));
}

function substitute(byte: u32): u32 {
  return <u32>load<u8>(SBOX + <usize>byte);
}

function substituteInverse(byte: u32): u32 {
  return <u32>load<u8>(INVERSE_SBOX + <usize>byte);
}

/** Byte i of a vector; i wraps as ShiftRows wraps around the columns. */
function byte(slot: usize, i: usize): u32 {
  return <u32>load<u8>(slot + (i & 15));
}

/** Column at byte c after ShiftRows (row r comes from r columns further), SubBytes and MixColumns. */
function roundColumn(s: usize, c: usize): u32 {
  return (
    round(byte(s, c)) ^
    rotl<u32>(round(byte(s, c + 5)), 8) ^
    rotl<u32>(round(byte(s, c + 10)), 16) ^
    rotl<u32>(round(byte(s, c + 15)), 24)
  );
}

/** The same without MixColumns. */
function lastColumn(s: usize, c: usize): u32 {
  return (
    substitute(byte(s, c)) |
    (substitute(byte(s, c + 5)) << 8) |
    (substitute(byte(s, c + 10)) << 16) |
    (substitute(byte(s, c + 15)) << 24)
  );
}

/** Column at byte c after InvShiftRows and InvSubBytes. */
function inverseSubstituted(s: usize, c: usize): u32 {
  return (
    substituteInverse(byte(s, c)) |
    (substituteInverse(byte(s, c + 13)) << 8) |
    (substituteInverse(byte(s, c + 10)) << 16) |
    (substituteInverse(byte(s, c + 7)) << 24)
  );
}

/** InvMixColumns of one column. */
function inverseMixed(column: u32): u32 {
  return (
    inverseColumn(column & 0xff) ^
    rotl<u32>(inverseColumn((column >> 8) & 0xff), 8) ^
    rotl<u32>(inverseColumn((column >> 16) & 0xff), 16) ^
    rotl<u32>(inverseColumn(column >> 24), 24)
  );
}

/** Stores four columns, the round key in slot 1 added. */
function put(cpu: usize, c0: u32, c1: u32, c2: u32, c3: u32): void {
  const s = slot0(cpu);
  const k = slot1(cpu);
  store<u32>(s, c0 ^ load<u32>(k));
  store<u32>(s, c1 ^ load<u32>(k, 4), 4);
  store<u32>(s, c2 ^ load<u32>(k, 8), 8);
  store<u32>(s, c3 ^ load<u32>(k, 12), 12);
}

/** AESENC */
export function aesEncrypt(cpu: usize): void {
  const s = slot0(cpu);
  put(cpu, roundColumn(s, 0), roundColumn(s, 4), roundColumn(s, 8), roundColumn(s, 12));
}

/** AESENCLAST */
export function aesEncryptLast(cpu: usize): void {
  const s = slot0(cpu);
  put(cpu, lastColumn(s, 0), lastColumn(s, 4), lastColumn(s, 8), lastColumn(s, 12));
}

/** AESDEC: the equivalent inverse cipher. */
export function aesDecrypt(cpu: usize): void {
  const s = slot0(cpu);
  put(
    cpu,
    inverseMixed(inverseSubstituted(s, 0)),
    inverseMixed(inverseSubstituted(s, 4)),
    inverseMixed(inverseSubstituted(s, 8)),
    inverseMixed(inverseSubstituted(s, 12)),
  );
}

/** AESDECLAST */
export function aesDecryptLast(cpu: usize): void {
  const s = slot0(cpu);
  put(cpu, inverseSubstituted(s, 0), inverseSubstituted(s, 4), inverseSubstituted(s, 8), inverseSubstituted(s, 12));
}

/** AESIMC of slot 1. */
export function aesInverseMixColumns(cpu: usize): void {
  for (let c: usize = 0; c < 16; c += 4) store<u32>(slot0(cpu) + c, inverseMixed(load<u32>(slot1(cpu) + c)));
}

/** SubWord of the column at byte c of slot 1. */
function substituteWord(cpu: usize, c: usize): u32 {
  const s = slot1(cpu);
  return (
    substitute(byte(s, c)) |
    (substitute(byte(s, c + 1)) << 8) |
    (substitute(byte(s, c + 2)) << 16) |
    (substitute(byte(s, c + 3)) << 24)
  );
}

/** AESKEYGENASSIST of slot 1. */
export function aesKeygenAssist(cpu: usize, roundConstant: u32): void {
  const x1 = substituteWord(cpu, 4);
  const x3 = substituteWord(cpu, 12);
  const d = slot0(cpu);
  store<u32>(d, x1);
  store<u32>(d, rotr<u32>(x1, 8) ^ roundConstant, 4);
  store<u32>(d, x3, 8);
  store<u32>(d, rotr<u32>(x3, 8) ^ roundConstant, 12);
}
