// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { CfiFlash } from "./device.js";
import { Command } from "./registers.js";

const SIZE = 0x8_4000;

function makeFlash(readOnly = false) {
  const array = new Uint8Array(SIZE).fill(0xff);
  const shown: boolean[] = [];
  const changes: [offset: number, length: number][] = [];
  const device = new CfiFlash({
    array,
    readOnly,
    arrayShown: (on) => shown.push(on),
    changed: (offset, length) => changes.push([offset, length]),
  });
  const write = (offset: number, ...values: number[]): void => {
    for (const value of values) device.handler.write(offset, 1, value);
  };
  const read = (offset: number): number => device.handler.read(offset, 1);
  return { array, changes, device, read, shown, write };
}

const COMMANDS = [0x00, 0x01, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xb0, 0xd0, 0xe8, 0xff];

deviceConformance("cfi-flash", () => {
  const { device, write } = makeFlash();
  return {
    device,
    ranges: [{ handler: device.handler, length: SIZE }],
    pokes: [(random) => write(random() % SIZE, COMMANDS[random() % COMMANDS.length]!)],
  };
});

describe("cfi-flash", () => {
  it("programs bytes by clearing bits, and erases blocks", () => {
    const { array, changes, read, write } = makeFlash();
    write(0x1234, Command.Program, 0x5a);
    expect(read(0)).toBe(0x80);
    write(0x1234, Command.ProgramAlias, 0xf0);
    write(0, Command.ReadArray);
    expect([read(0x1234), read(0x1235)]).toEqual([0x50, 0xff]);
    array.fill(0, 0, 0x3000);
    write(0x1fff, Command.EraseSetup, Command.Confirm);
    expect([array[0xfff], array[0x1000], array[0x1fff], array[0x2000]]).toEqual([0, 0xff, 0xff, 0]);
    expect(changes).toEqual([
      [0x1234, 1],
      [0x1234, 1],
      [0x1000, 0x1000],
    ]);
  });

  it("says when reads do not get the array", () => {
    const { read, shown, write } = makeFlash();
    write(0, Command.ReadStatus, Command.ReadArray, Command.Program, 0xff, Command.Program, 0xff, Command.ReadArray);
    expect(shown).toEqual([false, true, false, true]);
    // Garbage leads back to the array too.
    write(0, Command.Query, 0x33);
    expect([shown.length, read(0x10)]).toEqual([6, 0xff]);
  });

  it("passes for flash with the probe of OVMF", () => {
    const { read, write } = makeFlash();
    write(0x20, Command.ClearStatus);
    expect(read(0x20)).toBe(0xff);
    write(0x20, 0xff);
    expect(read(0x20)).toBe(0xff);
    write(0x20, Command.ReadStatus);
    expect(read(0x20)).toBe(0);
  });

  it("describes itself", () => {
    const { device, read, write } = makeFlash();
    write(0x55, Command.Query);
    expect(String.fromCharCode(read(0x10), read(0x11), read(0x12))).toBe("QRY");
    expect(device.handler.read(0x27, 1)).toBe(20);
    // One region of 0x84 blocks of 16 * 256 bytes.
    expect(device.handler.read(0x2d, 4)).toBe(0x0010_0083);
    const vendor = read(0x15);
    expect(String.fromCharCode(read(vendor), read(vendor + 1), read(vendor + 2))).toBe("PRI");
    write(0, Command.ReadIdentifiers);
    expect([read(0), read(1), read(2)]).toEqual([0x89, 0x18, 0]);
  });

  it("writes buffers of up to 32 bytes in one block", () => {
    const { array, read, write } = makeFlash();
    const buffered = (start: number, count: number, confirm: number): number => {
      write(start, Command.WriteToBuffer);
      expect(read(start) & 0x80).toBe(0x80);
      write(start, count - 1);
      for (let i = 0; i < Math.min(count, 32); i++) write(start + i, i);
      if (count <= 32) write(start, confirm);
      const status = read(0);
      write(0, Command.ClearStatus);
      return status;
    };
    expect(buffered(0x1000, 32, Command.Confirm)).toBe(0x80);
    expect([...array.subarray(0x1000, 0x1021)]).toEqual([...Array.from({ length: 32 }, (_, i) => i), 0xff]);
    expect(buffered(0x3000, 4, Command.ReadArray)).toBe(0xb0);
    expect(buffered(0x3ffe, 4, Command.Confirm)).toBe(0xb0);
    write(0x3000, Command.WriteToBuffer, 32);
    expect(read(0)).toBe(0xb0);
    expect(array.subarray(0x2000).every((byte) => byte === 0xff)).toBe(true);
  });

  it("refuses to change a read-only array, and keeps the error until it is cleared", () => {
    const { array, changes, read, write } = makeFlash(true);
    write(7, Command.Program, 0);
    expect(read(0)).toBe(0x92);
    write(7, Command.EraseSetup, Command.Confirm);
    expect(read(0)).toBe(0xb2);
    write(7, Command.EraseSetup, Command.ReadArray, Command.ReadIdentifiers);
    expect(read(0x5002)).toBe(1);
    write(0, Command.ClearStatus, Command.ReadStatus);
    expect(read(0)).toBe(0);
    expect([array[7], changes]).toEqual([0xff, []]);
  });

  it("takes a wide write as one cycle for each byte", () => {
    const { array, device } = makeFlash();
    device.handler.write(0x10, 2, (0x12 << 8) | Command.Program);
    device.handler.write(SIZE - 1, 4, 0);
    expect([array[0x10], array[0x11], array[SIZE - 1]]).toEqual([0xff, 0x12, 0xff]);
    expect(device.handler.read(SIZE - 1, 4)).toBe(0xffff_ffff);
  });

  it("sets no bit but by erasing, whatever is written (fuzz, 50 000 cycles)", () => {
    const { array, changes, device, write } = makeFlash();
    const shadow = array.slice();
    const random = randomSource(99);
    for (let i = 0; i < 50_000; i++) {
      const offset = random() % 3 === 0 ? random() % SIZE : random() % 0x40;
      changes.length = 0;
      write(offset, random() % 4 === 0 ? random() & 0xff : COMMANDS[random() % COMMANDS.length]!);
      for (const [at, length] of changes) {
        for (let j = at; j < at + length; j++)
          expect(length === 1 ? array[j]! & ~shadow[j]! : array[j]).toBe(length === 1 ? 0 : 0xff);
        shadow.set(array.subarray(at, at + length), at);
      }
      expect(device.save().buffered.length).toBeLessThanOrEqual(32);
    }
    expect(Buffer.from(array).equals(Buffer.from(shadow))).toBe(true);
  });
});
