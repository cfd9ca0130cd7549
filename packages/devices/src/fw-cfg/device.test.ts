// SPDX-License-Identifier: Apache-2.0
import { GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { FwCfg } from "./device.js";
import { FwCfgKey } from "./registers.js";

const RAM_SIZE = 1 << 20;

function makeFwCfg() {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const device = new FwCfg(ram);
  const select = (key: number): void => device.handler.write(0, 2, key);
  const readText = (length: number): string =>
    String.fromCharCode(...Array.from({ length }, () => device.handler.read(1, 1)));
  const big32 = (address: number, value: number): boolean =>
    ram.write(address, Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  /** Runs a DMA structure at 0x1000; returns the control field afterwards. */
  const dma = (control: number, length: number, target: number): number => {
    big32(0x1000, control);
    big32(0x1004, length);
    big32(0x1008, Math.floor(target / 2 ** 32));
    big32(0x100c, target % 2 ** 32);
    device.handler.write(4, 4, 0);
    device.handler.write(8, 4, 0x0010_0000);
    return ram.u8(0x1003) | (ram.u8(0x1000) << 24);
  };
  return { device, dma, ram, readText, select };
}

deviceConformance("fw-cfg", () => {
  const { device, dma } = makeFwCfg();
  device.addFile("etc/note", Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), true);
  return {
    device,
    ranges: [{ handler: device.handler, length: 12 }],
    pokes: [
      (random) => device.handler.write(0, 2, random() % 40),
      (random) => void dma((random() & 0x1f) | ((random() % 40) << 16), random() % 20, random() % RAM_SIZE),
      (random) => void dma(random(), random(), random()),
    ],
  };
});

describe("fw-cfg", () => {
  it("identifies itself and reads items byte by byte, zero past the end", () => {
    const { device, readText, select } = makeFwCfg();
    expect(readText(6)).toBe("QEMU\0\0");
    select(1);
    expect(device.handler.read(1, 1)).toBe(3);
    device.setNumber(FwCfgKey.ramSize, 5 * 2 ** 32 + 7, 8);
    select(FwCfgKey.ramSize);
    expect(readText(8)).toBe("\x07\0\0\0\x05\0\0\0");
    select(0x3ff);
    expect(readText(1)).toBe("\0");
    expect([device.handler.read(4, 4), device.handler.read(8, 4)]).toEqual([0x554d_4551, 0x4746_4320]);
  });

  it("lists files by name", () => {
    const { device, readText, select } = makeFwCfg();
    device.addFile("etc/b", new Uint8Array(0x1234));
    device.addFile("etc/a", Uint8Array.of(0x41));
    select(0x19);
    expect(readText(4)).toBe("\0\0\0\x02");
    expect(readText(13)).toBe("\0\0\0\x01\0\x21\0\0etc/a");
    readText(51);
    expect(readText(13)).toBe("\0\0\x12\x34\0\x20\0\0etc/b");
    select(0x21);
    expect(readText(1)).toBe("A");
    expect(() => device.addFile("etc/a", new Uint8Array(1))).toThrow(/used twice/);
  });

  it("can be given other contents of a file that only the host writes", () => {
    const { device, readText, select } = makeFwCfg();
    const key = device.addFile("tables", Uint8Array.of(0x41, 0x42));
    device.replaceFile(key, Uint8Array.of(0x43, 0x44));
    select(key);
    expect(readText(2)).toBe("CD");
    expect(() => device.replaceFile(key, new Uint8Array(3))).toThrow(/keeps its length/);
    expect(() => device.replaceFile(device.addFile("open", new Uint8Array(1), true), new Uint8Array(1))).toThrow();
  });

  it("reads by DMA, with select and skip", () => {
    const { device, dma, ram } = makeFwCfg();
    const key = device.addFile(
      "data",
      Uint8Array.from({ length: 100 }, (_, i) => i + 1),
    );
    ram.write(0x2000, new Uint8Array(300).fill(0xee));
    expect(dma((key << 16) | 8 | 2, 10, 0x2000)).toBe(0);
    expect(dma(4, 80, 0)).toBe(0);
    expect(dma(2, 200, 0x2010)).toBe(0);
    expect([0x2000, 0x2009, 0x200a, 0x2010, 0x2019, 0x201a, 0x20d7, 0x20d8].map((at) => ram.u8(at))).toEqual([
      1, 10, 0xee, 91, 100, 0, 0, 0xee,
    ]);
  });

  it("writes writable files only, and never resizes them", () => {
    const { device, dma, ram } = makeFwCfg();
    const fixed = device.addFile("fixed", new Uint8Array(4));
    const open = device.addFile("open", new Uint8Array(4), true);
    ram.setU32(0x3000, 0x0403_0201);
    expect(dma((fixed << 16) | 8 | 16, 4, 0x3000)).toBe(1);
    expect(dma((open << 16) | 8 | 16, 5, 0x3000)).toBe(1);
    expect(dma((open << 16) | 8 | 16, 4, 0x3000)).toBe(0);
    expect([...device.get(open)!]).toEqual([1, 2, 3, 4]);
    device.reset();
    expect([...device.get(open)!]).toEqual([0, 0, 0, 0]);
  });

  it("reports targets outside RAM and ignores structures there", () => {
    const { device, dma } = makeFwCfg();
    expect(dma(2, 16, RAM_SIZE - 8)).toBe(1);
    expect(dma(2, 0xffff_ffff, 2 ** 63)).toBe(1);
    device.handler.write(4, 4, 0xffff_ffff);
    device.handler.write(8, 4, 0xffff_ffff);
  });
});
