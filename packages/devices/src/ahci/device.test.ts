// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../conformance/memory-store.js";
import { RecordingLine } from "../conformance/recorders.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import type { DriveOptions } from "../ide/channel.js";
import { Ahci } from "./device.js";
import { Host, PortReg, REGISTER_SPACE } from "./registers.js";

const RAM_SIZE = 2 << 20;
const ABAR_BASE = 0xe000_0000;
const SECTORS = 1024;
const BLOCKS = 16;
/** Where the driver keeps the things of a port: 64 KiB each. */
const LIST = 0x1_0000;
const RECEIVED = 0x1_0800;
const TABLES = 0x1_1000;
const DATA = 0x8_0000;

interface Region {
  readonly address: number;
  readonly length: number;
}

interface Given {
  readonly count?: number;
  readonly lba?: number;
  readonly features?: number;
  readonly regions?: readonly Region[];
  readonly packet?: readonly number[];
  readonly control?: number;
}

function makeAhci(drives?: readonly (DriveOptions | null)[]) {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const mmio = new Bus("mmio");
  const intx = new RecordingLine();
  const messages: number[] = [];
  const disk = new MemoryStore(SECTORS * 512);
  const disc = new MemoryStore(BLOCKS * 2048, true);
  const errors: unknown[] = [];
  const device = new Ahci(
    {
      spaces: { ports: new Bus("ports"), mmio },
      ram,
      intx,
      msi: { signal: (_address, data) => messages.push(data) },
    },
    drives ?? [
      { kind: "disk", store: disk, serial: "S1", onStoreError: (error) => errors.push(error) },
      { kind: "cdrom", store: disc },
    ],
  );
  const place = (): void => {
    device.pci.config.write(0x24, 4, ABAR_BASE);
    device.pci.config.write(4, 2, 6);
  };
  place();
  const get = (offset: number): number => mmio.read(ABAR_BASE + offset, 4);
  const set = (offset: number, value: number): void => mmio.write(ABAR_BASE + offset, 4, value);
  const port = (index: number) => {
    const base = Host.Ports + index * Host.PortSpan;
    return {
      get: (register: PortReg) => get(base + register),
      set: (register: PortReg, value: number) => set(base + register, value),
    };
  };
  /** What a driver does before its first command. */
  const start = (index = 0) => {
    set(Host.Control, 0x8000_0002);
    const { set: put } = port(index);
    put(PortReg.CommandList, LIST);
    put(PortReg.FisBase, RECEIVED);
    put(PortReg.SataError, 0xffff_ffff);
    put(PortReg.InterruptEnable, 0xffff_ffff);
    put(PortReg.Command, 0x10);
    put(PortReg.Command, 0x11);
  };
  /** Fills an entry of the command list. */
  const prepare = (slot: number, code: number, given: Given = {}): void => {
    const { count = 0, lba = 0, features = 0, regions = [], packet = [], control } = given;
    const table = TABLES + slot * 0x400;
    const fis = new Uint8Array(64);
    fis.set([0x27, control === undefined ? 0x80 : 0, code, features & 0xff]);
    fis.set([lba & 0xff, (lba >> 8) & 0xff, (lba >> 16) & 0xff, 0x40], 4);
    fis.set([(lba / 2 ** 24) & 0xff, 0, 0, features >> 8, count & 0xff, count >> 8, 0, control ?? 0], 8);
    ram.write(table, fis);
    ram.write(table + 0x40, Uint8Array.from(packet));
    regions.forEach(({ address, length }, i) => {
      ram.setU64(table + 0x80 + i * 16, BigInt(address));
      ram.setU32(table + 0x80 + i * 16 + 12, length - 1);
    });
    ram.setU32(LIST + slot * 32, 5 | (packet.length > 0 ? 0x20 : 0) | (regions.length << 16));
    ram.setU32(LIST + slot * 32 + 4, 0);
    ram.setU64(LIST + slot * 32 + 8, BigInt(table));
  };
  const issue = (slot: number, code: number, given: Given = {}, index = 0): void => {
    prepare(slot, code, given);
    port(index).set(PortReg.CommandIssue, (1 << slot) >>> 0);
  };
  /** A queued command. */
  const queue = (slot: number, write: boolean, lba: number, sectors: number, regions: readonly Region[]): void => {
    port(0).set(PortReg.SataActive, (1 << slot) >>> 0);
    issue(slot, write ? 0x61 : 0x60, { lba, features: sectors, count: slot << 3, regions });
  };
  const bytes = (address: number, length: number): Uint8Array => ram.peek(address, length)!.slice();
  return {
    device,
    ram,
    intx,
    messages,
    disk,
    disc,
    errors,
    place,
    get,
    set,
    port,
    start,
    prepare,
    issue,
    queue,
    bytes,
  };
}

const at = (length: number, address = DATA): readonly Region[] => [{ address, length }];

deviceConformance("ahci", () => {
  const { device, place, start } = makeAhci();
  start();
  return {
    device,
    ranges: [
      { handler: device.registerHandler, length: REGISTER_SPACE },
      { handler: device.registerHandler, length: 0x180 },
    ],
    pokes: [() => place(), () => start()],
  };
});

describe("ahci", () => {
  it("survives half-valid commands", () => {
    const { port, ram, start } = makeAhci();
    const random = randomSource(3);
    const ends = new Set<number>();
    for (let round = 0; round < 1000; round++) {
      const [index, slot] = [random() % 2, random() % 32];
      const codes = [0x25, 0x35, 0x60, 0x61, 0xec, 0x06, 0x2f, 0xa0, 0xa1, 0xea, 0x20, 0x30, 0x29, random() & 0xff];
      ram.setU32(LIST + slot * 32, random() & 0x1f_ffff);
      ram.setU64(LIST + slot * 32 + 8, BigInt(TABLES));
      for (let i = 0; i < 0x240; i += 4) ram.setU32(TABLES + i, random() % (RAM_SIZE / 2));
      for (let i = 0x84; i < 0x240; i += 16) ram.setU32(TABLES + i, 0);
      ram.setU32(TABLES, 0x8027 | (codes[random() % codes.length]! << 16));
      ram.setU32(TABLES + 4, random() % 2048);
      ram.setU32(TABLES + 8, 0);
      if (random() % 8 === 0) port(index).set(PortReg.Command, 0);
      start(index);
      port(index).set(PortReg.CommandIssue, (1 << slot) >>> 0);
      ends.add(port(index).get(PortReg.InterruptStatus));
      port(index).set(PortReg.InterruptStatus, 0xffff_ffff);
    }
    expect(ends.size).toBeGreaterThanOrEqual(5);
  });

  it("shows its ports, and what is plugged into them", () => {
    const { get, port } = makeAhci();
    expect(get(Host.Capabilities) >>> 0).toBe(0xc134_1f05);
    expect([get(Host.PortsImplemented), get(Host.Version)]).toEqual([0x3f, 0x1_0301]);
    expect([0, 1, 2].map((i) => port(i).get(PortReg.SataStatus))).toEqual([0x133, 0x133, 0]);
    expect([0, 1].map((i) => port(i).get(PortReg.Signature))).toEqual([0x101, 0xeb14_0101]);
    expect([0, 1, 2].map((i) => port(i).get(PortReg.TaskFile))).toEqual([0x150, 0x100, 0x7f]);
  });

  it("identifies a disk by PIO, with queueing and TRIM", () => {
    const { bytes, intx, issue, port, ram, set, start } = makeAhci();
    start();
    expect(bytes(RECEIVED + 0x40, 5)).toEqual(Uint8Array.from([0x34, 0, 0x50, 1, 1]));
    issue(0, 0xec, { regions: at(512) });
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
    expect(port(0).get(PortReg.InterruptStatus)).toBe(2);
    expect(bytes(RECEIVED + 0x20, 1)[0]).toBe(0x5f);
    expect(ram.u32(LIST + 4)).toBe(512);
    const word = (i: number): number => ram.u16(DATA + 2 * i);
    expect([75, 76, 93, 105, 169, 100].map(word)).toEqual([31, 0x10e, 0, 8, 1, SECTORS]);
    expect(intx.level).toBe(true);
    port(0).set(PortReg.InterruptStatus, 2);
    set(Host.InterruptStatus, 1);
    expect(intx.level).toBe(false);
  });

  it("keeps the controller's bit while a port has a reason to interrupt", () => {
    const { get, intx, issue, port, set, start } = makeAhci();
    start();
    issue(0, 0xea);
    set(Host.InterruptStatus, 1);
    expect([get(Host.InterruptStatus), intx.level]).toEqual([1, true]);
    port(0).set(PortReg.InterruptEnable, 0);
    set(Host.InterruptStatus, 1);
    expect([get(Host.InterruptStatus), intx.level]).toEqual([0, false]);
  });

  it("reads and writes by DMA through several regions", () => {
    const { bytes, disk, issue, port, ram, start } = makeAhci();
    start();
    const regions = [
      { address: DATA, length: 100 },
      { address: DATA + 0x1000, length: 924 },
    ];
    issue(3, 0x25, { lba: 5, count: 2, regions });
    expect(port(0).get(PortReg.InterruptStatus)).toBe(1);
    expect([...bytes(DATA, 100), ...bytes(DATA + 0x1000, 924)]).toEqual([...disk.bytes.subarray(5 * 512, 7 * 512)]);
    ram.write(DATA, new Uint8Array(512).fill(7));
    issue(4, 0x35, { lba: 1023, count: 1, regions: at(512) });
    expect(disk.bytes.at(-1)).toBe(7);
    issue(5, 0x20, { lba: 9, count: 3, regions: at(1536) });
    expect(bytes(DATA, 1536)).toEqual(disk.bytes.slice(9 * 512, 12 * 512));
    ram.write(DATA, new Uint8Array(1024).fill(8));
    issue(6, 0x30, { lba: 2, count: 2, regions: at(1024) });
    expect([disk.bytes[1024], disk.bytes[2047]]).toEqual([8, 8]);
    expect(port(0).get(PortReg.TaskFile)).toBe(0x50);
  });

  it("ends the list with an error until software restarts it", () => {
    const { issue, port, start } = makeAhci();
    start();
    issue(1, 0x25, { lba: SECTORS, count: 1, regions: at(512) });
    expect(port(0).get(PortReg.TaskFile)).toBe(0x1051);
    expect(port(0).get(PortReg.InterruptStatus)).toBe(0x4000_0001);
    expect(port(0).get(PortReg.CommandIssue)).toBe(2);
    expect((port(0).get(PortReg.Command) >> 8) & 31).toBe(1);
    issue(2, 0xea);
    expect(port(0).get(PortReg.CommandIssue)).toBe(6);
    port(0).set(PortReg.Command, 0x10);
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
    port(0).set(PortReg.Command, 0x11);
    issue(2, 0xea);
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
  });

  it("stops at regions that are too small, or no memory", () => {
    const { issue, port, start } = makeAhci();
    start();
    issue(0, 0x25, { count: 2, regions: at(512) });
    expect(port(0).get(PortReg.InterruptStatus)).toBe(1 << 24);
    start();
    port(0).set(PortReg.InterruptStatus, 0xffff_ffff);
    port(0).set(PortReg.Command, 0x10);
    port(0).set(PortReg.Command, 0x11);
    issue(0, 0x35, { count: 1, regions: at(512, 0x8000_0000) });
    expect(port(0).get(PortReg.InterruptStatus)).toBe(1 << 29);
  });

  it("queues commands side by side", async () => {
    const { bytes, disk, port, queue, ram, start } = makeAhci();
    start();
    disk.slow = true;
    queue(2, false, 8, 1, at(512));
    ram.write(DATA + 0x1000, new Uint8Array(512).fill(5));
    queue(31, true, 10, 1, at(512, DATA + 0x1000));
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
    expect(port(0).get(PortReg.SataActive)).toBe(0x8000_0004);
    await disk.answer();
    expect(port(0).get(PortReg.SataActive)).toBe(0);
    expect(port(0).get(PortReg.InterruptStatus)).toBe(8);
    expect(bytes(DATA, 512)).toEqual(disk.bytes.slice(8 * 512, 9 * 512));
    expect(disk.bytes[5120]).toBe(5);
    expect(bytes(RECEIVED + 0x58, 3)).toEqual(Uint8Array.from([0xa1, 0x40, 0x50]));
  });

  it("reports a queued command's error in a log", () => {
    const { bytes, disk, errors, issue, port, queue, start } = makeAhci();
    start();
    disk.fails = true;
    queue(6, false, 0x123, 1, at(512));
    expect(errors.length).toBe(1);
    expect(port(0).get(PortReg.TaskFile)).toBe(0x4041);
    expect(port(0).get(PortReg.InterruptStatus)).toBe(0x4000_0008);
    expect(port(0).get(PortReg.SataActive)).toBe(1 << 6);
    port(0).set(PortReg.Command, 0x10);
    port(0).set(PortReg.Command, 0x11);
    expect(port(0).get(PortReg.SataActive)).toBe(0);
    issue(0, 0x2f, { lba: 0x10, count: 1, regions: at(512) });
    expect([...bytes(DATA, 8)]).toEqual([6, 0, 0x41, 0x40, 0x23, 1, 0, 0x40]);
    expect(bytes(DATA, 512).reduce((sum, byte) => (sum + byte) & 0xff)).toBe(0);
    issue(0, 0x47, { lba: 0x10, count: 1, regions: at(512) });
    expect(bytes(DATA, 1)[0]).toBe(0x80);
  });

  it("waits for the queue before a command of another kind", async () => {
    const { disk, issue, port, queue, start } = makeAhci();
    start();
    disk.slow = true;
    queue(0, false, 0, 1, at(512));
    issue(1, 0xea);
    expect(port(0).get(PortReg.CommandIssue)).toBe(2);
    await disk.answer();
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
    expect(disk.log).toEqual(["flush"]);
  });

  it("discards ranges, all or none", () => {
    const { disk, issue, port, ram, start } = makeAhci();
    start();
    const range = (i: number, sector: number, count: number): void => {
      ram.setU64(DATA + 8 * i, BigInt(sector) | (BigInt(count) << 48n));
    };
    range(0, 8, 16);
    range(1, 100, 1);
    issue(0, 0x06, { features: 1, count: 1, regions: at(512) });
    expect(disk.log).toEqual(["discard 4096 8192", "discard 51200 512"]);
    range(2, SECTORS, 1);
    issue(0, 0x06, { features: 1, count: 1, regions: at(512) });
    expect(port(0).get(PortReg.TaskFile)).toBe(0x1051);
    expect(disk.log.length).toBe(2);
  });

  it("passes packets to a CD drive", () => {
    const { bytes, disc, issue, port, start } = makeAhci();
    start(1);
    issue(0, 0xa1, { regions: at(512) }, 1);
    expect(bytes(DATA, 2)).toEqual(Uint8Array.from([0xc0, 0x85]));
    issue(0, 0xa0, { features: 1, regions: at(4096), packet: [0x28, 0, 0, 0, 0, 3, 0, 0, 2, 0, 0, 0] }, 1);
    expect(bytes(DATA, 4096)).toEqual(disc.bytes.slice(3 * 2048, 5 * 2048));
    // Inquiry by PIO.
    issue(0, 0xa0, { lba: 0xfffe00, regions: at(36), packet: [0x12, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0] }, 1);
    expect(bytes(DATA, 2)).toEqual(Uint8Array.from([5, 0x80]));
    issue(0, 0xa0, { features: 1, regions: at(2048), packet: [0x28, 0, 0, 1, 0, 3, 0, 0, 2, 0, 0, 0] }, 1);
    expect(port(1).get(PortReg.TaskFile) & 1).toBe(1);
  });

  it("resets the link and the drive", () => {
    const { issue, port, start } = makeAhci();
    start();
    const { get, set } = port(0);
    issue(0, 0xec, { regions: at(512) });
    set(PortReg.Command, 0x10);
    set(PortReg.SataControl, 0x301);
    expect([get(PortReg.SataStatus), get(PortReg.TaskFile)]).toEqual([0, 0x7f]);
    set(PortReg.SataControl, 0x300);
    expect([get(PortReg.SataStatus), get(PortReg.TaskFile)]).toEqual([0x133, 0x150]);
    expect(get(PortReg.SataError)).toBe(0x0401_0000);
    expect(get(PortReg.InterruptStatus) & 0x40_0040).toBe(0x40_0040);
    set(PortReg.SataError, 0xffff_ffff);
    expect(get(PortReg.InterruptStatus) & 0x40_0040).toBe(0);
    set(PortReg.Command, 0x11);
    issue(0, 0, { control: 4 });
    issue(0, 0, { control: 0 });
    expect([get(PortReg.CommandIssue), get(PortReg.TaskFile)]).toEqual([0, 0x150]);
  });

  it("rests on pause, with what has come meanwhile in the list", async () => {
    const { device, disk, issue, port, start } = makeAhci();
    start();
    disk.slow = true;
    issue(0, 0x25, { count: 1, regions: at(512) });
    expect(port(0).get(PortReg.TaskFile)).toBe(0x80);
    let rested = false;
    const pause = device.pause().then(() => (rested = true));
    issue(1, 0x25, { count: 1, regions: at(512) });
    await Promise.resolve();
    expect(rested).toBe(false);
    await disk.answer();
    await pause;
    expect(port(0).get(PortReg.CommandIssue)).toBe(2);
    device.resume();
    await disk.answer();
    expect(port(0).get(PortReg.CommandIssue)).toBe(0);
  });

  it("forgets a command that a reset has ended", async () => {
    const { bytes, disk, issue, port, set, start } = makeAhci();
    start();
    disk.slow = true;
    issue(0, 0x25, { count: 1, regions: at(512) });
    set(Host.Control, 0x8000_0001);
    await disk.answer();
    expect(bytes(DATA, 512)).toEqual(new Uint8Array(512));
    expect(port(0).get(PortReg.InterruptStatus)).toBe(0);
  });

  it("sends messages instead of driving its pin", () => {
    const { device, intx, issue, messages, start } = makeAhci();
    const { config } = device.pci;
    const msi = config.get8(0x34);
    config.write(msi + 4, 4, 0xfee0_0000);
    config.write(msi + 12, 2, 0x41);
    config.write(msi + 2, 2, 1);
    start();
    issue(0, 0xea);
    expect([messages, intx.edges]).toEqual([[0x41], 0]);
  });
});
