// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { BAR1_BASE, BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { deviceConformance } from "../conformance/suite.js";
import { VirtioRng } from "../virtio-rng/device.js";
import { Common, DeviceStatus, Feature, NO_VECTOR, Region } from "./registers.js";

/** Entropy that counts. */
function counting(): VirtioRng {
  let next = 0;
  return new VirtioRng({ fill: (bytes) => bytes.forEach((_, i) => (bytes[i] = ++next)) });
}

deviceConformance("virtio-pci", () => {
  const bench = new VirtioBench(counting());
  const { device } = bench;
  const config = device.pci.config;
  return {
    device,
    ranges: [
      { handler: device.regionHandler, length: 0x38 },
      { handler: device.regionHandler, length: 0x4000 },
      { handler: device.msix.handler, length: 0x30 },
      { handler: { read: (o, s) => config.read(o, s), write: (o, s, v) => config.write(o, s, v) }, length: 256 },
    ],
    pokes: [(random) => bench.start([], 1 << (random() % 4)), () => bench.kick(0)],
  };
});

describe("virtio-pci", () => {
  it("shows a modern device and where its structures are", () => {
    const bench = new VirtioBench(counting());
    expect(bench.configRead(0, 4)).toBe(0x1044_1af4);
    expect(bench.configRead(8, 1)).toBe(1);
    const found = [1, 2, 3, 4, 5].map((type) => bench.capability(9, type));
    expect(found.every((at) => at > 0)).toBe(true);
    expect(bench.configRead(found[0]! + 4, 1)).toBe(4);
    expect(bench.configRead(found[1]! + 16, 4)).toBe(4);
    expect(bench.configRead(bench.capability(0x11) + 2, 2)).toBe(1);
  });

  it("negotiates features and insists on version 1", () => {
    const bench = new VirtioBench(counting());
    bench.place();
    bench.setCommon(Common.DeviceFeatureSelect, 4, 1);
    expect(bench.common(Common.DeviceFeature, 4)).toBe(1);
    bench.setCommon(Common.DeviceFeatureSelect, 4, 0);
    expect(bench.common(Common.DeviceFeature, 4)).toBe(0x3000_0000);
    bench.setCommon(Common.DeviceFeatureSelect, 4, 2);
    expect(bench.common(Common.DeviceFeature, 4)).toBe(0);
    expect(bench.negotiate([Feature.EventIdx])).toBe(true);
    expect(bench.negotiate([7])).toBe(false);
    bench.setCommon(Common.DeviceStatus, 1, 0);
    bench.setCommon(Common.DeviceStatus, 1, 3);
    bench.setCommon(Common.DeviceStatus, 1, 0xb);
    expect(bench.status).toBe(3);
  });

  it("serves requests and interrupts by INTx, which reading ISR releases", () => {
    const bench = new VirtioBench(counting()).start();
    const [buffer] = bench.add(0, [{ room: 5 }]);
    bench.kick(0);
    expect(bench.takeUsed(0)).toEqual([[0, 5]]);
    expect(bench.bytes(buffer!, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(bench.intx.level).toBe(true);
    expect(bench.mmio.read(BAR4_BASE + Region.Isr, 1)).toBe(1);
    expect(bench.intx.level).toBe(false);
    bench.suppressInterrupts(0, true);
    bench.add(0, [{ room: 1 }]);
    bench.kick(0);
    expect(bench.takeUsed(0).length).toBe(1);
    expect(bench.intx.edges).toBe(1);
  });

  it("interrupts by MSI-X with the vector of the queue", () => {
    const bench = new VirtioBench(counting()).start();
    bench.configWrite(bench.capability(0x11) + 2, 2, 0x8000);
    bench.mmio.write(BAR1_BASE + 16, 4, 0xfee0_0000);
    bench.mmio.write(BAR1_BASE + 24, 4, 0x55);
    bench.mmio.write(BAR1_BASE + 28, 4, 0);
    bench.setCommon(Common.QueueMsixVector, 2, 9);
    expect(bench.common(Common.QueueMsixVector, 2)).toBe(NO_VECTOR);
    bench.setCommon(Common.QueueMsixVector, 2, 1);
    expect(bench.common(Common.QueueMsixVector, 2)).toBe(1);
    bench.add(0, [{ room: 1 }]);
    bench.kick(0);
    expect(bench.messages).toEqual([[0xfee0_0000, 0x55]]);
    expect(bench.intx.edges).toBe(0);
  });

  it("interrupts only past the driver's event index", () => {
    const bench = new VirtioBench(counting()).start([Feature.EventIdx]);
    const usedEvent = bench.availAddress(0) + 4 + 2 * 16;
    const availEvent = bench.usedAddress(0) + 4 + 8 * 16;
    bench.ram.setU16(usedEvent, 2);
    for (let i = 1; i <= 4; i++) {
      bench.add(0, [{ room: 1 }]);
      bench.kick(0);
      expect(bench.ram.u16(availEvent)).toBe(i);
      expect(bench.intx.edges).toBe(i >= 3 ? 1 : 0);
    }
  });

  it("wraps its indices at 16 bits", () => {
    const bench = new VirtioBench(counting()).start([Feature.EventIdx], 4);
    const usedEvent = bench.availAddress(0) + 4 + 2 * 4;
    for (let i = 0; i < 66_000; i++) {
      bench.writeDesc(0, i % 4, 0x10_0000, 8, 2, 0);
      bench.offer(0, i % 4);
      bench.kick(0);
      bench.ram.setU16(usedEvent, (i + 1) & 0xffff);
      bench.mmio.read(BAR4_BASE + Region.Isr, 1);
    }
    expect(bench.intx.edges).toBe(66_000);
    expect(bench.failures).toEqual([]);
  });

  it("follows indirect tables", () => {
    const bench = new VirtioBench(counting()).start([Feature.IndirectDesc]);
    const table = bench.allocate(48);
    const buffer = bench.allocate(64);
    for (let i = 0; i < 3; i++) bench.writeDescAt(table + i * 16, buffer + i * 8, 4, i === 2 ? 2 : 3, i + 1);
    bench.writeDesc(0, 0, table, 48, 4, 0);
    bench.offer(0, 0);
    bench.kick(0);
    expect(bench.takeUsed(0)).toEqual([[0, 12]]);
    expect(bench.bytes(buffer + 16, 4)).toEqual([9, 10, 11, 12]);
  });

  it("reaches its structures through the configuration access window", () => {
    const bench = new VirtioBench(counting());
    const at = bench.capability(9, 5);
    bench.configWrite(at + 4, 1, 4);
    bench.configWrite(at + 8, 4, Common.NumQueues);
    bench.configWrite(at + 12, 4, 2);
    expect(bench.configRead(at + 16, 2)).toBe(1);
    bench.configWrite(at + 8, 4, Common.DeviceStatus);
    bench.configWrite(at + 12, 4, 1);
    bench.configWrite(at + 16, 1, 3);
    expect(bench.configRead(at + 16, 1)).toBe(3);
    bench.configWrite(at + 12, 4, 3);
    bench.configWrite(at + 16, 4, 0);
    bench.configWrite(at + 12, 4, 1);
    expect(bench.configRead(at + 16, 1)).toBe(3);
  });

  it("forgets everything on a reset by the driver", () => {
    const bench = new VirtioBench(counting()).start();
    bench.add(0, [{ room: 1 }]);
    bench.kick(0);
    bench.setCommon(Common.DeviceStatus, 1, 0);
    expect(bench.intx.level).toBe(false);
    expect(bench.common(Common.QueueEnable, 2)).toBe(0);
    expect(bench.common(Common.QueueSize, 2)).toBe(64);
    bench.start();
    bench.add(0, [{ room: 1 }]);
    bench.kick(0);
    expect(bench.takeUsed(0).length).toBe(1);
  });

  it("goes on where it was after a restore", () => {
    const bench = new VirtioBench(counting()).start();
    bench.add(0, [{ room: 1 }]);
    bench.kick(0);
    const twin = new VirtioBench(counting());
    twin.ram.write(0, bench.ram.peek(0, bench.ram.size)!);
    twin.device.restore(bench.device.save());
    twin.mmio.write(BAR4_BASE + Region.Notify, 2, 0);
    expect(twin.device.queues[0]!.s.nextUsed).toBe(1);
    expect(twin.device.running).toBe(true);
    expect(() => twin.device.restore({ ...bench.device.save(), type: 2 })).toThrow(/type 2/);
  });

  it("sets DEVICE_NEEDS_RESET and interrupts when the driver breaks the rules", () => {
    const bench = new VirtioBench(counting()).start();
    bench.offer(0, 0xffff);
    bench.kick(0);
    expect(bench.status & DeviceStatus.NeedsReset).toBe(DeviceStatus.NeedsReset);
    expect(bench.failures).toEqual(["descriptor index is out of range"]);
    expect(bench.mmio.read(BAR4_BASE + Region.Isr, 1)).toBe(2);
    bench.kick(0);
    expect(bench.failures.length).toBe(1);
    bench.start();
    expect(bench.status).toBe(0xf);
  });
});
