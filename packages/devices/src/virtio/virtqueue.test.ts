// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtioBench } from "../conformance/virtio-driver.js";
import { VirtioRng } from "../virtio-rng/device.js";
import { DescFlag, DeviceStatus, Feature } from "./registers.js";

function makeBench(features: readonly number[] = [Feature.IndirectDesc], size = 8): VirtioBench<unknown> {
  return new VirtioBench(new VirtioRng({ fill: (bytes) => bytes.fill(0xaa) })).start(features, size);
}

/** Offers descriptor 0 and returns what the device said of it. */
function offerHead(bench: VirtioBench<unknown>): string | undefined {
  bench.offer(0, 0);
  bench.kick(0);
  return bench.failures[0];
}

describe("virtqueue", () => {
  it("refuses a chain that loops", () => {
    const bench = makeBench();
    bench.writeDesc(0, 0, 0x20_0000, 4, DescFlag.Next, 1);
    bench.writeDesc(0, 1, 0x20_0000, 4, DescFlag.Next, 0);
    expect(offerHead(bench)).toMatch(/loops/);
  });

  it.each([
    ["past the end of RAM", 0x3f_fff0, 0x20],
    ["far outside", 2 ** 40, 4],
    ["at the top of the address space", 2 ** 64 - 2048, 4096],
    ["in the PCI hole", 0xc000_0000, 1],
  ])("refuses a buffer %s", (_where, address, length) => {
    const bench = makeBench();
    bench.writeDesc(0, 0, address, length, DescFlag.Write, 0);
    expect(offerHead(bench)).toMatch(/not in RAM/);
    expect(bench.takeUsed(0)).toEqual([]);
  });

  it("refuses a readable descriptor after a writable one and a wild successor", () => {
    const bench = makeBench();
    bench.writeDesc(0, 0, 0x20_0000, 4, DescFlag.Write | DescFlag.Next, 1);
    bench.writeDesc(0, 1, 0x20_0000, 4, 0, 0);
    expect(offerHead(bench)).toMatch(/readable descriptor/);
    const other = makeBench();
    other.writeDesc(0, 0, 0x20_0000, 4, DescFlag.Next, 8);
    expect(offerHead(other)).toMatch(/out of range/);
  });

  it.each([
    ["a length that is no multiple of 16", 40, 0, /bad length/],
    ["no length", 0, 0, /bad length/],
    ["a successor", 32, DescFlag.Next, /successor/],
  ])("refuses an indirect table with %s", (_what, length, flags, message) => {
    const bench = makeBench();
    bench.writeDesc(0, 0, 0x20_0000, length, DescFlag.Indirect | flags, 0);
    expect(offerHead(bench)).toMatch(message);
  });

  it("refuses indirect tables that nest, loop, lie outside RAM or were not negotiated", () => {
    const nested = makeBench();
    nested.writeDesc(0, 0, 0x20_0000, 32, DescFlag.Indirect, 0);
    nested.writeDescAt(0x20_0000, 0x20_0000, 32, DescFlag.Indirect, 0);
    expect(offerHead(nested)).toMatch(/where none is allowed/);
    const looping = makeBench();
    looping.writeDesc(0, 0, 0x20_0000, 32, DescFlag.Indirect, 0);
    looping.writeDescAt(0x20_0000, 0x21_0000, 1, DescFlag.Next, 0);
    expect(offerHead(looping)).toMatch(/loops/);
    const outside = makeBench();
    outside.writeDesc(0, 0, 2 ** 33, 32, DescFlag.Indirect, 0);
    expect(offerHead(outside)).toMatch(/not in RAM/);
    const unwanted = makeBench([]);
    unwanted.writeDesc(0, 0, 0x20_0000, 32, DescFlag.Indirect, 0);
    expect(offerHead(unwanted)).toMatch(/where none is allowed/);
  });

  it("ends a huge indirect chain", () => {
    const bench = makeBench();
    bench.writeDesc(0, 0, 0x20_0000, 16 * 4096, DescFlag.Indirect, 0);
    for (let i = 0; i < 4096; i++) bench.writeDescAt(0x20_0000 + i * 16, 0x10_0000, 1, DescFlag.Next, i + 1);
    expect(offerHead(bench)).toMatch(/too long/);
  });

  it("refuses an available index that ran away", () => {
    const bench = makeBench();
    bench.ram.setU16(bench.availAddress(0) + 2, 9);
    bench.kick(0);
    expect(bench.failures[0]).toMatch(/jumped/);
  });

  it("refuses rings outside RAM or misaligned", () => {
    for (const [field, low, high] of [
      [0x20, 8, 0],
      [0x20, 0x3f_fff0, 0],
      [0x28, 0x10_0001, 0],
      [0x28, 0, 0xffff_ffff],
      [0x30, 0x10_0002, 0],
      [0x30, 0xffff_fff0, 0],
    ] as const) {
      const bench = new VirtioBench(new VirtioRng({ fill: () => {} }));
      bench.place();
      bench.negotiate();
      bench.setCommon(0x16, 2, 0);
      bench.setCommon(0x20, 4, 0x10_0000);
      bench.setCommon(0x28, 4, 0x11_0000);
      bench.setCommon(0x30, 4, 0x12_0000);
      bench.setCommon(field, 4, low);
      bench.setCommon(field + 4, 4, high);
      bench.setCommon(0x1c, 2, 1);
      expect(bench.failures[0]).toMatch(/misplaced/);
      expect(bench.status & DeviceStatus.NeedsReset).not.toBe(0);
    }
  });

  it("serves or refuses any ring, and never throws or writes outside its buffers (fuzz)", () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 0, max: 0xffff_ffff }));
    const descriptor = fc.record({
      address: fc.oneof(fc.integer({ min: 0x20_0000, max: 0x20_ffff }), word),
      high: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: word }),
      length: fc.oneof(fc.integer({ min: 0, max: 256 }), word),
      flags: fc.integer({ min: 0, max: 7 }),
      next: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 0, max: 0xffff })),
    });
    fc.assert(
      fc.property(
        fc.array(descriptor, { minLength: 8, maxLength: 8 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 }),
        fc.boolean(),
        (descriptors, heads, eventIdx) => {
          const features = eventIdx ? [Feature.IndirectDesc, Feature.EventIdx] : [Feature.IndirectDesc];
          const bench = makeBench(features);
          descriptors.forEach((d, i) => bench.writeDesc(0, i, d.high * 2 ** 32 + d.address, d.length, d.flags, d.next));
          for (const head of heads) bench.offer(0, head);
          bench.kick(0);
          const used = bench.takeUsed(0);
          expect(used.length).toBeLessThanOrEqual(heads.length);
          expect(bench.failures.length).toBeLessThanOrEqual(1);
          if (bench.failures.length === 0) expect(used.length).toBe(heads.length);
        },
      ),
      { numRuns: 300 },
    );
  });
});
