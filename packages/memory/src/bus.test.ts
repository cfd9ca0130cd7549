// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { Bus, type IoHandler } from "./bus.js";

function registers(): IoHandler & { readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    read: (offset, size) => {
      log.push(`r${offset}/${size}`);
      return -1;
    },
    write: (offset, size, value) => {
      log.push(`w${offset}/${size}=${value}`);
    },
  };
}

describe("Bus", () => {
  it("hands accesses to the device with offsets from its start, values unsigned and no wider than asked for", () => {
    const bus = new Bus("io");
    const device = registers();
    bus.map(0x3f8, 8, device);
    expect(bus.read(0x3fd, 1)).toBe(0xff);
    bus.write(0x3f8, 4, -2);
    expect(device.log).toEqual(["r5/1", "w0/4=4294967294"]);
  });

  it("counts accesses by device, over all of its ranges", () => {
    const bus = new Bus("io");
    bus.map(0x20, 2, registers(), "pic");
    bus.map(0xa0, 2, registers(), "pic").remap(0xb0);
    bus.map(0x80, 1, registers());
    bus.read(0x20, 1);
    bus.write(0xb1, 1, 0);
    bus.write(0x80, 1, 0);
    bus.read(0xa0, 1);
    bus.write(0xa0, 1, 0);
    expect(Object.fromEntries(bus.accesses())).toEqual({
      unclaimed: { reads: 1, writes: 1 },
      pic: { reads: 1, writes: 1 },
      other: { reads: 0, writes: 1 },
    });
  });

  it("reads all ones where nobody answers", () => {
    const bus = new Bus("io");
    expect([bus.read(0, 1), bus.read(0, 2), bus.read(0, 4)]).toEqual([0xff, 0xffff, 0xffff_ffff]);
    expect(() => bus.write(0, 4, 1)).not.toThrow();
  });

  it("lets a later mapping win, move and go", () => {
    const bus = new Bus("mmio");
    const below = registers();
    const above = registers();
    bus.map(0x1000, 0x1000, below);
    const mapping = bus.map(0x1800, 4, above);
    bus.read(0x1000, 4);
    bus.read(0x1800, 4);
    mapping.remap(0x4000);
    expect(mapping.start).toBe(0x4000);
    bus.read(0x1800, 4);
    bus.read(0x4000, 4);
    mapping.unmap();
    expect(bus.read(0x4000, 1)).toBe(0xff);
    expect(below.log).toEqual(["r0/4", "r2048/4"]);
    expect(above.log).toEqual(["r0/4", "r0/4"]);
  });

  it("refuses an empty range", () => {
    expect(() => new Bus("io").map(0x10, 0, registers())).toThrow("empty range");
  });
});
