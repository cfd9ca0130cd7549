// SPDX-License-Identifier: Apache-2.0
import { Bus } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { deviceConformance } from "../conformance/suite.js";
import { Vga } from "./device.js";
import { vgaPicture } from "./picture.js";
import { vgaText } from "./text.js";

const MEMORY = 1 << 20;

function makeVga(clock = new FakeClock()) {
  const spaces = { ports: new Bus("ports"), mmio: new Bus("mmio") };
  const memory = new Uint8Array(MEMORY);
  const placed: (number | null)[] = [];
  const rom = Uint8Array.of(0x55, 0xaa, 1);
  const device = new Vga({ spaces, memory, rom, clock, frameBufferPlaced: (address) => placed.push(address) });
  const out = (port: number, value: number): void => device.portHandler.write(port - 0x3b0, 1, value);
  const inb = (port: number): number => device.portHandler.read(port - 0x3b0, 1);
  const indexed = (port: number, index: number, value: number): void => {
    out(port, index);
    out(port + 1, value);
  };
  const attribute = (index: number, value: number): void => {
    inb(0x3da);
    out(0x3c0, index);
    out(0x3c0, value);
  };
  const poke = (address: number, ...bytes: number[]): void =>
    bytes.forEach((byte, i) => device.memoryHandler.write(address - 0xa_0000 + i, 1, byte));
  const peek = (address: number): number => device.memoryHandler.read(address - 0xa_0000, 1);
  const vbe = (index: number, value: number): void => {
    device.vbeHandler.write(0, 2, index);
    device.vbeHandler.write(1, 2, value);
  };
  const readVbe = (index: number): number => {
    device.vbeHandler.write(0, 2, index);
    return device.vbeHandler.read(1, 2);
  };
  /** Registers that all modes need: colour, four colours of the palette, display on. */
  const on = (): void => {
    out(0x3c2, 0x67);
    [0, 1, 2, 4].forEach((colour, i) => {
      out(0x3c8, i);
      for (const bit of [4, 2, 1]) out(0x3c9, (colour & bit) !== 0 ? 63 : 0);
      attribute(i, i);
    });
    attribute(0x12, 15);
    inb(0x3da);
    out(0x3c0, 0x20);
  };
  return { attribute, device, inb, indexed, memory, on, out, peek, placed, poke, readVbe, spaces, vbe };
}

/** 80 by 25 characters of 9 by 16 dots. */
function textMode({ indexed, on }: ReturnType<typeof makeVga>): void {
  on();
  indexed(0x3c4, 1, 0);
  indexed(0x3c4, 2, 3);
  indexed(0x3c4, 4, 2);
  indexed(0x3ce, 5, 0x10);
  indexed(0x3ce, 6, 0x0e);
  indexed(0x3ce, 8, 0xff);
  for (const [index, value] of [
    [1, 79],
    [7, 0x1f],
    [9, 0x4f],
    [10, 0x2e],
    [0x12, 0x8f],
    [0x13, 40],
    [0x17, 0xa3],
  ] as const)
    indexed(0x3d4, index, value);
}

/** The planar mode of 640 by 480. */
function planarMode({ indexed, on }: ReturnType<typeof makeVga>): void {
  on();
  indexed(0x3c4, 1, 1);
  indexed(0x3c4, 2, 15);
  indexed(0x3c4, 4, 6);
  indexed(0x3ce, 5, 0);
  indexed(0x3ce, 6, 5);
  indexed(0x3ce, 7, 15);
  indexed(0x3ce, 8, 0xff);
  const crtc = [
    [1, 79],
    [7, 0x3e],
    [9, 0x40],
    [0x12, 0xdf],
    [0x13, 40],
    [0x17, 0xe3],
    [0x18, 0xff],
  ] as const;
  for (const [index, value] of crtc) indexed(0x3d4, index, value);
}

function pixel(vga: ReturnType<typeof makeVga>, x: number, y: number): number[] {
  const picture = vgaPicture(vga.device.registers, vga.memory)!;
  return [...picture.pixels.subarray((y * picture.width + x) * 4, (y * picture.width + x) * 4 + 3)];
}

deviceConformance("vga", (clock) => {
  const { device, memory } = makeVga(clock);
  return {
    device,
    ranges: [
      { handler: device.portHandler, length: 0x30 },
      { handler: device.vbeHandler, length: 3 },
      { handler: device.memoryHandler, length: 0x2_0000 },
      { handler: device.pci.config, length: 0x40 },
    ],
    pokes: [
      // Whatever the registers say, there is a picture of bounded size, or none.
      (random) => {
        if (random() % 32 !== 0) return;
        const picture = vgaPicture(device.registers, memory);
        if (picture !== null && picture.pixels.length > 4 * 2560 * 2048) throw new Error("a huge picture");
        vgaText(device.registers, memory);
      },
    ],
  };
});

describe("vga", () => {
  it("is found on the PCI bus with frame buffer, registers and ROM", () => {
    const { device, placed, spaces, vbe, memory } = makeVga();
    const { config } = device.pci;
    expect(config.read(0, 4)).toBe(0x1111_1234);
    config.write(0x30, 4, 0xffff_ffff);
    expect(config.read(0x30, 4)).toBe(0xffff_f801);
    config.write(0x30, 4, 0xfeb0_0001);
    config.write(0x10, 4, 0xfd00_0000);
    config.write(0x18, 4, 0xfeb1_0000);
    config.write(4, 2, 2);
    expect(placed).toEqual([0xfd00_0000]);
    expect(spaces.mmio.read(0xfeb0_0000, 2)).toBe(0xaa55);
    spaces.mmio.write(0xfd00_0010, 4, 0x1234_5678);
    expect(memory[0x10]).toBe(0x78);
    vbe(1, 800);
    expect(spaces.mmio.read(0xfeb1_0502, 2)).toBe(800);
    config.write(4, 2, 0);
    expect(placed.at(-1)).toBeNull();
    expect(spaces.mmio.read(0xfeb0_0000, 2)).toBe(0xffff);
  });

  it("keeps indexed registers behind their locks", () => {
    const { attribute, inb, indexed, out } = makeVga();
    out(0x3c2, 1);
    indexed(0x3d4, 0x11, 0x80);
    indexed(0x3d4, 0, 0x55);
    expect(inb(0x3d5)).toBe(0);
    indexed(0x3d4, 7, 0xff);
    expect(inb(0x3d5)).toBe(0x10);
    expect(inb(0x3b5)).toBe(0xff);
    attribute(3, 0x2a);
    inb(0x3da);
    out(0x3c0, 0x23);
    out(0x3c0, 0x11);
    expect(inb(0x3c1)).toBe(0x2a);
  });

  it("counts through its palette", () => {
    const { inb, out } = makeVga();
    out(0x3c8, 254);
    for (const value of [1, 2, 3, 4, 5, 0x46, 7]) out(0x3c9, value);
    out(0x3c7, 254);
    expect([1, 2, 3, 4, 5, 6].map(() => inb(0x3c9))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(inb(0x3c7)).toBe(3);
    expect(inb(0x3c8)).toBe(0);
  });

  it("retraces in time", () => {
    const clock = new FakeClock();
    const { inb, out } = makeVga(clock);
    out(0x3c2, 1);
    const seen = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      clock.advance(10_000);
      seen.add(inb(0x3da));
    }
    expect([...seen].toSorted()).toEqual([0, 1, 9]);
  });

  it("shows text with colours, fonts and a cursor", () => {
    const vga = makeVga();
    textMode(vga);
    vga.poke(0xb_8000, 0x48, 0x12, 0x69, 0x12, 0xdb, 0x13);
    vga.poke(0xb_8000 + 2 * 81, 0xc4, 0x03);
    expect(vgaText(vga.device.registers, vga.memory)?.slice(0, 3)).toEqual(["Hi█", " ─", ""]);
    // A font in plane 2: the second line of "H" has its first and last dot set.
    vga.indexed(0x3c4, 2, 4);
    vga.indexed(0x3c4, 4, 6);
    vga.indexed(0x3ce, 6, 4);
    vga.indexed(0x3ce, 5, 0);
    vga.indexed(0x3ce, 8, 0xff);
    vga.poke(0xa_0000 + 0x48 * 32 + 1, 0x81);
    vga.indexed(0x3ce, 6, 0x0e);
    const [ink, paper] = [pixel(vga, 0, 1), pixel(vga, 1, 1)];
    expect([ink, paper]).toEqual([
      [0, 255, 0],
      [0, 0, 255],
    ]);
    expect([pixel(vga, 7, 1), pixel(vga, 8, 1)]).toEqual([ink, paper]);
    expect(vgaPicture(vga.device.registers, vga.memory)).toMatchObject({ width: 720, height: 400 });
    vga.indexed(0x3d4, 10, 14);
    vga.indexed(0x3d4, 11, 15);
    expect([pixel(vga, 3, 14), pixel(vga, 3, 13)]).toEqual([ink, paper]);
    vga.indexed(0x3c4, 1, 0x20);
    expect(vgaPicture(vga.device.registers, vga.memory)).toBeNull();
  });

  it("writes planes in four modes and compares colours", () => {
    const vga = makeVga();
    planarMode(vga);
    const { indexed, memory, peek, poke } = vga;
    const planes = (word: number): number[] => [...memory.subarray(word * 4, word * 4 + 4)];
    // Mode 0: set/reset, rotation, bit mask with latches.
    poke(0xa_0000, 0xf0);
    expect(planes(0)).toEqual([0xf0, 0xf0, 0xf0, 0xf0]);
    indexed(0x3ce, 0, 5);
    indexed(0x3ce, 1, 15);
    poke(0xa_0001, 0);
    expect(planes(1)).toEqual([0xff, 0, 0xff, 0]);
    indexed(0x3ce, 1, 0);
    indexed(0x3ce, 8, 0x0f);
    indexed(0x3ce, 3, 4);
    peek(0xa_0000);
    poke(0xa_0002, 0x12);
    expect(planes(2)).toEqual([0xf1, 0xf1, 0xf1, 0xf1]);
    // Mode 1 copies latches, mode 2 takes a colour, mode 3 a mask.
    indexed(0x3ce, 5, 1);
    peek(0xa_0001);
    poke(0xa_0003, 0x99);
    expect(planes(3)).toEqual([0xff, 0, 0xff, 0]);
    indexed(0x3ce, 3, 0);
    indexed(0x3ce, 5, 2);
    indexed(0x3ce, 8, 0xff);
    poke(0xa_0004, 0x09);
    expect(planes(4)).toEqual([0xff, 0, 0, 0xff]);
    indexed(0x3ce, 5, 3);
    indexed(0x3ce, 0, 2);
    peek(0xa_0004);
    poke(0xa_0004, 0x3c);
    expect(planes(4)).toEqual([0xc3, 0x3c, 0, 0xc3]);
    // Read mode 1: where the colour is 9.
    indexed(0x3ce, 5, 8);
    indexed(0x3ce, 2, 9);
    expect(peek(0xa_0004)).toBe(0xc3);
    indexed(0x3ce, 5, 0);
    indexed(0x3ce, 4, 1);
    expect(peek(0xa_0004)).toBe(0x3c);
    expect(pixel(vga, 8 * 4 + 2, 0)).toEqual([0, 255, 0]);
  });

  it("shows 256 colours at 320 by 200", () => {
    const vga = makeVga();
    vga.on();
    vga.indexed(0x3c4, 1, 1);
    vga.indexed(0x3c4, 2, 15);
    vga.indexed(0x3c4, 4, 0x0e);
    vga.indexed(0x3ce, 5, 0x40);
    vga.indexed(0x3ce, 6, 5);
    for (const [index, value] of [
      [1, 79],
      [7, 0x1f],
      [9, 0x41],
      [0x12, 0x8f],
      [0x13, 40],
      [0x17, 0xa3],
      [0x18, 0xff],
    ] as const)
      vga.indexed(0x3d4, index, value);
    vga.poke(0xa_0000 + 320 * 3 + 7, 2);
    expect(vgaPicture(vga.device.registers, vga.memory)).toMatchObject({ width: 320, height: 200 });
    expect(pixel(vga, 7, 3)).toEqual([0, 255, 0]);
    expect(pixel(vga, 6, 3)).toEqual([0, 0, 0]);
  });

  it("shows the modes of the Bochs interface", () => {
    const vga = makeVga();
    expect(vga.readVbe(0)).toBe(0xb0c5);
    expect(vga.readVbe(10)).toBe(16);
    vga.memory[0] = 9;
    for (const [index, value] of [
      [1, 320],
      [2, 200],
      [3, 32],
      [4, 0x41],
    ] as const)
      vga.vbe(index, value);
    expect(vga.memory[0]).toBe(0);
    vga.memory.set([1, 2, 3], (320 * 5 + 4) * 4);
    expect(pixel(vga, 4, 5)).toEqual([3, 2, 1]);
    vga.vbe(9, 5);
    expect(pixel(vga, 4, 0)).toEqual([3, 2, 1]);
    vga.vbe(4, 0);
    for (const [index, value] of [
      [1, 640],
      [3, 16],
      [4, 0xc1],
    ] as const)
      vga.vbe(index, value);
    vga.memory.set([0xe0, 0x07], 640 * 2);
    expect(pixel(vga, 0, 1)).toEqual([0, 255, 0]);
    vga.vbe(1, 60_000);
    expect(vga.readVbe(1)).toBe(640);
    vga.vbe(4, 2);
    expect(vga.readVbe(1)).toBe(2560);
  });
});
