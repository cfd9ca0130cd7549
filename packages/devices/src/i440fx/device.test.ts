// SPDX-License-Identifier: Apache-2.0
import { Bus } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { I440fx } from "./device.js";

function makeBridge() {
  const shadow = new Map<number, string>();
  const smram: boolean[] = [];
  const device = new I440fx(
    { ports: new Bus("ports"), mmio: new Bus("mmio") },
    {
      shadowChanged: (start, _length, read, write) => shadow.set(start, `${read ? "r" : "-"}${write ? "w" : "-"}`),
      smramChanged: (open) => smram.push(open),
    },
  );
  const { config } = device.host.bridge;
  return { device, shadow, smram, config };
}

deviceConformance("i440fx", () => {
  const { device } = makeBridge();
  return {
    device,
    ranges: [{ handler: device.host.configHandler, length: 8 }],
    pokes: [(random) => device.host.bridge.config.write(0x58 + (random() % 0x20), 1, random() & 0xff)],
  };
});

describe("i440fx", () => {
  it("is what firmware looks for", () => {
    const { config } = makeBridge();
    expect(config.read(0, 4)).toBe(0x1237_8086);
    expect(config.read(8, 4)).toBe(0x0600_0002);
  });

  it("shadows thirteen areas", () => {
    const { config, device, shadow } = makeBridge();
    device.reset();
    expect(shadow.size).toBe(13);
    expect([...shadow.values()].every((access) => access === "--")).toBe(true);
    config.write(0x59, 1, 0x30);
    config.write(0x5a, 2, 0x2113);
    expect(shadow.get(0xf_0000)).toBe("rw");
    expect(shadow.get(0xc_0000)).toBe("rw");
    expect(shadow.get(0xc_4000)).toBe("r-");
    expect(shadow.get(0xc_8000)).toBe("r-");
    expect(shadow.get(0xc_c000)).toBe("-w");
    device.reset();
    expect([...shadow.values()].every((access) => access === "--")).toBe(true);
  });

  it("opens SMRAM until it is locked", () => {
    const { config, device, smram } = makeBridge();
    config.write(0x72, 1, 0x48);
    expect(smram.at(-1)).toBe(true);
    config.write(0x72, 1, 0x58);
    expect(smram.at(-1)).toBe(false);
    expect(config.read(0x72, 1)).toBe(0x1a);
    config.write(0x72, 1, 0x48);
    expect(smram.at(-1)).toBe(false);
    device.reset();
    config.write(0x72, 1, 0x48);
    expect(smram.at(-1)).toBe(true);
  });

  it("shows the memory map again after a restore", () => {
    const first = makeBridge();
    first.config.write(0x59, 1, 0x10);
    const twin = makeBridge();
    twin.device.restore(first.device.save());
    expect(twin.shadow.get(0xf_0000)).toBe("r-");
  });
});
