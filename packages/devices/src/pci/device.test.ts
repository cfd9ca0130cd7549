// SPDX-License-Identifier: Apache-2.0
import { Bus, type IoHandler } from "@isola/memory";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { PciHost } from "./device.js";
import { PciFunction } from "./function.js";
import { Msi } from "./msi.js";
import { Msix } from "./msix.js";
import { ECAM_BUS_SIZE } from "./registers.js";

deviceConformance("pci-host", () => {
  const host = new PciHost({ ports: new Bus("ports"), mmio: new Bus("mmio") });
  return {
    device: host,
    ranges: [
      { handler: host.configHandler, length: 8 },
      { handler: host.ecamHandler, length: 0x200 },
      { handler: host.ecamHandler, length: ECAM_BUS_SIZE * 2 },
    ],
  };
});

function registers(length: number): IoHandler & { values: number[] } {
  const values = Array.from({ length }, () => 0);
  return {
    values,
    read: (offset) => values[offset]!,
    write: (offset, _size, value) => {
      values[offset] = value;
    },
  };
}

function makeBus() {
  const spaces = { ports: new Bus("ports"), mmio: new Bus("mmio") };
  const host = new PciHost(spaces);
  spaces.ports.map(0xcf8, 8, host.configHandler);
  const messages: [number, number][] = [];
  const sink = { signal: (address: number, data: number) => messages.push([address, data]) };
  const fn = new PciFunction(spaces, {
    vendorId: 0x1234,
    deviceId: 0x5678,
    revision: 9,
    classCode: 0x02_0000,
    subsystemVendorId: 0xaaaa,
    subsystemId: 0xbbbb,
  });
  const io = registers(32);
  const memory = registers(4096);
  const wide = registers(65_536);
  fn.addBar({ index: 0, kind: "io", size: 32, handler: io });
  fn.addBar({ index: 1, kind: "memory32", size: 4096, handler: memory });
  fn.addBar({ index: 2, kind: "memory64", size: 65_536, prefetchable: true, handler: wide });
  const msix = new Msix(fn, 3, 4, sink);
  const msi = new Msi(fn, 2, sink);
  fn.addBar({ index: 4, kind: "memory32", size: 4096, handler: msix.handler });
  const pin = new RecordingLine();
  fn.connectPin(1, pin);
  fn.seal();
  host.attach(2, 0, fn);
  const select = (offset: number): void => spaces.ports.write(0xcf8, 4, (0x8000_1000 | (offset & 0xfc)) >>> 0);
  const read = (offset: number, size: 1 | 2 | 4): number => {
    select(offset);
    return spaces.ports.read(0xcfc + (offset & 3), size);
  };
  const write = (offset: number, size: 1 | 2 | 4, value: number): void => {
    select(offset);
    spaces.ports.write(0xcfc + (offset & 3), size, value);
  };
  return { spaces, host, fn, io, memory, wide, msix, msi, pin, messages, read, write };
}

describe("pci", () => {
  it("finds functions by mechanism #1 and by ECAM, and nothing elsewhere", () => {
    const { host, read, spaces } = makeBus();
    expect(read(0, 4)).toBe(0x5678_1234);
    expect(read(0x0b, 1)).toBe(0x02);
    expect(read(0x2c, 4)).toBe(0xbbbb_aaaa);
    expect(host.ecamHandler.read(2 << 15, 2)).toBe(0x1234);
    expect(host.ecamHandler.read((2 << 15) + 0x100, 4)).toBe(0xffff_ffff);
    expect(host.ecamHandler.read(0, 4)).toBe(0x0008_1b36);
    spaces.ports.write(0xcf8, 4, 0x8000_1800);
    expect(spaces.ports.read(0xcfc, 4)).toBe(0xffff_ffff);
    spaces.ports.write(0xcf8, 4, 0x8001_1000);
    expect(spaces.ports.read(0xcfc, 2)).toBe(0xffff);
    spaces.ports.write(0xcf8, 4, 0x0000_1000);
    expect(spaces.ports.read(0xcfc, 4)).toBe(0xffff_ffff);
    spaces.ports.write(0xcf8, 1, 0xff);
    expect(spaces.ports.read(0xcf8, 4)).toBe(0x0000_1000);
  });

  it("sizes and places BARs", () => {
    const { io, memory, read, spaces, wide, write } = makeBus();
    for (const offset of [0x10, 0x14, 0x18, 0x1c]) write(offset, 4, 0xffff_ffff);
    expect([0x10, 0x14, 0x18, 0x1c].map((offset) => read(offset, 4))).toEqual([
      0xffff_ffe1, 0xffff_f000, 0xffff_000c, 0xffff_ffff,
    ]);
    expect(read(0x24, 4)).toBe(0);
    write(0x10, 4, 0xc000);
    write(0x14, 4, 0xe000_0000);
    write(0x18, 4, 0x4000_0000);
    write(0x1c, 4, 0x12);
    spaces.ports.write(0xc004, 1, 1);
    expect(io.values[4]).toBe(0);
    write(4, 2, 3);
    spaces.ports.write(0xc004, 1, 1);
    spaces.mmio.write(0xe000_0010, 4, 2);
    spaces.mmio.write(0x12_4000_0020, 4, 3);
    expect([io.values[4], memory.values[0x10], wide.values[0x20]]).toEqual([1, 2, 3]);
    write(0x14, 4, 0xe100_0000);
    expect(spaces.mmio.read(0xe000_0010, 4)).toBe(0xffff_ffff);
    expect(spaces.mmio.read(0xe100_0010, 4)).toBe(2);
    write(4, 2, 1);
    expect(spaces.mmio.read(0xe100_0010, 4)).toBe(0xffff_ffff);
  });

  it("gates INTx by the command register and shows it in the status", () => {
    const { fn, pin, read, write } = makeBus();
    fn.setIntx(true);
    expect(pin.level).toBe(true);
    expect(read(6, 2) & 8).toBe(8);
    write(4, 2, 0x400);
    expect(pin.level).toBe(false);
    expect(read(6, 2) & 8).toBe(8);
    write(4, 2, 0);
    expect(pin.level).toBe(true);
    fn.setIntx(false);
    expect(pin.level).toBe(false);
  });

  it("links capabilities", () => {
    const { read } = makeBus();
    expect(read(6, 2) & 0x10).toBe(0x10);
    const first = read(0x34, 1);
    expect(read(first, 1)).toBe(0x11);
    const second = read(first + 1, 1);
    expect(read(second, 1)).toBe(0x05);
    expect(read(second + 1, 1)).toBe(0);
  });

  it("sends MSI-X messages, and pending ones when they are unmasked", () => {
    const { messages, msix, read, spaces, write } = makeBus();
    const cap = read(0x34, 1);
    expect(read(cap + 2, 2)).toBe(2);
    write(0x20, 4, 0xe200_0000);
    write(4, 2, 6);
    const entry = (vector: number, address: number, data: number, control: number): void => {
      const at = 0xe200_0000 + vector * 16;
      spaces.mmio.write(at, 4, address);
      spaces.mmio.write(at + 8, 4, data);
      spaces.mmio.write(at + 12, 4, control);
    };
    expect(spaces.mmio.read(0xe200_000c, 4)).toBe(1);
    entry(0, 0xfee0_1000, 0x41, 0);
    entry(1, 0xfee0_2000, 0x42, 1);
    msix.notify(0);
    expect(messages).toEqual([]);
    write(cap + 2, 2, 0x8000);
    expect(msix.enabled).toBe(true);
    msix.notify(0);
    msix.notify(1);
    msix.notify(7);
    expect(messages).toEqual([[0xfee0_1000, 0x41]]);
    expect(spaces.mmio.read(0xe200_0800, 4)).toBe(2);
    entry(1, 0xfee0_2000, 0x42, 0);
    expect(messages.length).toBe(2);
    expect(spaces.mmio.read(0xe200_0800, 4)).toBe(0);
    write(cap + 2, 2, 0xc000);
    msix.notify(0);
    expect(messages.length).toBe(2);
    write(cap + 2, 2, 0x8000);
    expect(messages.length).toBe(3);
  });

  it("sends MSI messages with the vectors that were granted", () => {
    const { messages, msi, read, write } = makeBus();
    const cap = read(read(0x34, 1) + 1, 1);
    expect(read(cap + 2, 2)).toBe(0x84);
    write(4, 2, 4);
    write(cap + 4, 4, 0xfee0_3003);
    write(cap + 12, 2, 0x4a);
    msi.notify(1);
    write(cap + 2, 2, 0x11);
    msi.notify(3);
    expect(messages).toEqual([[0xfee0_3000, 0x4b]]);
  });

  it("returns to its sealed contents on reset and restores its mappings", () => {
    const { fn, memory, spaces, write } = makeBus();
    write(0x14, 4, 0xe000_0000);
    write(4, 2, 2);
    const saved = fn.save();
    const twin = makeBus();
    twin.fn.restore(saved);
    twin.spaces.mmio.write(0xe000_0000, 4, 5);
    expect(twin.memory.values[0]).toBe(5);
    fn.reset();
    spaces.mmio.write(0xe000_0000, 4, 7);
    expect(memory.values[0]).toBe(0);
  });

  it("keeps identity and capabilities whatever the guest writes (fuzz)", () => {
    const { fn, read, spaces, write } = makeBus();
    const before = [0, 4, 8, 0x2c, 0x34].map((offset) => read(offset, 4));
    const access = fc.record({
      offset: fc.integer({ min: 0, max: 255 }),
      size: fc.constantFrom<1 | 2 | 4>(1, 2, 4),
      value: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 40 }), (accesses) => {
        for (const { offset, size, value } of accesses) {
          write(offset, size, value);
          const got = read(offset, size);
          expect(got).toBeGreaterThanOrEqual(0);
          spaces.mmio.read(value, 4);
          spaces.ports.read(value & 0xffff, 1);
        }
        const after = [0, 4, 8, 0x2c, 0x34].map((offset) => read(offset, 4));
        expect(after[0]).toBe(before[0]);
        expect(after[2]).toBe(before[2]);
        expect(after[3]).toBe(before[3]);
        expect(after[4]).toBe(before[4]);
        const saved = fn.save();
        fn.restore(saved);
        expect(fn.save()).toEqual(saved);
      }),
      { numRuns: 200 },
    );
  });
});
