// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import type { BlockStore } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import type { DriveOptions } from "./channel.js";
import { Ide } from "./device.js";

const RAM_SIZE = 4 << 20;
const SECTORS = 4096;
const BLOCKS = 64;
const BUS_MASTER = 0xc000;

class Store implements BlockStore {
  readonly size: number;
  readonly bytes: Uint8Array;
  fails = false;
  flushes = 0;

  constructor(
    size: number,
    readonly readOnly = false,
  ) {
    this.size = size;
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i >> 9) ^ i);
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.fails) throw new Error("broken");
    if (offset + buffer.length > this.size) throw new Error("read beyond the end");
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (this.fails) throw new Error("broken");
    if (offset + buffer.length > this.size) throw new Error("write beyond the end");
    this.bytes.set(buffer, offset);
  }

  flush(): void {
    this.flushes++;
  }

  close(): void {}
}

/** Answers in a later turn. */
class LateStore extends Store {
  override async read(offset: number, buffer: Uint8Array): Promise<void> {
    await Promise.resolve();
    void super.read(offset, buffer);
  }
}

function makeIde(drives?: readonly (DriveOptions | null)[]) {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const ports = new Bus("ports");
  const irqs = [new RecordingLine(), new RecordingLine()] as const;
  const disk = new Store(SECTORS * 512);
  const disc = new Store(BLOCKS * 2048, true);
  const device = new Ide(
    { spaces: { ports, mmio: new Bus("mmio") }, ram, irqs },
    drives ?? [{ kind: "disk", store: disk, serial: "S1" }, null, { kind: "cdrom", store: disc }, null],
  );
  ports.map(0x1f0, 8, device.channels[0]!.commandHandler);
  ports.map(0x3f6, 1, device.channels[0]!.controlHandler);
  ports.map(0x170, 8, device.channels[1]!.commandHandler);
  ports.map(0x376, 1, device.channels[1]!.controlHandler);
  const start = (): void => {
    device.reset();
    device.pci.config.write(0x40, 4, 0x8000_8000);
    device.pci.config.write(0x20, 4, BUS_MASTER);
    device.pci.config.write(4, 2, 5);
  };
  start();
  const out = (port: number, value: number): void => ports.write(port, 1, value);
  const inb = (port: number): number => ports.read(port, 1);
  /** Writes a 28-bit command. */
  const command = (code: number, lba: number, count: number): void => {
    out(0x1f6, 0xe0 | ((lba >> 24) & 15));
    out(0x1f2, count);
    for (let i = 0; i < 3; i++) out(0x1f3 + i, (lba >> (8 * i)) & 0xff);
    out(0x1f7, code);
  };
  const words = (count: number, port = 0x1f0): Uint8Array => {
    const bytes = new Uint8Array(count * 2);
    for (let i = 0; i < count; i++) {
      const word = ports.read(port, 2);
      bytes[2 * i] = word & 0xff;
      bytes[2 * i + 1] = word >> 8;
    }
    return bytes;
  };
  /** Sends a packet to the CD drive. */
  const packet = (bytes: readonly number[], features = 0, limit = 0xfffe): void => {
    out(0x176, 0xa0);
    out(0x171, features);
    out(0x174, limit & 0xff);
    out(0x175, limit >> 8);
    out(0x177, 0xa0);
    const padded = [...bytes, ...Array.from({ length: 12 - bytes.length }, () => 0)];
    for (let i = 0; i < 12; i += 2) ports.write(0x170, 2, padded[i]! | (padded[i + 1]! << 8));
  };
  return { ram, ports, device, disk, disc, irqs, out, inb, command, words, packet, start };
}

deviceConformance("ide", () => {
  const { device, ports, ram, packet, start } = makeIde();
  const bus = (base: number) => ({
    read: (offset: number, size: 1 | 2 | 4) => ports.read(base + offset, size),
    write: (offset: number, size: 1 | 2 | 4, value: number) => ports.write(base + offset, size, value),
  });
  device.reset();
  return {
    device,
    ranges: [
      { handler: bus(0x1f0), length: 8 },
      { handler: bus(0x170), length: 8 },
      { handler: bus(0x3f6), length: 1 },
      { handler: bus(BUS_MASTER), length: 16 },
    ],
    pokes: [
      (random) =>
        packet(
          Array.from({ length: 12 }, () => random() & 0xff),
          random() & 1,
          random() & 0xffff,
        ),
      (random) =>
        packet(
          [[0x28, 0x43, 0x5a, 0x12, 0x46, 3][random() % 6]!, 0, 0, 0, 0, random() & 31, 0, 0, random() & 7],
          random() & 1,
        ),
      (random) => void ram.setU32(random() % 4096, random()),
      (random) => {
        if (random() % 8 === 0) start();
      },
    ],
  };
});

describe("ide disk", () => {
  it("is not there before firmware switches its ports on", () => {
    const { device, inb } = makeIde();
    device.reset();
    expect(inb(0x1f7)).toBe(0xff);
  });

  it("identifies itself", () => {
    const { command, words, inb, irqs } = makeIde();
    command(0xec, 0, 0);
    expect(inb(0x1f7)).toBe(0x58);
    const view = new DataView(words(256).buffer);
    expect(inb(0x1f7)).toBe(0x50);
    expect(view.getUint32(120, true)).toBe(SECTORS);
    expect(view.getUint32(200, true)).toBe(SECTORS);
    expect(view.getUint16(2, true) * 16 * 63).toBeLessThanOrEqual(SECTORS);
    expect(irqs[0].edges).toBe(1);
  });

  it("reads and writes by PIO, an interrupt for each block", () => {
    const { command, disk, inb, irqs, out, ports, words } = makeIde();
    command(0x20, 5, 2);
    expect(irqs[0].level).toBe(true);
    expect(inb(0x1f7)).toBe(0x58);
    expect(irqs[0].level).toBe(false);
    expect(words(256)).toEqual(disk.bytes.slice(5 * 512, 6 * 512));
    expect(irqs[0].level).toBe(true);
    expect(words(256)).toEqual(disk.bytes.slice(6 * 512, 7 * 512));
    expect(inb(0x1f7)).toBe(0x50);
    command(0x30, 9, 1);
    expect(irqs[0].level).toBe(false);
    for (let i = 0; i < 128; i++) ports.write(0x1f0, 4, 0x0101_0101 * (i & 15));
    expect(irqs[0].level).toBe(true);
    expect(disk.bytes[9 * 512 + 4]).toBe(1);
    expect(disk.bytes[10 * 512 - 1]).toBe(15);
    // CHS: the second track's first sector.
    inb(0x1f7);
    for (const [port, value] of [
      [0x1f6, 0xa1],
      [0x1f2, 1],
      [0x1f3, 1],
      [0x1f4, 0],
      [0x1f5, 0],
      [0x1f7, 0x20],
    ] as const)
      out(port, value);
    expect(words(256)).toEqual(disk.bytes.slice(63 * 512, 64 * 512));
  });

  it("moves blocks of several sectors once that is set", () => {
    const { command, disk, inb, irqs, words } = makeIde();
    command(0xc4, 0, 8);
    expect(inb(0x1f7) & 1).toBe(1);
    command(0xc6, 0, 3);
    expect(inb(0x1f7) & 1).toBe(1);
    command(0xc6, 0, 4);
    expect(inb(0x1f7)).toBe(0x50);
    const before = irqs[0].edges;
    command(0xc4, 1, 6);
    expect(words(6 * 256)).toEqual(disk.bytes.slice(512, 7 * 512));
    inb(0x1f7);
    expect(irqs[0].edges - before).toBeLessThanOrEqual(2);
  });

  it("refuses what is not on the disk, and what cannot be written", () => {
    const { command, inb, disk } = makeIde();
    command(0x20, SECTORS - 1, 2);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 0x10]);
    command(0x99, 0, 0);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 4]);
    disk.fails = true;
    command(0x20, 0, 1);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 0x40]);
    const readOnly = makeIde([{ kind: "disk", store: new Store(512, true), serial: "" }]);
    readOnly.command(0x30, 0, 1);
    expect(readOnly.inb(0x1f7)).toBe(0x51);
  });

  it("takes 48-bit addresses and shows both halves of its registers", () => {
    const { out, inb, words, disk } = makeIde();
    out(0x1f6, 0x40);
    for (const value of [0, 1]) out(0x1f2, value);
    for (const value of [0, 0x21]) out(0x1f3, value);
    for (const value of [0, 3]) out(0x1f4, value);
    for (const value of [0, 0]) out(0x1f5, value);
    out(0x1f7, 0x24);
    expect(words(256)).toEqual(disk.bytes.slice(0x321 * 512, 0x322 * 512));
    for (const value of [0x12, 0x34]) out(0x1f3, value);
    expect(inb(0x1f3)).toBe(0x34);
    out(0x3f6, 0x80);
    expect(inb(0x1f3)).toBe(0x12);
  });

  it("moves data by DMA through a table of regions", () => {
    const { command, disk, inb, irqs, out, ports, ram } = makeIde();
    const regions = [
      [0x1000, 0x200],
      [0x3000, 0x600],
    ] as const;
    regions.forEach(([address, length], i) => {
      ram.setU32(0x800 + 8 * i, address);
      ram.setU32(0x804 + 8 * i, length | (i === 1 ? 0x8000_0000 : 0));
    });
    ports.write(BUS_MASTER + 4, 4, 0x800);
    out(BUS_MASTER, 8);
    command(0xc8, 16, 4);
    expect(irqs[0].level).toBe(false);
    out(BUS_MASTER, 9);
    expect(irqs[0].level).toBe(true);
    expect(inb(BUS_MASTER + 2) & 7).toBe(4);
    expect(ram.peek(0x1000, 0x200)).toEqual(disk.bytes.subarray(16 * 512, 17 * 512));
    expect(ram.peek(0x3000, 0x600)).toEqual(disk.bytes.subarray(17 * 512, 20 * 512));
    out(BUS_MASTER, 0);
    out(BUS_MASTER + 2, 6);
    expect(inb(BUS_MASTER + 2) & 7).toBe(0);
    expect(inb(0x1f7)).toBe(0x50);
    // And back to another place.
    command(0xca, 32, 4);
    out(BUS_MASTER, 1);
    expect(disk.bytes.slice(32 * 512, 36 * 512)).toEqual(disk.bytes.slice(16 * 512, 20 * 512));
  });

  it("stops with an error where regions end too early or are not memory", () => {
    const { command, inb, irqs, out, ports, ram } = makeIde();
    ram.setU32(0x800, 0x1000);
    ram.setU32(0x804, 0x8000_0200);
    ports.write(BUS_MASTER + 4, 4, 0x800);
    command(0xc8, 0, 2);
    out(BUS_MASTER, 9);
    expect(inb(BUS_MASTER + 2) & 7).toBe(2);
    expect(irqs[0].level).toBe(false);
    out(0x3f6, 4);
    out(0x3f6, 0);
    expect(inb(0x1f7)).toBe(0x50);
    ports.write(BUS_MASTER + 4, 4, 0xffff_fff0);
    out(BUS_MASTER, 0);
    command(0xc8, 0, 2);
    out(BUS_MASTER, 9);
    expect(inb(BUS_MASTER + 2) & 3).toBe(2);
  });

  it("is busy while its store works, and a reset drops the answer", async () => {
    const late = makeIde([{ kind: "disk", store: new LateStore(SECTORS * 512), serial: "" }]);
    late.command(0x20, 1, 1);
    expect(late.inb(0x1f7)).toBe(0x80);
    await late.device.pause();
    expect(late.inb(0x1f7)).toBe(0x58);
    expect(late.words(256)[1]).toBe(0);
    late.command(0x20, 1, 1);
    late.out(0x3f6, 4);
    late.out(0x3f6, 0);
    await late.device.pause();
    expect(late.inb(0x1f7)).toBe(0x50);
    expect(late.irqs[0].level).toBe(false);
  });
});

describe("ide cd", () => {
  const sense = (ide: ReturnType<typeof makeIde>): number[] => {
    ide.packet([3, 0, 0, 0, 18]);
    const data = ide.words(9, 0x170);
    return [data[2]! & 15, data[12]!];
  };

  it("has the signature of a packet device, for hosts that take it for a disk, too", () => {
    const ide = makeIde();
    expect([ide.inb(0x174), ide.inb(0x175)]).toEqual([0x14, 0xeb]);
    ide.out(0x177, 0xec);
    expect(ide.inb(0x177) & 1).toBe(1);
    expect([ide.inb(0x174), ide.inb(0x175)]).toEqual([0x14, 0xeb]);
    ide.out(0x177, 0xa1);
    expect(ide.words(256, 0x170)[1]).toBe(0x85);
  });

  it("reads blocks by PIO in pieces of the size that the host wants", () => {
    const ide = makeIde();
    ide.packet([0x28, 0, 0, 0, 0, 3, 0, 0, 2], 0, 2048);
    expect(ide.inb(0x177) & 0x08).toBe(8);
    expect([ide.inb(0x172), ide.inb(0x174) | (ide.inb(0x175) << 8)]).toEqual([2, 2048]);
    expect(ide.words(1024, 0x170)).toEqual(ide.disc.bytes.slice(3 * 2048, 4 * 2048));
    expect(ide.irqs[1].level).toBe(true);
    expect(ide.words(1024, 0x170)).toEqual(ide.disc.bytes.slice(4 * 2048, 5 * 2048));
    expect([ide.inb(0x172), ide.inb(0x177)]).toEqual([3, 0x50]);
  });

  it("reads blocks by DMA", () => {
    const ide = makeIde();
    ide.ram.setU32(0x800, 0x1_0000);
    ide.ram.setU32(0x804, 0x8000_1000);
    ide.ports.write(BUS_MASTER + 12, 4, 0x800);
    ide.packet([0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 2], 1);
    ide.out(BUS_MASTER + 8, 9);
    expect(ide.ram.peek(0x1_0000, 4096)).toEqual(ide.disc.bytes.subarray(2048, 3 * 2048));
    expect(ide.inb(BUS_MASTER + 10) & 7).toBe(4);
  });

  it("tells capacity, table of contents and what went wrong", () => {
    const ide = makeIde();
    ide.packet([0x25]);
    expect([...ide.words(4, 0x170)]).toEqual([0, 0, 0, BLOCKS - 1, 0, 0, 8, 0]);
    ide.packet([0x43, 2, 0, 0, 0, 0, 0, 0, 20]);
    expect([...ide.words(10, 0x170)].slice(0, 12)).toEqual([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0]);
    ide.packet([0x28, 0, 0, 0, 0, BLOCKS, 0, 0, 1]);
    expect(ide.inb(0x177) & 1).toBe(1);
    expect(sense(ide)).toEqual([5, 0x21]);
    expect(sense(ide)).toEqual([5, 0x21]);
    ide.packet([0x00]);
    expect(sense(ide)).toEqual([0, 0]);
  });

  it("tells of a changed disc once, and of none", () => {
    const ide = makeIde();
    expect(ide.device.changeDisc(0, null)).toBe(false);
    expect(ide.device.changeDisc(2, new Store(8 * 2048, true))).toBe(true);
    ide.packet([0]);
    expect(sense(ide)).toEqual([6, 0x28]);
    ide.packet([0]);
    expect(ide.inb(0x177) & 1).toBe(0);
    ide.packet([0x1e, 0, 0, 0, 1]);
    ide.packet([0x1b, 0, 0, 0, 2]);
    expect(sense(ide)).toEqual([2, 0x53]);
    ide.packet([0x1e, 0, 0, 0, 0]);
    ide.packet([0x1b, 0, 0, 0, 2]);
    ide.packet([0]);
    expect(sense(ide)).toEqual([2, 0x3a]);
    ide.packet([0x1b, 0, 0, 0, 3]);
    ide.packet([0]);
    expect(sense(ide)).toEqual([6, 0x28]);
  });
});
