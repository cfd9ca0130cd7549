// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { VirtioBench } from "../conformance/virtio-driver.js";
import { deviceConformance } from "../conformance/suite.js";
import { BAR4_BASE } from "../conformance/virtio-driver.js";
import { Common, Region } from "../virtio/registers.js";
import { VirtioBlk } from "./device.js";

const SECTORS = 64;

class MemoryStore implements BlockStore {
  readonly bytes = new Uint8Array(SECTORS * 512);
  readonly log: string[] = [];
  readonly size = this.bytes.length;

  constructor(readonly readOnly = false) {}

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    this.log.push(`read ${offset} ${buffer.length}`);
    buffer.set(this.bytes.subarray(offset, offset + buffer.length));
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    this.log.push(`write ${offset} ${buffer.length}`);
    this.bytes.set(buffer, offset);
  }

  flush(): void | Promise<void> {
    this.log.push("flush");
  }

  discard(offset: number, length: number): void | Promise<void> {
    this.log.push(`discard ${offset} ${length}`);
  }

  close(): void {}
}

/** Answers when told to. */
class SlowStore extends MemoryStore {
  private waiting: (() => void)[] = [];

  override read(offset: number, buffer: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        void super.read(offset, buffer);
        resolve();
      });
    });
  }

  override write(offset: number, buffer: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(() => {
        void super.write(offset, buffer);
        resolve();
      });
    });
  }

  get pending(): number {
    return this.waiting.length;
  }

  /** Answers everything that waits now. */
  async answer(): Promise<void> {
    const waiting = this.waiting;
    this.waiting = [];
    for (const run of waiting) run();
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

function header(type: number, sector: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(8, sector % 2 ** 32, true);
  view.setUint32(12, Math.floor(sector / 2 ** 32), true);
  return bytes;
}

function range(sector: number, sectors: number, flags = 0): Uint8Array {
  const bytes = header(0, 0);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sector, true);
  view.setUint32(8, sectors, true);
  view.setUint32(12, flags, true);
  return bytes;
}

function makeDisk<S extends MemoryStore>(store: S, features: readonly number[] = []) {
  const errors: unknown[] = [];
  const blk = new VirtioBlk({ store, serial: "disk-0", onStoreError: (error) => errors.push(error) });
  const bench = new VirtioBench(blk).start(features);
  /** Starts a request; `status()` is 0xee until the device has answered. */
  const request = (type: number, sector: number, data: { data?: Uint8Array; room?: number }[] = []) => {
    const addresses = bench.add(0, [{ data: header(type, sector) }, ...data, { room: 1 }]);
    const statusAt = addresses.at(-1)!;
    bench.ram.setU8(statusAt, 0xee);
    bench.kick(0);
    return { buffer: addresses[1]!, status: () => bench.ram.u8(statusAt) };
  };
  return { bench, blk, store, request, errors };
}

deviceConformance("virtio-blk", () => {
  const { bench } = makeDisk(new MemoryStore());
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => bench.start(), () => bench.kick(0)],
  };
});

describe("virtio-blk", () => {
  it("tells its size and limits", () => {
    const { bench } = makeDisk(new MemoryStore());
    const config = BAR4_BASE + Region.Device;
    expect(bench.mmio.read(config, 4)).toBe(SECTORS);
    expect(bench.mmio.read(config + 12, 4)).toBe(126);
    expect(bench.mmio.read(config + 20, 4)).toBe(512);
    expect(bench.mmio.read(config + 60, 4)).toBe(0);
  });

  it("reads and writes", () => {
    const { bench, request, store } = makeDisk(new MemoryStore());
    const data = Uint8Array.from({ length: 1024 }, (_, i) => i * 7);
    const write = request(1, 3, [{ data: data.subarray(0, 300) }, { data: data.subarray(300) }]);
    expect(write.status()).toBe(0);
    expect([...store.bytes.subarray(3 * 512, 5 * 512)]).toEqual([...data]);
    const read = request(0, 3, [{ room: 1024 }]);
    expect(read.status()).toBe(0);
    expect(bench.bytes(read.buffer, 1024)).toEqual([...data]);
    expect(bench.takeUsed(0).map(([, length]) => length)).toEqual([1, 1025]);
    expect(bench.intx.level).toBe(true);
  });

  it("flushes, identifies itself, discards and zeroes", () => {
    const { bench, request, store } = makeDisk(new MemoryStore(), [13, 14]);
    expect(request(4, 0).status()).toBe(0);
    const id = request(8, 0, [{ room: 20 }]);
    expect(String.fromCharCode(...bench.bytes(id.buffer, 8))).toBe("disk-0\0\0");
    expect(request(11, 0, [{ data: range(2, 4) }]).status()).toBe(0);
    store.bytes.fill(1);
    expect(request(13, 0, [{ data: range(1, 2, 1) }]).status()).toBe(0);
    expect([511, 512, 1535, 1536].map((at) => store.bytes[at])).toEqual([1, 0, 0, 1]);
    expect(store.log).toEqual(["flush", "discard 1024 2048", "write 512 1024"]);
  });

  it("refuses what is outside the disk, ragged or unknown", () => {
    const { request, store } = makeDisk(new MemoryStore());
    expect(request(0, SECTORS, [{ room: 512 }]).status()).toBe(1);
    expect(request(0, SECTORS - 1, [{ room: 1024 }]).status()).toBe(1);
    expect(request(0, 2 ** 63, [{ room: 512 }]).status()).toBe(1);
    expect(request(0, 0, [{ room: 100 }]).status()).toBe(1);
    expect(request(99, 0, [{ room: 512 }]).status()).toBe(2);
    expect(request(11, 0, [{ data: range(SECTORS, 1) }]).status()).toBe(1);
    expect(request(11, 0, [{ data: range(0, 1, 1) }]).status()).toBe(2);
    expect(request(13, 0, [{ data: range(0, 0xffff_ffff) }]).status()).toBe(1);
    expect(request(13, 0, [{ data: new Uint8Array(17) }]).status()).toBe(1);
    expect(store.log).toEqual([]);
  });

  it("is read-only on a read-only store", () => {
    const { bench, request } = makeDisk(new MemoryStore(true));
    bench.setCommon(Common.DeviceFeatureSelect, 4, 0);
    expect(bench.common(Common.DeviceFeature, 4) & 0x6020).toBe(0x20);
    expect(request(1, 0, [{ data: new Uint8Array(512) }]).status()).toBe(1);
    expect(request(13, 0, [{ data: range(0, 1) }]).status()).toBe(1);
  });

  it("turns a failing store into an I/O error, and tells its owner", async () => {
    const store = new MemoryStore();
    const { request, errors } = makeDisk(store);
    store.read = () => {
      throw new Error("disk on fire");
    };
    expect(request(0, 0, [{ room: 512 }]).status()).toBe(1);
    store.write = () => Promise.reject(new Error("disk on fire"));
    const late = request(1, 0, [{ data: new Uint8Array(512) }]);
    expect(late.status()).toBe(0xee);
    await settled();
    expect(late.status()).toBe(1);
    expect(errors).toEqual([new Error("disk on fire"), new Error("disk on fire")]);
    expect(request(0, SECTORS, [{ room: 512 }]).status()).toBe(1);
    expect(errors.length).toBe(2);
  });

  it("answers late requests out of band and bounds how many are under way", async () => {
    const { bench, blk, request, store } = makeDisk(new SlowStore());
    const read = request(0, 1, [{ room: 512 }]);
    store.bytes.fill(9);
    expect(read.status()).toBe(0xee);
    expect(bench.intx.level).toBe(false);
    await store.answer();
    expect(read.status()).toBe(0);
    expect(bench.bytes(read.buffer, 2)).toEqual([9, 9]);
    expect(bench.intx.level).toBe(true);
    expect(blk.queueSizes).toEqual([256]);
  });

  it("takes no more requests than it may have under way", async () => {
    const store = new SlowStore();
    const bench = new VirtioBench(new VirtioBlk({ store, serial: "" })).start([], 256);
    for (let i = 0; i < 60; i++) bench.add(0, [{ data: header(0, 0) }, { room: 512 }, { room: 1 }]);
    bench.kick(0);
    expect(store.pending).toBe(32);
    await store.answer();
    expect(store.pending).toBe(28);
    await store.answer();
    expect(bench.takeUsed(0).length).toBe(60);
  });

  it("touches no guest memory for requests that a reset has forgotten", async () => {
    const { bench, request, store } = makeDisk(new SlowStore());
    store.bytes.fill(7);
    const read = request(0, 0, [{ room: 512 }]);
    bench.setCommon(Common.DeviceStatus, 1, 0);
    bench.start();
    await store.answer();
    expect(read.status()).toBe(0xee);
    expect(bench.bytes(read.buffer, 1)).toEqual([0]);
    expect(bench.takeUsed(0)).toEqual([]);
  });

  it("rests on pause and takes up what came meanwhile", async () => {
    const { bench, request, store } = makeDisk(new SlowStore());
    const first = request(0, 0, [{ room: 512 }]);
    let rested = false;
    const pause = bench.device.pause().then(() => (rested = true));
    await settled();
    expect(rested).toBe(false);
    const second = request(0, 1, [{ room: 512 }]);
    await store.answer();
    await pause;
    expect(first.status()).toBe(0);
    expect(store.pending).toBe(0);
    bench.device.resume();
    await store.answer();
    expect(second.status()).toBe(0);
  });

  it("moves large requests in pieces", () => {
    const big = new MemoryStore();
    Object.defineProperty(big, "size", { value: 1 << 24 });
    big.read = (offset, buffer) => {
      big.log.push(`${offset} ${buffer.length}`);
    };
    const { request } = makeDisk(big);
    expect(request(0, 0, [{ room: (1 << 18) + 512 }]).status()).toBe(0);
    expect(big.log).toEqual(["0 262144", "262144 512"]);
  });

  it("asks for a reset when header or status is missing", () => {
    const { bench } = makeDisk(new MemoryStore());
    bench.add(0, [{ data: header(0, 0) }]);
    bench.add(0, [{ data: header(4, 0) }, { room: 1 }]);
    bench.kick(0);
    expect(bench.failures).toEqual(["block request without header or status"]);
    expect(bench.takeUsed(0)).toEqual([]);
  });
});
