// SPDX-License-Identifier: Apache-2.0
import { GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { Dma8237 } from "./device.js";

const RAM_SIZE = 1 << 20;

function makeDma() {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const device = new Dma8237(ram);
  const out = (port: number, value: number): void => {
    if (port >= 0xc0) device.secondHandler.write(port - 0xc0, 1, value);
    else if (port >= 0x80) device.pageHandler.write(port - 0x80, 1, value);
    else device.firstHandler.write(port, 1, value);
  };
  return { ram, device, out };
}

deviceConformance("dma8237", () => {
  const { device } = makeDma();
  const channels = [0, 1, 2, 3, 5, 6, 7].map((number) => device.channel(number));
  return {
    device,
    ranges: [
      { handler: device.firstHandler, length: 16 },
      { handler: device.secondHandler, length: 32 },
      { handler: device.pageHandler, length: 16 },
    ],
    pokes: [
      (random) => void channels[random() % 7]!.transfer(new Uint8Array(random() % 600), random() % 2 === 0),
      (random) => void channels[random() % 7]!.available(random() % 2 === 0),
    ],
  };
});

/** Programs channel 2 for `count` bytes at `address`. */
function program(out: (port: number, value: number) => void, address: number, count: number, mode: number): void {
  out(0x0c, 0);
  out(0x04, address & 0xff);
  out(0x04, (address >> 8) & 0xff);
  out(0x05, (count - 1) & 0xff);
  out(0x05, (count - 1) >> 8);
  out(0x81, address >> 16);
  out(0x0b, mode | 2);
  out(0x0a, 2);
}

describe("dma8237", () => {
  it("moves bytes to memory up to the terminal count", () => {
    const { device, out, ram } = makeDma();
    program(out, 0x2_1000, 4, 0x44);
    const channel = device.channel(2);
    expect(channel.available(true)).toBe(4);
    expect(channel.available(false)).toBe(0);
    expect(channel.transfer(Uint8Array.of(1, 2), true)).toBe(false);
    expect(channel.transfer(Uint8Array.of(3, 4, 5), true)).toBe(true);
    expect(ram.u32(0x2_1000)).toBe(0x0403_0201);
    expect(ram.u8(0x2_1004)).toBe(0);
    expect(device.firstHandler.read(8, 1)).toBe(4);
    expect(device.firstHandler.read(8, 1)).toBe(0);
    expect(channel.available(true)).toBe(0);
  });

  it("wraps within 64 KiB and begins anew by itself", () => {
    const { device, out, ram } = makeDma();
    ram.setU16(0x3_fffe, 0x0201);
    ram.setU16(0x3_0000, 0x0403);
    program(out, 0x3_fffe, 4, 0x58);
    const bytes = new Uint8Array(4);
    expect(device.channel(2).transfer(bytes, false)).toBe(true);
    expect([...bytes]).toEqual([1, 2, 3, 4]);
    expect(device.channel(2).available(false)).toBe(4);
  });

  it("moves words on the second controller, and downwards", () => {
    const { device, out, ram } = makeDma();
    out(0xd8, 0);
    for (const value of [0x01, 0x80]) out(0xc4, value);
    for (const value of [0x01, 0x00]) out(0xc6, value);
    out(0x8b, 0x05);
    out(0xd6, 0x65);
    out(0xd4, 1);
    expect(device.channel(5).available(true)).toBe(4);
    expect(device.channel(5).transfer(Uint8Array.of(1, 2, 3, 4), true)).toBe(true);
    expect(ram.u16(0x4_0000 + 0x8001 * 2)).toBe(0x0201);
    expect(ram.u16(0x4_0000 + 0x8000 * 2)).toBe(0x0403);
  });
});
