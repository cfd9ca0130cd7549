// SPDX-License-Identifier: Apache-2.0
import { PciFunction } from "@isola/devices";
import { Bus, type IoHandler, NO_IRQ } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { assignPciResources } from "./pci-setup.js";

const answer = (value: number): IoHandler => ({ read: () => value, write: () => {} });
const identity = { vendorId: 1, deviceId: 2, revision: 0, classCode: 0, subsystemVendorId: 0, subsystemId: 0 };

describe("PCI setup", () => {
  it("places every region on its bus, aligned, and routes the pin", () => {
    const spaces = { ports: new Bus("ports"), mmio: new Bus("memory") };
    const functions = [1, 2].map((slot) => {
      const fn = new PciFunction(spaces, identity);
      fn.addBar({ index: 0, kind: "io", size: 32, handler: answer(slot) });
      fn.addBar({ index: 1, kind: "memory32", size: 0x2000, handler: answer(10 + slot) });
      fn.addBar({ index: 2, kind: "memory64", size: 0x4000, handler: answer(20 + slot) });
      fn.connectPin(1, NO_IRQ);
      fn.seal();
      return { slot, fn };
    });
    assignPciResources(functions);
    expect(spaces.ports.read(0xc000, 1)).toBe(1);
    expect(spaces.ports.read(0xc020, 1)).toBe(2);
    expect(spaces.mmio.read(0xc000_0000, 4)).toBe(11);
    expect(spaces.mmio.read(0xc000_2000, 4)).toBe(12);
    expect(spaces.mmio.read(0x10_0000_0000, 4)).toBe(21);
    expect(spaces.mmio.read(0x10_0000_4000, 4)).toBe(22);
    expect(functions.map(({ fn }) => fn.config.read(0x3c, 1))).toEqual([11, 10]);
    // A second reset finds registers with addresses in them and gives out the same ones.
    assignPciResources(functions);
    expect(spaces.mmio.read(0x10_0000_4000, 4)).toBe(22);
  });
});
