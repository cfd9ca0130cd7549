// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../conformance/memory-store.js";
import { RecordingLine } from "../conformance/recorders.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { Nvme } from "./device.js";
import { walkPrps } from "./prp.js";
import { MAX_IN_FLIGHT, Reg } from "./registers.js";

const RAM_SIZE = 4 << 20;
const BAR0 = 0xe000_0000;
const BAR4 = 0xe100_0000;
const BLOCKS = 8192;
const SIZE = BLOCKS * 512;
/** Rings: submission queue `n` at n * 64 KiB, its completion queue 32 KiB behind it. */
const RINGS = 0x1_0000;
const DATA = 0x20_0000;
const ENTRIES = 16;

interface Given {
  readonly namespace?: number;
  readonly prp1?: number;
  readonly prp2?: number;
  /** Dwords 10 to 15. */
  readonly words?: readonly number[];
  readonly flags?: number;
}

function makeNvme(store = new MemoryStore(SIZE)) {
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const mmio = new Bus("mmio");
  const intx = new RecordingLine();
  const messages: number[] = [];
  const errors: unknown[] = [];
  const device = new Nvme({
    spaces: { ports: new Bus("ports"), mmio },
    ram,
    intx,
    msi: { signal: (_address, data) => messages.push(data) },
    store,
    serial: "disk-0",
    onStoreError: (error) => errors.push(error),
  });
  const place = (): void => {
    device.pci.config.write(0x10, 4, BAR0);
    device.pci.config.write(0x14, 4, 0);
    device.pci.config.write(0x20, 4, BAR4);
    device.pci.config.write(4, 2, 6);
  };
  place();
  const get = (offset: number): number => mmio.read(BAR0 + offset, 4);
  const set = (offset: number, value: number): void => mmio.write(BAR0 + offset, 4, value);
  const tails: number[] = [];
  const heads: number[] = [];
  let nextId = 0;
  const ringOf = (queue: number): number => RINGS * (queue + 1);
  const enable = (): void => {
    set(Reg.Configuration, 0);
    ram.write(RINGS, new Uint8Array(RINGS * 8));
    tails.length = heads.length = 0;
    set(Reg.AdminAttributes, ((ENTRIES - 1) << 16) | (ENTRIES - 1));
    set(Reg.AdminSubmissionLow, ringOf(0));
    set(Reg.AdminCompletionLow, ringOf(0) + 0x8000);
    set(Reg.Configuration, 0x0046_0001);
  };
  /** Puts a command into a ring and returns its identifier. */
  const put = (queue: number, opcode: number, given: Given = {}): number => {
    const { namespace = 1, prp1 = DATA, prp2 = 0, words = [], flags = 0 } = given;
    const id = nextId++ & 0xffff;
    const tail = tails[queue] ?? 0;
    const at = ringOf(queue) + tail * 64;
    ram.write(at, new Uint8Array(64));
    ram.setU32(at, (id << 16) | (flags << 8) | opcode);
    ram.setU32(at + 4, namespace);
    ram.setU64(at + 24, BigInt(prp1));
    ram.setU64(at + 32, BigInt(prp2));
    words.forEach((word, i) => ram.setU32(at + 40 + 4 * i, word));
    tails[queue] = (tail + 1) % ENTRIES;
    return id;
  };
  const ring = (queue: number): void => set(Reg.Doorbells + queue * 8, tails[queue] ?? 0);
  /** Takes completions: identifier, status, result. */
  const take = (queue: number): [id: number, status: number, result: number][] => {
    const found: [number, number, number][] = [];
    for (;;) {
      const count = heads[queue] ?? 0;
      const at = ringOf(queue) + 0x8000 + (count % ENTRIES) * 16;
      const phase = Math.floor(count / ENTRIES) % 2 === 0 ? 1 : 0;
      if ((ram.u16(at + 14) & 1) !== phase) break;
      found.push([ram.u16(at + 12), ram.u16(at + 14) >> 1, ram.u32(at)]);
      heads[queue] = count + 1;
    }
    if (found.length > 0) set(Reg.Doorbells + queue * 8 + 4, (heads[queue] ?? 0) % ENTRIES);
    return found;
  };
  /** Carries out a command that is answered at once. */
  const run = (queue: number, opcode: number, given: Given = {}): [status: number, result: number] => {
    const id = put(queue, opcode, given);
    ring(queue);
    const found = take(queue);
    expect(found.map(([one]) => one)).toEqual([id]);
    return [found[0]![1], found[0]![2]];
  };
  /** Enables it with one pair of I/O queues. */
  const start = (): void => {
    enable();
    const size = (ENTRIES - 1) << 16;
    expect(run(0, 5, { prp1: ringOf(1) + 0x8000, words: [size | 1, (1 << 16) | 3] })).toEqual([0, 0]);
    expect(run(0, 1, { prp1: ringOf(1), words: [size | 1, (1 << 16) | 1] })).toEqual([0, 0]);
  };
  const bytes = (address: number, length: number): Uint8Array => ram.peek(address, length)!.slice();
  const tools = { bytes, enable, get, place, put, ring, ringOf, run, set, start, take };
  return { device, errors, intx, messages, mmio, ram, store, ...tools };
}

deviceConformance("nvme", () => {
  const { device, place, start } = makeNvme();
  start();
  return {
    device,
    ranges: [
      { handler: device.registerHandler, length: 0x40 },
      { handler: device.registerHandler, length: 0x1050 },
      { handler: device.msix.handler, length: 0x1000 },
    ],
    pokes: [() => place()],
  };
});

describe("nvme", () => {
  it("survives half-valid commands", () => {
    const { device, get, ram, set, start } = makeNvme();
    const random = randomSource(5);
    let alive = 0;
    for (let round = 0; round < 400; round++) {
      if (get(Reg.Status) !== 1 || random() % 16 === 0) {
        device.reset();
        device.pci.config.write(0x10, 4, BAR0);
        device.pci.config.write(4, 2, 6);
        start();
      }
      for (let i = 0; i < 0x1000; i += 8) ram.setU64(DATA + i, BigInt(random() % (2 * RAM_SIZE)) & ~0xfffn);
      for (const queue of [0, 1]) {
        const at = RINGS * (queue + 1);
        for (let i = 0; i < ENTRIES * 64; i += 4) ram.setU32(at + i, random() % 8 === 0 ? random() : random() % 16);
        for (let i = 0; i < ENTRIES; i++) ram.setU32(at + i * 64 + 24, DATA + (random() % 64) * 8);
        set(Reg.Doorbells + queue * 8, random() % ENTRIES);
        set(Reg.Doorbells + queue * 8 + 4, random() % ENTRIES);
      }
      if (get(Reg.Status) === 1) alive++;
    }
    expect(alive).toBeGreaterThan(100);
  });

  it("becomes ready, and is reset by its enable bit", () => {
    const { enable, get, set } = makeNvme();
    expect([get(Reg.CapabilitiesLow), get(Reg.CapabilitiesHigh), get(Reg.Version)]).toEqual([
      0x0a01_03ff, 0x20, 0x1_0400,
    ]);
    expect(get(Reg.Status)).toBe(0);
    enable();
    expect(get(Reg.Status)).toBe(1);
    set(Reg.Configuration, 0);
    expect(get(Reg.Status)).toBe(0);
    // Pages of 8 KiB.
    set(Reg.Configuration, 0x0046_0081);
    expect(get(Reg.Status)).toBe(2);
  });

  it("identifies itself", () => {
    const { bytes, enable, ram, run } = makeNvme();
    enable();
    expect(run(0, 6, { namespace: 0, words: [1] })).toEqual([0, 0]);
    expect(String.fromCharCode(...bytes(DATA + 4, 8))).toBe("disk-0  ");
    expect([ram.u8(DATA + 77), ram.u32(DATA + 516), ram.u16(DATA + 520)]).toEqual([8, 1, 0x0c]);
    expect(run(0, 6, { words: [0] })).toEqual([0, 0]);
    expect([ram.u64(DATA), ram.u8(DATA + 130)]).toEqual([BigInt(BLOCKS), 9]);
    expect(run(0, 6, { namespace: 0, words: [2] })).toEqual([0, 0]);
    expect([ram.u32(DATA), ram.u32(DATA + 4)]).toEqual([1, 0]);
    expect(run(0, 6, { words: [3] })).toEqual([0, 0]);
    expect([...bytes(DATA, 7)]).toEqual([1, 8, 0, 0, 0x52, 0x54, 0]);
    expect(run(0, 6, { namespace: 2, words: [0] })[0]).toBe(0x400b);
    expect(run(0, 6, { words: [0x55] })[0]).toBe(0x4002);
    expect(run(0, 0x7f)[0]).toBe(0x4001);
  });

  it("has features and log pages", () => {
    const { enable, ram, run } = makeNvme();
    enable();
    expect(run(0, 9, { words: [7, 0x00ff_00ff] })).toEqual([0, 0x0007_0007]);
    expect(run(0, 9, { words: [6, 0] })).toEqual([0, 0]);
    expect(run(0, 10, { words: [6] })).toEqual([0, 0]);
    expect(run(0, 10, { words: [6 | (1 << 8)] })).toEqual([0, 1]);
    expect(run(0, 10, { words: [6 | (3 << 8)] })).toEqual([0, 4]);
    expect(run(0, 9, { words: [0x7e] })[0]).toBe(0x4002);
    expect(run(0, 9, { words: [0x8000_0006] })[0]).toBe(0x410d);
    expect(run(0, 2, { words: [(127 << 16) | 2] })).toEqual([0, 0]);
    expect([ram.u16(DATA + 1), ram.u8(DATA + 3)]).toEqual([303, 100]);
    expect(run(0, 2, { words: [(127 << 16) | 0x70] })[0]).toBe(0x4109);
  });

  it("reads and writes through pages and lists of pages", () => {
    const { bytes, ram, run, start, store } = makeNvme();
    start();
    expect(run(1, 2, { prp1: DATA + 512, prp2: DATA + 0x5000, words: [7, 0, 14] })).toEqual([0, 0]);
    const got = [...bytes(DATA + 512, 3584), ...bytes(DATA + 0x5000, 4096)];
    expect(got).toEqual([...store.bytes.subarray(7 * 512, 22 * 512)]);
    // A list of three pages, from the last to the first.
    const list = 0x18_0010;
    [3, 2, 1].forEach((page, i) => ram.setU64(list + 8 * i, BigInt(DATA + page * 4096)));
    for (const page of [0, 1, 2, 3]) ram.write(DATA + page * 4096, new Uint8Array(4096).fill(page + 1));
    expect(run(1, 1, { prp1: DATA, prp2: list, words: [100, 0, 31] })).toEqual([0, 0]);
    expect([0, 1, 2, 3].map((page) => store.bytes[100 * 512 + page * 4096])).toEqual([1, 4, 3, 2]);
    expect(store.log).toEqual([]);
    expect(run(1, 1, { words: [5, 0, 0x4000_0000] })).toEqual([0, 0]);
    expect(store.log).toEqual(["flush"]);
  });

  it("refuses SGLs, wrong pages, wrong blocks and wrong namespaces", () => {
    const { run, start, store } = makeNvme();
    start();
    expect(run(1, 2, { flags: 0x40, words: [0, 0, 0] })[0]).toBe(0x4002);
    expect(run(1, 2, { prp1: DATA + 1, words: [0, 0, 0] })[0]).toBe(0x4013);
    expect(run(1, 2, { prp2: DATA + 8, words: [0, 0, 15] })[0]).toBe(0x4013);
    expect(run(1, 2, { prp1: 0x8000_0000, words: [0, 0, 0] })[0]).toBe(0x4004);
    expect(run(1, 2, { words: [BLOCKS, 0, 0] })[0]).toBe(0x4080);
    expect(run(1, 2, { words: [0, 0x8000_0000, 0] })[0]).toBe(0x4080);
    expect(run(1, 2, { words: [0, 0, 0xfff] })[0]).toBe(0x4002);
    expect(run(1, 2, { namespace: 2, words: [0, 0, 0] })[0]).toBe(0x400b);
    expect(run(1, 0x55)[0]).toBe(0x4001);
    expect(store.log).toEqual([]);
  });

  it("ends lists of pages that loop", () => {
    const { ram } = makeNvme();
    const list = DATA + 0x0ff8;
    ram.setU64(list, BigInt(DATA));
    for (let i = 0; i < 511; i++) ram.setU64(DATA + 8 * i, BigInt(DATA));
    // The last entry leads to the start of its own page.
    expect(walkPrps(ram, DATA, list, 1 << 20)).toHaveLength(256);
    ram.setU64(list, BigInt(list));
    expect(walkPrps(ram, DATA, list, 1 << 20)).toBe(0x13);
  });

  it("flushes, zeroes and deallocates", () => {
    const { ram, run, start, store } = makeNvme();
    start();
    expect(run(1, 0, { namespace: 0xffff_ffff })).toEqual([0, 0]);
    expect(run(1, 8, { words: [4, 0, 3] })).toEqual([0, 0]);
    expect([4 * 512, 8 * 512 - 1].map((at) => store.bytes[at])).toEqual([0, 0]);
    ram.setU32(DATA + 4, 8);
    ram.setU64(DATA + 8, 16n);
    expect(run(1, 9, { words: [0, 4] })).toEqual([0, 0]);
    expect(store.log).toEqual(["flush", "discard 8192 4096"]);
    ram.setU64(DATA + 8, BigInt(BLOCKS));
    expect(run(1, 9, { words: [0, 4] })[0]).toBe(0x4080);
  });

  it("writes nothing to a read-only store", () => {
    const { run, start, store } = makeNvme(new MemoryStore(SIZE, true));
    start();
    for (const opcode of [1, 8, 9]) expect(run(1, opcode, { words: [0, 0, 0] })[0]).toBe(0x4182);
    expect(store.log).toEqual([]);
  });

  it("turns a failing store into media errors", () => {
    const { errors, run, start, store } = makeNvme();
    start();
    store.fails = true;
    expect(run(1, 2, { words: [0, 0, 0] })[0]).toBe(0x281);
    expect(run(1, 1, { words: [0, 0, 0] })[0]).toBe(0x280);
    expect(errors.length).toBe(2);
  });

  it("checks queues that are made and deleted", () => {
    const { ringOf, run, start } = makeNvme();
    start();
    const size = (ENTRIES - 1) << 16;
    expect(run(0, 5, { prp1: ringOf(2), words: [size | 1, 3] })[0]).toBe(0x4101);
    expect(run(0, 5, { prp1: ringOf(2), words: [size | 9, 3] })[0]).toBe(0x4101);
    expect(run(0, 5, { prp1: ringOf(2), words: [2, 3] })[0]).toBe(0x4102);
    expect(run(0, 5, { prp1: ringOf(2), words: [size | 2, 2] })[0]).toBe(0x4002);
    expect(run(0, 5, { prp1: ringOf(2), words: [size | 2, (99 << 16) | 3] })[0]).toBe(0x4108);
    expect(run(0, 1, { prp1: ringOf(2), words: [size | 2, (2 << 16) | 1] })[0]).toBe(0x4100);
    expect(run(0, 4, { words: [1] })[0]).toBe(0x410c);
    expect(run(0, 0, { words: [1] })).toEqual([0, 0]);
    expect(run(0, 4, { words: [1] })).toEqual([0, 0]);
    expect(run(0, 0, { words: [1] })[0]).toBe(0x4101);
  });

  it("deletes a queue when its commands have ended", async () => {
    const { put, ring, start, store, take } = makeNvme();
    start();
    store.slow = true;
    put(1, 2, { words: [0, 0, 0] });
    ring(1);
    const id = put(0, 0, { words: [1] });
    ring(0);
    expect(take(0)).toEqual([]);
    await store.answer();
    expect(take(1).length).toBe(1);
    expect(take(0)).toEqual([[id, 0, 0]]);
  });

  it("fetches no command whose completion would find no room", async () => {
    const { put, ring, start, store, take } = makeNvme();
    start();
    store.slow = true;
    for (let i = 0; i < ENTRIES - 1; i++) put(1, 2, { words: [i, 0, 0] });
    ring(1);
    expect(store.pending).toBe(ENTRIES - 1);
    for (let i = 0; i < 5; i++) put(1, 2, { words: [i, 0, 0] });
    ring(1);
    expect(store.pending).toBe(ENTRIES - 1);
    await store.answer();
    expect(store.pending).toBe(0);
    expect(take(1).length).toBe(ENTRIES - 1);
    expect(store.pending).toBe(5);
    expect(MAX_IN_FLIGHT).toBe(64);
  });

  it("interrupts by its pin while completions wait, and by messages", () => {
    const { device, intx, messages, mmio, put, ring, set, start, take } = makeNvme();
    start();
    put(1, 0);
    ring(1);
    expect(intx.level).toBe(true);
    set(Reg.MaskSet, 2);
    expect(intx.level).toBe(false);
    set(Reg.MaskClear, 2);
    expect(intx.level).toBe(true);
    take(1);
    expect(intx.level).toBe(false);
    mmio.write(BAR4 + 16, 4, 0xfee0_0000);
    mmio.write(BAR4 + 24, 4, 0x33);
    mmio.write(BAR4 + 28, 4, 0);
    const { config } = device.pci;
    config.write(config.get8(0x34) + 2, 2, 0x8000);
    put(1, 0);
    ring(1);
    expect([messages, intx.level]).toEqual([[0x33], false]);
  });

  it("tells of a wrong doorbell to whoever asked for events", () => {
    const { enable, put, ring, set, take } = makeNvme();
    enable();
    const id = put(0, 12);
    ring(0);
    expect(take(0)).toEqual([]);
    set(Reg.Doorbells, 500);
    expect(take(0)).toEqual([[id, 0, 0x1_0100]]);
  });

  it("stops at rings that are not memory", () => {
    const { get, ring, put, set } = makeNvme();
    set(Reg.AdminAttributes, 0xf000f);
    set(Reg.AdminSubmissionLow, 0x9000_0000);
    set(Reg.Configuration, 0x0046_0001);
    put(0, 6);
    ring(0);
    expect(get(Reg.Status)).toBe(3);
  });

  it("shuts down after a flush", () => {
    const { get, set, start, store } = makeNvme();
    start();
    set(Reg.Configuration, 0x0046_4001);
    expect([get(Reg.Status), store.log]).toEqual([9, ["flush"]]);
  });

  it("rests on pause, and forgets what a reset has ended", async () => {
    const { bytes, device, put, ring, set, start, store, take } = makeNvme();
    start();
    store.slow = true;
    put(1, 2, { words: [0, 0, 0] });
    ring(1);
    let rested = false;
    const pause = device.pause().then(() => (rested = true));
    put(1, 2, { words: [1, 0, 0] });
    ring(1);
    await Promise.resolve();
    expect([rested, store.pending]).toEqual([false, 1]);
    await store.answer();
    await pause;
    expect(take(1).length).toBe(1);
    device.resume();
    expect(store.pending).toBe(1);
    set(Reg.Configuration, 0);
    const before = bytes(DATA, 512);
    store.bytes.fill(9);
    await store.answer();
    expect(bytes(DATA, 512)).toEqual(before);
  });
});
