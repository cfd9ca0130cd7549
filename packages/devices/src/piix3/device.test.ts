// SPDX-License-Identifier: Apache-2.0
import { Bus } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Piix3 } from "./device.js";

function makeBridge() {
  const isa = Array.from({ length: 16 }, () => new RecordingLine());
  const device = new Piix3({ ports: new Bus("ports"), mmio: new Bus("mmio") }, isa);
  return { device, isa, config: device.pci.config };
}

deviceConformance("piix3", () => {
  const { device } = makeBridge();
  return {
    device,
    ranges: [{ handler: device.pci.config, length: 256 }],
    pokes: [(random) => device.pirqs[random() % 4]!.set(random() % 2 === 0)],
  };
});

describe("piix3", () => {
  it("routes wires, several of which may share an interrupt", () => {
    const { config, device, isa } = makeBridge();
    device.pirqs[0]!.set(true);
    expect(isa.some(({ level }) => level)).toBe(false);
    config.write(0x60, 4, 0x0b0b_0a0a);
    expect(isa[10]!.level).toBe(true);
    device.pirqs[1]!.set(true);
    device.pirqs[0]!.set(false);
    expect(isa[10]!.level).toBe(true);
    device.pirqs[1]!.set(false);
    expect(isa[10]!.level).toBe(false);
    device.pirqs[3]!.set(true);
    expect(isa[11]!.level).toBe(true);
    config.write(0x63, 1, 0x85);
    expect(isa[11]!.level).toBe(false);
  });

  it("does not reach interrupts that belong to the board", () => {
    const { config, device, isa } = makeBridge();
    device.pirqs[0]!.set(true);
    for (const irq of [0, 1, 2, 8, 13]) config.write(0x60, 1, irq);
    expect(isa.some(({ edges }) => edges > 0)).toBe(false);
  });
});
