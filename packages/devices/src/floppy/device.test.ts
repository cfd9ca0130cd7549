// SPDX-License-Identifier: Apache-2.0
import { GuestRam } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Dma8237 } from "../dma8237/device.js";
import { Floppy } from "./device.js";
import { floppyGeometry } from "./geometry.js";

const RAM_SIZE = 1 << 20;
const DISK_SIZE = 1440 << 10;

class Store implements BlockStore {
  readonly bytes: Uint8Array;
  readonly size: number;
  fails = false;

  constructor(
    size: number,
    readonly readOnly = false,
    private readonly late = false,
  ) {
    this.size = size;
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i >> 9) + i);
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.fails || offset + buffer.length > this.size) throw new Error("cannot read");
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
    return this.late ? Promise.resolve() : undefined;
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.fails || offset + buffer.length > this.size) throw new Error("cannot write");
    this.bytes.set(buffer, offset);
    return this.late ? Promise.resolve() : undefined;
  }

  flush(): void {}

  close(): void {}
}

function makeFloppy(store: Store | null = new Store(DISK_SIZE)) {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const dma = new Dma8237(ram);
  const irq = new RecordingLine();
  const device = new Floppy({ irq, dma: dma.channel(2) });
  device.changeDisk(0, store);
  const send = (...bytes: number[]): void => {
    for (const byte of bytes) device.handler.write(5, 1, byte);
  };
  const result = (): number[] => {
    const bytes: number[] = [];
    while ((device.handler.read(4, 1) & 0xd0) === 0xd0) bytes.push(device.handler.read(5, 1));
    return bytes;
  };
  /** Programs DMA channel 2; `mode` 0x44 writes to memory, 0x48 reads it. */
  const program = (address: number, count: number, mode: number): void => {
    const { firstHandler, pageHandler } = dma;
    firstHandler.write(0x0c, 1, 0);
    for (const byte of [address, address >> 8]) firstHandler.write(4, 1, byte & 0xff);
    for (const byte of [count - 1, (count - 1) >> 8]) firstHandler.write(5, 1, byte & 0xff);
    pageHandler.write(1, 1, address >> 16);
    firstHandler.write(0x0b, 1, mode | 2);
    firstHandler.write(0x0a, 1, 2);
  };
  const ready = (): void => {
    device.handler.write(2, 1, 0);
    device.handler.write(2, 1, 0x1c);
    for (let i = 0; i < 4; i++) {
      send(8);
      result();
    }
    device.inputHandler.write(0, 1, 0);
    send(7, 0);
    send(8);
    result();
  };
  return { device, dma, irq, program, ram, ready, result, send, store };
}

deviceConformance("floppy", () => {
  const { device, dma, program, ready, send } = makeFloppy();
  return {
    device,
    ranges: [
      { handler: device.handler, length: 6 },
      { handler: device.inputHandler, length: 1 },
    ],
    pokes: [
      (random) => program(random() & 0xf_ffff, (random() & 0x3fff) + 1, random() & 0xfc),
      (random) =>
        send(
          [6, 0x46, 0xe6, 0xc5, 0x4d, 0x0f][random() % 6]!,
          random() & 7,
          ...Array.from({ length: 7 }, () => random() & 3),
        ),
      () => ready(),
      () => dma.reset(),
    ],
  };
});

describe("floppy", () => {
  it("knows formats by their size", () => {
    expect(floppyGeometry(DISK_SIZE)).toMatchObject({ cylinders: 80, heads: 2, sectors: 18 });
    expect(floppyGeometry(160 << 10)).toMatchObject({ cylinders: 40, heads: 1, sectors: 8 });
    expect(floppyGeometry(1 << 20)).toMatchObject({ sectors: 15 });
    expect(floppyGeometry(4 << 20)).toBeNull();
  });

  it("reports four drives after a reset", () => {
    const { device, irq, result, send } = makeFloppy();
    device.handler.write(2, 1, 0);
    device.handler.write(2, 1, 0x0c);
    expect(irq.level).toBe(true);
    for (let drive = 0; drive < 4; drive++) {
      send(8);
      expect(result()).toEqual([0xc0 | drive, 0]);
    }
    expect(irq.level).toBe(false);
    send(8);
    expect(result()).toEqual([0x80]);
  });

  it("seeks, which also tells that a disk is no longer new", () => {
    const { device, irq, ready, result, send } = makeFloppy();
    expect(device.inputHandler.read(0, 1)).toBe(0x80);
    ready();
    expect(device.inputHandler.read(0, 1)).toBe(0);
    send(0x0f, 4, 12);
    expect(irq.level).toBe(true);
    send(8);
    expect(result()).toEqual([0x20, 12]);
    device.changeDisk(0, null);
    expect(device.inputHandler.read(0, 1)).toBe(0x80);
  });

  it("reads across heads up to the terminal count", () => {
    const { irq, program, ram, ready, result, send, store } = makeFloppy();
    ready();
    program(0x2_0000, 2048, 0x44);
    send(0xe6, 0, 0, 0, 17, 2, 18, 27, 0xff);
    expect(irq.level).toBe(true);
    expect(result()).toEqual([4, 0, 0, 0, 1, 3, 2]);
    expect(irq.level).toBe(false);
    expect(ram.peek(0x2_0000, 2048)).toEqual(store!.bytes.subarray(16 * 512, 20 * 512));
  });

  it("writes, and formats", () => {
    const { program, ram, ready, result, send, store } = makeFloppy();
    ready();
    ram.write(0x3000, new Uint8Array(700).fill(0x77));
    program(0x3000, 700, 0x48);
    send(0x45, 0, 0, 0, 2, 2, 18, 27, 0xff);
    expect(result().slice(0, 3)).toEqual([0, 0, 0]);
    expect([...store!.bytes.subarray(512 + 699, 512 + 702)]).toEqual([0x77, 0, 0]);
    send(0x0f, 0, 1);
    send(8);
    result();
    program(0x3000, 72, 0x48);
    send(0x4d, 0, 2, 18, 0x54, 0xf6);
    expect(result()[0]).toBe(0);
    expect(store!.bytes.subarray(36 * 512, 54 * 512).every((byte) => byte === 0xf6)).toBe(true);
  });

  it("says why it cannot", () => {
    const readOnly = makeFloppy(new Store(DISK_SIZE, true));
    readOnly.ready();
    readOnly.program(0x3000, 512, 0x48);
    readOnly.send(0x45, 0, 0, 0, 1, 2, 18, 27, 0xff);
    expect(readOnly.result().slice(0, 2)).toEqual([0x40, 2]);
    const { device, program, ready, result, send, store } = makeFloppy();
    ready();
    program(0x3000, 512, 0x44);
    send(0x46, 0, 0, 0, 19, 2, 18, 27, 0xff);
    expect(result().slice(0, 2)).toEqual([0x40, 4]);
    // The wrong data rate finds nothing.
    device.inputHandler.write(0, 1, 2);
    send(0x4a, 0);
    expect(result().slice(0, 2)).toEqual([0x40, 1]);
    device.inputHandler.write(0, 1, 0);
    send(0x4a, 0);
    expect(result()[0]).toBe(0);
    store!.fails = true;
    send(0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    expect(result().slice(0, 2)).toEqual([0x40, 0x20]);
    send(0x1f);
    expect(result()).toEqual([0x80]);
    const empty = makeFloppy(null);
    empty.ready();
    empty.send(0x4a, 0);
    expect(empty.result().slice(0, 2)).toEqual([0x40, 1]);
  });

  it("waits for a store that answers later", async () => {
    const { device, irq, program, ram, ready, result, send, store } = makeFloppy(new Store(DISK_SIZE, false, true));
    ready();
    program(0x3000, 512, 0x44);
    send(0x46, 0, 0, 0, 1, 2, 18, 27, 0xff);
    expect(irq.level).toBe(false);
    expect(device.handler.read(4, 1)).toBe(0x10);
    await device.pause();
    expect(irq.level).toBe(true);
    expect(result()[0]).toBe(0);
    expect(ram.peek(0x3000, 512)).toEqual(store!.bytes.subarray(0, 512));
  });
});
