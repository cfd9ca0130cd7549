// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { Region } from "../virtio/registers.js";
import { keyCodeOf } from "./key-codes.js";
import { VirtioKeyboard } from "./keyboard.js";
import { Queue, Select } from "./registers.js";
import { VirtioTablet } from "./tablet.js";

const A = 0x1e;
const RIGHT_ALT = 0xe038;

function start<T extends VirtioKeyboard | VirtioTablet>(fn: T) {
  const bench = new VirtioBench(fn).start();
  /** Events that the driver has got, of buffers that it gave before. */
  const give = (count: number): number[] =>
    Array.from({ length: count }, () => bench.add(Queue.Events, [{ room: 8 }])[0]!);
  const event = (address: number): number[] => [
    bench.ram.u16(address),
    bench.ram.u16(address + 2),
    bench.ram.u32(address + 4) | 0,
  ];
  const ask = (select: number, subselect: number): number[] => {
    const at = BAR4_BASE + Region.Device;
    bench.mmio.write(at, 1, select);
    bench.mmio.write(at + 1, 1, subselect);
    return Array.from({ length: bench.mmio.read(at + 2, 1) }, (_, i) => bench.mmio.read(at + 8 + i, 1));
  };
  return { ask, bench, event, fn, give };
}

for (const [name, make] of [
  ["virtio-keyboard", () => new VirtioKeyboard()],
  ["virtio-tablet", () => new VirtioTablet()],
] as const)
  deviceConformance(name, () => {
    const fn = make();
    const bench = new VirtioBench<ReturnType<typeof fn.save>>(fn);
    return {
      device: bench.device,
      ranges: [
        { handler: bench.device.regionHandler, length: 0x4000 },
        {
          handler: { read: (at, size) => fn.readConfig(at, size), write: (at, size, v) => fn.writeConfig(at, size, v) },
          length: 140,
        },
      ],
      pokes: [
        () => bench.start(),
        (random) => {
          if (fn instanceof VirtioKeyboard) fn.key(random() & 0x7f, random() % 2 === 0);
          else fn.point(random(), random(), random() % 3, random());
        },
      ],
    };
  });

describe("virtio-input", () => {
  it("says what a keyboard is", () => {
    const { ask } = start(new VirtioKeyboard());
    expect(String.fromCharCode(...ask(Select.Name, 0))).toBe("Isola Virtio Keyboard");
    expect(ask(Select.Ids, 0)).toEqual([6, 0, 0x27, 6, 1, 0, 1, 0]);
    const keys = ask(Select.EventBits, 1);
    const has = (code: number): boolean => ((keys[code >> 3]! >> (code & 7)) & 1) !== 0;
    expect([1, 30, 88, 100, 125, 119, 84, 0x110].map((code) => code < keys.length * 8 && has(code))).toEqual([
      true,
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(ask(Select.EventBits, 0x11)).toEqual([7]);
    expect(ask(Select.EventBits, 0x14)).toEqual([1]);
    expect([ask(Select.EventBits, 3), ask(Select.AbsoluteInfo, 0), ask(0, 0), ask(0x77, 5)]).toEqual([[], [], [], []]);
  });

  it("has numbers for keys", () => {
    expect([A, 0x58, 0xe048, RIGHT_ALT, 0xe11d, 0x54].map(keyCodeOf)).toEqual([30, 88, 103, 100, 119, 99]);
    expect([0, 0x55, 0x7f, 0xe000].map(keyCodeOf)).toEqual([0, 0, 0, 0]);
  });

  it("tells of keys once, and lets them wait for buffers", () => {
    const { bench, event, fn, give } = start(new VirtioKeyboard());
    const [first, second] = give(2);
    fn.key(A, true);
    fn.key(A, true);
    expect([event(first!), event(second!)]).toEqual([
      [1, 30, 1],
      [0, 0, 0],
    ]);
    expect(bench.takeUsed(Queue.Events)).toEqual([
      [0, 8],
      [1, 8],
    ]);
    fn.key(A, false);
    const [third, fourth] = give(2);
    bench.kick(Queue.Events);
    expect([event(third!), event(fourth!)]).toEqual([
      [1, 30, 0],
      [0, 0, 0],
    ]);
  });

  it("drops what finds no room, and does not forget that a key is down", () => {
    const { bench, event, fn, give } = start(new VirtioKeyboard());
    for (let i = 0; i < 200; i++) fn.key(A, i % 2 === 0);
    fn.key(0x30, true);
    fn.key(A, true);
    expect(fn.save().events.length).toBe(256);
    for (let i = 0; i < 16; i++) {
      give(16);
      bench.kick(Queue.Events);
    }
    expect(fn.save().events).toEqual([]);
    const [press] = give(2);
    fn.key(0x30, true);
    expect(event(press!)).toEqual([1, 48, 1]);
  });

  it("takes lights from the driver", () => {
    const { bench, fn } = start(new VirtioKeyboard());
    const light = (code: number, on: number): void => {
      bench.add(Queue.Status, [{ data: Uint8Array.from([0x11, 0, code, 0, on, 0, 0, 0]) }]);
      bench.kick(Queue.Status);
    };
    light(1, 1);
    light(2, 1);
    light(1, 0);
    light(9, 1);
    expect(fn.lights).toBe(4);
    bench.add(Queue.Status, [{ data: Uint8Array.of(1) }]);
    bench.kick(Queue.Status);
    expect(bench.takeUsed(Queue.Status).length).toBe(5);
  });

  it("survives random rings", () => {
    const random = randomSource(41);
    for (let round = 0; round < 50; round++) {
      const { bench, fn } = start(round % 2 === 0 ? new VirtioKeyboard() : new VirtioTablet());
      for (let i = 0; i < 40; i++) {
        const queue = random() % 2;
        for (let j = 0; j < 16; j++) {
          const at = random() % 6 === 0 ? random() : random() % 0x40_0000;
          bench.writeDesc(queue, j, at, random() % 20, random() % 4, random() % 17);
        }
        bench.offer(queue, random() % 17);
        if (fn instanceof VirtioKeyboard) fn.key(random() & 0x7f, random() % 2 === 0);
        else fn.point(random(), random(), random() % 3, random());
        bench.kick(queue);
      }
      expect(fn.save().events.length).toBeLessThanOrEqual(256);
    }
  });

  it("tells where a tablet is", () => {
    const { ask, event, fn, give } = start(new VirtioTablet());
    expect(ask(Select.AbsoluteInfo, 1).slice(0, 8)).toEqual([0, 0, 0, 0, 0xff, 0x7f, 0, 0]);
    expect(ask(Select.EventBits, 3)).toEqual([3]);
    const buffers = give(8);
    fn.point(100, 99_999, 1, 1);
    fn.point(-1, 5, 0, 1);
    expect(buffers.map(event)).toEqual([
      [3, 0, 100],
      [3, 1, 0x7fff],
      [2, 8, -1],
      [1, 0x110, 1],
      [0, 0, 0],
      [3, 0, 0],
      [3, 1, 5],
      [0, 0, 0],
    ]);
  });

  it("loses what happens before a driver listens", () => {
    const fn = new VirtioKeyboard();
    const bench = new VirtioBench(fn);
    fn.key(A, true);
    expect(fn.ready).toBe(false);
    bench.start();
    expect([fn.ready, fn.save().events]).toEqual([true, []]);
  });
});
