// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { GuestRam } from "./guest-ram.js";

const BASE = 4096;
const make = (size = 8192): GuestRam => new GuestRam(new ArrayBuffer(BASE + size), BASE, size);

describe("GuestRam", () => {
  it("reads and writes little-endian values at guest-physical addresses", () => {
    const ram = make();
    expect(ram.setU32(0x10, 0x8899_aabb)).toBe(true);
    expect([ram.u8(0x10), ram.u16(0x12), ram.u32(0x10)]).toEqual([0xbb, 0x8899, 0x8899_aabb]);
    ram.setU64(0x20, 0xffff_ffff_0000_0001n);
    expect(ram.u64(0x20)).toBe(0xffff_ffff_0000_0001n);
    ram.setU16(0x30, 0x1234);
    ram.setU8(0x30, 0xff);
    expect(ram.u16(0x30)).toBe(0x12ff);
  });

  it("touches nothing outside RAM", () => {
    const ram = make();
    const into = Uint8Array.of(7, 7);
    for (const address of [8191, 8192, -1, 0xffff_ffff, Number.NaN, Infinity, 2 ** 53]) {
      expect(ram.setU16(address, 1)).toBe(false);
      expect(ram.u32(address)).toBe(0);
      expect(ram.read(address, into)).toBe(false);
      expect(ram.write(address, into)).toBe(false);
      expect(ram.peek(address, 2)).toBeNull();
    }
    expect(into).toEqual(Uint8Array.of(7, 7));
  });

  it("tells the hook of every write by a device, and of no read", () => {
    const ram = make();
    const heard: [number, number][] = [];
    ram.onWrite((address, length) => heard.push([address, length]));
    ram.setU8(1, 1);
    ram.setU16(2, 1);
    ram.setU32(4, 1);
    ram.setU64(8, 1n);
    ram.write(16, new Uint8Array(20));
    ram.read(0, new Uint8Array(4));
    ram.setU8(9000, 1);
    expect(heard).toEqual([
      [1, 1],
      [2, 2],
      [4, 4],
      [8, 8],
      [16, 20],
    ]);
  });

  it("clears what is released, unless the host takes it", () => {
    const ram = make();
    const heard: number[] = [];
    ram.onWrite((address) => heard.push(address));
    ram.write(4096, new Uint8Array(4096).fill(9));
    expect(ram.release(4096, 4096, () => true)).toBe(true);
    expect(ram.u8(5000)).toBe(9);
    expect(ram.release(4096, 4096, () => false)).toBe(true);
    expect([ram.u8(4096), ram.u8(8191), heard]).toEqual([0, 0, [4096, 4096, 4096]]);
    expect(ram.release(4096, 8192)).toBe(false);
  });

  it("refuses a size that is no whole number of pages or does not fit", () => {
    expect(() => make(4097)).toThrow("does not fit");
    expect(() => new GuestRam(new ArrayBuffer(4096), 0, 8192)).toThrow("does not fit");
  });
});
