// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { ApicBus, type ApicTarget } from "../lapic/apic-bus.js";
import { Ioapic } from "./device.js";

deviceConformance("ioapic", () => {
  const ioapic = new Ioapic(new ApicBus());
  return {
    device: ioapic,
    ranges: [
      { handler: ioapic.handler, length: 0x50 },
      { handler: ioapic.handler, length: 0x14 },
    ],
    pokes: [
      (random) => ioapic.pins[random() % 24]!.set((random() & 1) === 1),
      (random) => ioapic.endOfInterrupt(random() & 255),
    ],
  };
});

function makeIoapic() {
  const bus = new ApicBus();
  const got: [vector: number, mode: number, level: boolean][] = [];
  const target: ApicTarget = {
    address: { id: 3, x2apic: false, ldr: 0, dfr: 0xffff_ffff },
    present: true,
    enabled: true,
    priority: 0,
    accept: (mode, vector, level) => got.push([vector, mode, level]),
  };
  bus.attach(target);
  const ioapic = new Ioapic(bus);
  const write = (index: number, value: number): void => {
    ioapic.handler.write(0, 4, index);
    ioapic.handler.write(0x10, 4, value);
  };
  const read = (index: number): number => {
    ioapic.handler.write(0, 4, index);
    return ioapic.handler.read(0x10, 4);
  };
  const program = (pin: number, low: number, destination = 3): void => {
    write(0x11 + 2 * pin, destination << 24);
    write(0x10 + 2 * pin, low);
  };
  return { ioapic, got, read, write, program };
}

describe("ioapic", () => {
  it("identifies itself", () => {
    const { read, write } = makeIoapic();
    expect(read(1)).toBe(0x0017_0020);
    write(0, 0xffff_ffff);
    expect(read(0)).toBe(0x0f00_0000);
    expect(read(0x10)).toBe(0x1_0000);
    expect(read(0x40)).toBe(0);
  });

  it("sends one message for each edge and none while masked", () => {
    const { ioapic, got, program } = makeIoapic();
    program(4, 0x31);
    ioapic.pins[4]!.set(true);
    ioapic.pins[4]!.set(true);
    ioapic.pins[4]!.set(false);
    ioapic.pins[4]!.set(true);
    expect(got).toEqual([
      [0x31, 0, false],
      [0x31, 0, false],
    ]);
    program(5, 0x1_0032);
    ioapic.pins[5]!.set(true);
    program(5, 0x32);
    expect(got.length).toBe(2);
  });

  it("holds a level until EOI and sends again while it is up", () => {
    const { ioapic, got, program, read } = makeIoapic();
    program(10, 0x8041);
    ioapic.pins[10]!.set(true);
    ioapic.pins[10]!.set(false);
    ioapic.pins[10]!.set(true);
    expect(got).toEqual([[0x41, 0, true]]);
    expect(read(0x24)).toBe(0xc041);
    ioapic.endOfInterrupt(0x42);
    expect(got.length).toBe(1);
    ioapic.handler.write(0x40, 4, 0x41);
    expect(got.length).toBe(2);
    ioapic.pins[10]!.set(false);
    ioapic.endOfInterrupt(0x41);
    expect(got.length).toBe(2);
    expect(read(0x24)).toBe(0x8041);
  });

  it("delivers a level that was up while the pin was masked", () => {
    const { ioapic, got, program } = makeIoapic();
    program(11, 0x1_8050);
    ioapic.pins[11]!.set(true);
    expect(got).toEqual([]);
    program(11, 0x8050);
    expect(got).toEqual([[0x50, 0, true]]);
  });

  it("misses messages for other destinations", () => {
    const { ioapic, got, program } = makeIoapic();
    program(1, 0x33, 2);
    ioapic.pins[1]!.set(true);
    expect(got).toEqual([]);
  });
});
