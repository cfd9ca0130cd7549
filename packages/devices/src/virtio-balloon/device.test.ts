// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { VirtioBench } from "../conformance/virtio-driver.js";
import { BAR4_BASE } from "../conformance/virtio-driver.js";
import { Region } from "../virtio/registers.js";
import { VirtioBalloon } from "./device.js";
import { BalloonFeature, Queue } from "./registers.js";

const MEMORY = 4 << 20;
const PAGE = 4096;
const STATISTICS = 2;

function makeBalloon(clock = new FakeClock(), features: readonly number[] = [1, 2, 5]) {
  const released: [address: number, length: number][] = [];
  const balloon = new VirtioBalloon({
    memory: MEMORY,
    target: MEMORY,
    timers: clock,
    release(address, length) {
      if (address + length > MEMORY) return false;
      released.push([address / PAGE, length / PAGE]);
      return true;
    },
  });
  const bench = new VirtioBench(balloon);
  const start = (size = 16): void => void bench.start(features, size);
  const pages = (numbers: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(numbers).buffer);
  const config = (offset: number): number => bench.mmio.read(BAR4_BASE + Region.Device + offset, 4);
  const setActual = (count: number): void => bench.mmio.write(BAR4_BASE + Region.Device + 4, 4, count);
  return { balloon, bench, clock, config, pages, released, setActual, start };
}

deviceConformance("virtio-balloon", (clock) => {
  const { balloon, bench, start } = makeBalloon(clock);
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => start(), () => void balloon.report()],
  };
});

describe("virtio-balloon", () => {
  it("says how many pages it wants, and hears how many it has", () => {
    const { balloon, bench, config, setActual, start } = makeBalloon();
    start();
    expect(config(0)).toBe(0);
    const generation = bench.common(0x15, 1);
    balloon.setTarget(1 << 20);
    expect(config(0)).toBe(768);
    expect(bench.common(0x15, 1)).not.toBe(generation);
    setActual(100);
    expect(balloon.report()).toMatchObject({ target: 1 << 20, memory: MEMORY - 100 * PAGE });
    balloon.setTarget(-5);
    expect(config(0)).toBe(1024);
    balloon.setTarget(1e12);
    expect(config(0)).toBe(0);
  });

  it("gives pages back, neighbours in one piece", () => {
    const { balloon, bench, pages, released, start } = makeBalloon();
    start();
    bench.add(Queue.Inflate, [{ data: pages([9, 8, 7, 3, 20, 21, 5000, 0xffff_ffff]) }]);
    bench.kick(Queue.Inflate);
    expect(released).toEqual([
      [3, 1],
      [7, 3],
      [20, 2],
    ]);
    expect(bench.takeUsed(Queue.Inflate)).toEqual([[0, 0]]);
    expect(balloon.report().released).toBe(6 * PAGE);
    bench.add(Queue.Deflate, [{ data: pages([3]) }]);
    bench.kick(Queue.Deflate);
    expect(bench.takeUsed(Queue.Deflate)).toEqual([[0, 0]]);
  });

  it("gives back what the guest reports as free", () => {
    const { bench, released, start } = makeBalloon();
    start();
    bench.writeDesc(3, 0, 0x1800, 3 * PAGE, 3, 1);
    bench.writeDesc(3, 1, 0x20_0000, 0x10_0000, 2, 0);
    bench.offer(3, 0);
    bench.kick(3);
    expect(released).toEqual([
      [2, 2],
      [512, 256],
    ]);
    expect(bench.takeUsed(3)).toEqual([[0, 0]]);
  });

  it("numbers its queues without gaps", () => {
    const { bench, released, start } = makeBalloon(new FakeClock(), [BalloonFeature.PageReporting]);
    start();
    bench.writeDesc(2, 0, 0x20_0000, PAGE, 2, 0);
    bench.offer(2, 0);
    bench.kick(2);
    expect(released).toEqual([[512, 1]]);
  });

  it("keeps a buffer for statistics, and gives it back for newer ones", () => {
    const { balloon, bench, start } = makeBalloon();
    start();
    const statistics = (free: number): Uint8Array => {
      const bytes = new Uint8Array(30);
      const view = new DataView(bytes.buffer);
      view.setUint16(0, 4, true);
      view.setUint32(2, free, true);
      view.setUint16(10, 5, true);
      view.setUint32(12, 7, true);
      view.setUint32(16, 1, true);
      view.setUint16(20, 99, true);
      return bytes;
    };
    expect(balloon.report().guest).toEqual({});
    bench.add(STATISTICS, [{ data: statistics(123) }]);
    bench.kick(STATISTICS);
    expect(bench.takeUsed(STATISTICS)).toEqual([]);
    expect(balloon.report().guest).toEqual({ free: 123, total: 2 ** 32 + 7 });
    expect(bench.takeUsed(STATISTICS)).toEqual([[0, 0]]);
    bench.add(STATISTICS, [{ data: statistics(99) }]);
    bench.kick(STATISTICS);
    expect(balloon.report().guest.free).toBe(99);
  });

  it("survives random requests", () => {
    const random = randomSource(31);
    const { balloon, bench, clock, start } = makeBalloon();
    for (let round = 0; round < 100; round++) {
      start();
      for (let i = 0; i < 30; i++) {
        const queue = random() % 4;
        const wild = random() % 6 === 0;
        for (let j = 0; j < 16; j++) {
          const at = wild ? random() : random() % MEMORY;
          bench.writeDesc(queue, j, at, random() % 9000, random() % 4, random() % 17);
        }
        for (let at = 0x10_0000; at < 0x10_2000; at += 4) bench.ram.setU32(at, random() % 2000);
        bench.offer(queue, random() % 17);
        bench.kick(queue);
        balloon.report();
        clock.advance(random() % 100_000);
      }
    }
    expect(balloon.report().released).toBeGreaterThan(0);
  });

  it("takes a rest after much work, and refuses endless lists", () => {
    const { bench, clock, pages, released, start } = makeBalloon();
    start(64);
    for (let i = 0; i < 10; i++) {
      bench.writeDesc(3, i, 0, MEMORY, 2, 0);
      for (let j = 0; j < 2; j++) bench.offer(3, i);
    }
    bench.kick(3);
    expect(bench.takeUsed(3).length).toBe(16);
    clock.advance(1e6);
    expect(bench.takeUsed(3).length).toBe(4);
    released.length = 0;
    bench.add(Queue.Inflate, [{ data: pages(Array.from({ length: 20_000 }, (_, i) => i % 900)) }]);
    bench.kick(Queue.Inflate);
    expect([released, bench.failures.length]).toEqual([[], 1]);
  });
});
