// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { allOnes, fromBytes, partOf } from "./access-width.js";

describe("accesses narrower than what they reach", () => {
  it("read ones where nothing answers, as many as they are wide", () => {
    expect([allOnes(1), allOnes(2), allOnes(4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
  });

  it("read a part of a register by the low two bits of the offset", () => {
    expect(partOf(0x89ab_cdef, 0x14, 4)).toBe(0x89ab_cdef);
    expect([partOf(0x89ab_cdef, 0x14, 2), partOf(0x89ab_cdef, 0x16, 2)]).toEqual([0xcdef, 0x89ab]);
    expect([0, 1, 2, 3].map((offset) => partOf(0x89ab_cdef, offset, 1))).toEqual([0xef, 0xcd, 0xab, 0x89]);
  });

  it("read bytes in order, the first as the lowest", () => {
    const bytes = [0x10, 0x32, 0x54, 0x76, 0x98];
    const byteAt = (offset: number): number => bytes[offset] ?? 0;
    expect(fromBytes(1, 1, byteAt)).toBe(0x32);
    expect(fromBytes(1, 2, byteAt)).toBe(0x5432);
    expect(fromBytes(0, 4, byteAt)).toBe(0x7654_3210);
    // Without a sign, and with what lies behind the end.
    expect(fromBytes(1, 4, byteAt)).toBe(0x9876_5432);
    expect(fromBytes(3, 4, byteAt)).toBe(0x9876);
  });

  it("ask for each byte that they cover once, and for no other", () => {
    const asked: number[] = [];
    const byteAt = (offset: number): number => asked.push(offset);
    fromBytes(6, 4, byteAt);
    expect(asked.sort()).toEqual([6, 7, 8, 9]);
    asked.length = 0;
    fromBytes(3, 1, byteAt);
    expect(asked).toEqual([3]);
  });
});
