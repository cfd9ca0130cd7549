// SPDX-License-Identifier: Apache-2.0
import { Bus } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { AcpiPm } from "../acpi-pm/device.js";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Piix4Pm } from "./device.js";

function makePm(clock = new FakeClock()) {
  const ports = new Bus("ports");
  const power = new AcpiPm(new RecordingLine(), clock, { powerOff: () => {}, resetRequested: () => {} });
  const device = new Piix4Pm({ ports, mmio: new Bus("mmio") }, power);
  return { device, ports, config: device.pci.config };
}

deviceConformance("piix4-pm", (clock) => {
  const { device, ports } = makePm(clock);
  return {
    device,
    ranges: [
      { handler: device.pci.config, length: 256 },
      { handler: device.apmHandler, length: 2 },
      {
        handler: { read: (at, size) => ports.read(at, size), write: (at, size, v) => ports.write(at, size, v) },
        length: 0x800,
      },
    ],
  };
});

describe("piix4-pm", () => {
  it("puts its blocks where firmware wants them", () => {
    const { config, ports } = makePm();
    expect(ports.read(0x604, 2)).toBe(0xffff);
    config.write(0x40, 4, 0x601);
    config.write(0x80, 1, 1);
    expect(ports.read(0x604, 2) & 1).toBe(1);
    config.write(0x40, 4, 0xb001);
    expect(ports.read(0x604, 2)).toBe(0xffff);
    expect(ports.read(0xb004, 2) & 1).toBe(1);
    config.write(0x80, 1, 0);
    expect(ports.read(0xb004, 2)).toBe(0xffff);
  });

  it("tells where the power-management block is, when that changes", () => {
    const told: number[] = [];
    const spaces = { ports: new Bus("ports"), mmio: new Bus("mmio") };
    const power = new AcpiPm(new RecordingLine(), new FakeClock(), { powerOff: () => {}, resetRequested: () => {} });
    const { config } = new Piix4Pm(spaces, power, (port) => told.push(port)).pci;
    config.write(0x40, 4, 0x601);
    config.write(0x80, 1, 1);
    config.write(0x80, 1, 1);
    config.write(0x40, 4, 0xb001);
    config.write(0x80, 1, 0);
    expect(told).toEqual([0x600, 0xb000]);
  });

  it("says that system-management interrupts are set up, and has an empty SMBus", () => {
    const { config, ports } = makePm();
    config.write(0x58, 4, 0);
    expect(config.read(0x58, 4)).toBe(1 << 25);
    config.write(0x90, 4, 0x701);
    config.write(0xd2, 1, 1);
    ports.write(0x702, 1, 0x48);
    expect(ports.read(0x700, 1)).toBe(4);
    ports.write(0x700, 1, 0xff);
    expect(ports.read(0x700, 1)).toBe(0);
  });
});
