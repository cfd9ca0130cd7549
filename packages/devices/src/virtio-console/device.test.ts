// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { RecordingSink } from "../conformance/recorders.js";
import { BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { deviceConformance } from "../conformance/suite.js";
import { Common, Region } from "../virtio/registers.js";
import { VirtioConsole } from "./device.js";

deviceConformance("virtio-console", () => {
  const fn = new VirtioConsole({ sink: new RecordingSink() });
  const bench = new VirtioBench(fn);
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [
      () => bench.start(),
      (random) => fn.receive(new Uint8Array(random() % 99)),
      (random) => fn.resize(random(), 2),
    ],
    keptByReset: ["function"],
  };
});

function makeConsole() {
  const sink = new RecordingSink();
  let ready = 0;
  const fn = new VirtioConsole({ sink, onReceiveReady: () => ready++ });
  const bench = new VirtioBench(fn).start([0, 2]);
  return { sink, fn, bench, ready: () => ready };
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe("virtio-console", () => {
  it("sends what the guest writes", () => {
    const { bench, sink } = makeConsole();
    bench.add(1, [{ data: bytesOf("hello, ") }, { data: bytesOf("world") }]);
    bench.kick(1);
    expect(sink.text()).toBe("hello, world");
    expect(bench.takeUsed(1)).toEqual([[0, 0]]);
  });

  it("fills the guest's buffers and pushes back without them", () => {
    const { bench, fn, ready } = makeConsole();
    expect(fn.receive(bytesOf("x"))).toBe(0);
    const [buffer] = bench.add(0, [{ room: 4 }]);
    bench.kick(0);
    expect(ready()).toBe(1);
    expect(fn.receive(bytesOf("abcdef"))).toBe(4);
    expect(String.fromCharCode(...bench.bytes(buffer!, 4))).toBe("abcd");
    expect(bench.takeUsed(0)).toEqual([[0, 4]]);
    expect(bench.intx.level).toBe(true);
    bench.add(0, [{ room: 4 }]);
    bench.kick(0);
    expect(ready()).toBe(2);
  });

  it("tells its size and that it changed", () => {
    const { bench, fn } = makeConsole();
    const before = bench.common(Common.ConfigGeneration, 1);
    fn.resize(132, 43);
    expect(bench.mmio.read(BAR4_BASE + Region.Device, 4)).toBe(132 | (43 << 16));
    expect(bench.mmio.read(BAR4_BASE + Region.Device + 2, 2)).toBe(43);
    expect(bench.common(Common.ConfigGeneration, 1)).not.toBe(before);
    expect(bench.mmio.read(BAR4_BASE + Region.Isr, 1)).toBe(2);
  });

  it("writes in an emergency before the driver is up", () => {
    const sink = new RecordingSink();
    const bench = new VirtioBench(new VirtioConsole({ sink }));
    bench.place();
    bench.mmio.write(BAR4_BASE + Region.Device + 8, 4, 0x21);
    expect(sink.text()).toBe("!");
  });

  it("takes nothing while no driver runs", () => {
    const fn = new VirtioConsole({ sink: new RecordingSink() });
    expect(fn.receive(bytesOf("x"))).toBe(0);
    const bench = new VirtioBench(fn);
    expect(fn.receive(bytesOf("x"))).toBe(0);
    expect(bench.failures).toEqual([]);
  });
});
