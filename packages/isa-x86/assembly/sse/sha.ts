// SPDX-License-Identifier: Apache-2.0
// SHA-NI: rounds and message schedules of FIPS 180-4. Word 3 is the most significant of a vector.
import { SLOT, slot0, slot1 } from "./result";

function word(slot: usize, i: usize): u32 {
  return load<u32>(slot + (i << 2));
}

function put(slot: usize, i: usize, value: u32): void {
  store<u32>(slot + (i << 2), value);
}

/** K of the four groups of 20 rounds. */
function sha1Constant(group: u32): u32 {
  return group == 0 ? 0x5a827999 : group == 1 ? 0x6ed9eba1 : group == 2 ? 0x8f1bbcdc : 0xca62c1d6;
}

function sha1Function(group: u32, b: u32, c: u32, d: u32): u32 {
  if (group == 0) return (b & c) ^ (~b & d);
  if (group == 2) return (b & c) ^ (b & d) ^ (c & d);
  return b ^ c ^ d;
}

/** SHA1RNDS4: slot 0 holds A B C D from word 3 down; slot 1 the four message words, E added to the first. */
export function sha1Rounds(cpu: usize, imm: u32): void {
  const s = slot0(cpu);
  const group = imm & 3;
  let a = word(s, 3);
  let b = word(s, 2);
  let c = word(s, 1);
  let d = word(s, 0);
  let e: u32 = 0;
  for (let i: usize = 4; i > 0; i--) {
    const t = sha1Function(group, b, c, d) + rotl<u32>(a, 5) + word(slot1(cpu), i - 1) + e + sha1Constant(group);
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = t;
  }
  put(s, 3, a);
  put(s, 2, b);
  put(s, 1, c);
  put(s, 0, d);
}

/** SHA1MSG2 */
export function sha1Message2(cpu: usize): void {
  const s = slot0(cpu);
  const w = slot1(cpu);
  const w16 = rotl<u32>(word(s, 3) ^ word(w, 2), 1);
  put(s, 3, w16);
  put(s, 2, rotl<u32>(word(s, 2) ^ word(w, 1), 1));
  put(s, 1, rotl<u32>(word(s, 1) ^ word(w, 0), 1));
  put(s, 0, rotl<u32>(word(s, 0) ^ w16, 1));
}

/** SHA256RNDS2: slot 0 holds C D G H, slot 1 A B E F from word 3 down; words 0 and 1 of slot 2 are message plus K. */
export function sha256Rounds(cpu: usize): void {
  const s = slot0(cpu);
  const t = slot1(cpu);
  const messages = slot1(cpu) + SLOT;
  let c = word(s, 3);
  let d = word(s, 2);
  let g = word(s, 1);
  let h = word(s, 0);
  let a = word(t, 3);
  let b = word(t, 2);
  let e = word(t, 1);
  let f = word(t, 0);
  for (let i: usize = 0; i < 2; i++) {
    const sum1 = rotr<u32>(e, 6) ^ rotr<u32>(e, 11) ^ rotr<u32>(e, 25);
    const sum0 = rotr<u32>(a, 2) ^ rotr<u32>(a, 13) ^ rotr<u32>(a, 22);
    const t1 = h + sum1 + ((e & f) ^ (~e & g)) + word(messages, i);
    const t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  put(s, 3, a);
  put(s, 2, b);
  put(s, 1, e);
  put(s, 0, f);
}

/** SHA256MSG1: adds the small sigma 0 of the next words. */
export function sha256Message1(cpu: usize): void {
  const s = slot0(cpu);
  for (let i: usize = 0; i < 4; i++) {
    const next = i < 3 ? word(s, i + 1) : word(slot1(cpu), 0);
    put(s, i, word(s, i) + (rotr<u32>(next, 7) ^ rotr<u32>(next, 18) ^ (next >> 3)));
  }
}

function smallSigma1(w: u32): u32 {
  return rotr<u32>(w, 17) ^ rotr<u32>(w, 19) ^ (w >> 10);
}

/** SHA256MSG2: adds the small sigma 1 of the words two places earlier. */
export function sha256Message2(cpu: usize): void {
  const s = slot0(cpu);
  const w16 = word(s, 0) + smallSigma1(word(slot1(cpu), 2));
  const w17 = word(s, 1) + smallSigma1(word(slot1(cpu), 3));
  put(s, 0, w16);
  put(s, 1, w17);
  put(s, 2, word(s, 2) + smallSigma1(w16));
  put(s, 3, word(s, 3) + smallSigma1(w17));
}
