// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { checkQcow2 } from "./check.js";
import { createQcow2, type Qcow2Creation } from "./create.js";
import { openQcow2 } from "./open.js";

const SECTOR = 512;
const folder = new ImageFolder();
afterAll(() => folder.remove());

interface Setting extends Qcow2Creation {
  readonly label: string;
  readonly seed: number;
  /** Size of a raw backing disk. */
  readonly backingSize?: number;
  readonly later?: boolean;
}

const SETTINGS: readonly Setting[] = [
  { label: "as by default", size: 6 << 20, seed: 1 },
  { label: "tiny clusters", size: 1 << 20, clusterBits: 9, seed: 2 },
  {
    label: "tiny clusters, 64-bit refcounts: the table grows",
    size: 8 << 20,
    clusterBits: 9,
    refcountOrder: 6,
    seed: 3,
  },
  { label: "1-bit refcounts", size: 3 << 20, clusterBits: 12, refcountOrder: 0, seed: 4 },
  { label: "4-bit refcounts", size: 3 << 20, clusterBits: 10, refcountOrder: 2, seed: 5 },
  { label: "large clusters", size: 9 << 20, clusterBits: 21, seed: 6 },
  { label: "version 2", size: 2 << 20, clusterBits: 12, version: 2, seed: 7 },
  { label: "a backing disk", size: 2 << 20, clusterBits: 12, backingSize: 2 << 20, seed: 8 },
  { label: "a smaller backing disk", size: (2 << 20) + 512, clusterBits: 14, backingSize: (1 << 20) - 1024, seed: 9 },
  {
    label: "version 2 with a backing disk",
    size: 1 << 20,
    clusterBits: 10,
    version: 2,
    backingSize: 1 << 19,
    seed: 10,
  },
  { label: "a file that answers later", size: 2 << 20, clusterBits: 10, later: true, seed: 11 },
  {
    label: "a file that answers later, over a backing",
    size: 1 << 20,
    clusterBits: 9,
    backingSize: 1 << 20,
    later: true,
    seed: 12,
  },
];

describe.each(SETTINGS)("qcow2, $label", (setting) => {
  it("keeps what is written, through reopening, as QEMU reads it", async () => {
    const random = new Random(setting.seed);
    const { backingSize, later = false, size } = setting;
    const backing = backingSize === undefined ? null : random.bytes(backingSize);
    const creation = backing === null ? setting : { ...setting, backing: { name: "base.raw", format: "raw" } };
    const file = new MemoryStore(0, { later });
    await createQcow2(file, creation);
    const model = new Uint8Array(size);
    if (backing !== null) model.set(backing.subarray(0, Math.min(size, backing.length)));
    const open = () =>
      openQcow2(file, {
        name: "image",
        readOnly: false,
        backing: backing === null ? null : new MemoryStore(backing, { readOnly: true, later }),
        decompressor: null,
      });
    let store = await open();
    expect(store.size).toBe(size);
    for (let round = 0; round < 300; round++) {
      const sectors = size / SECTOR;
      const from = random.below(sectors);
      const most = random.chance(10) ? 600 : random.pick([1, 8, 64]);
      const at = from * SECTOR;
      const length = Math.min(sectors - from, 1 + random.below(most)) * SECTOR;
      const action = random.below(100);
      if (action < 50) {
        const data = random.chance(20) ? new Uint8Array(length) : random.bytes(length);
        await store.write(at, data);
        model.set(data, at);
      } else if (action < 80) {
        const back = new Uint8Array(length).fill(0xee);
        await store.read(at, back);
        expect(Buffer.compare(back, model.subarray(at, at + length))).toBe(0);
      } else if (action < 88) {
        const before = model.slice(at, at + length);
        await store.discard?.(at, length);
        const back = new Uint8Array(length);
        await store.read(at, back);
        for (let i = 0; i < length; i++) if (back[i] !== 0 && back[i] !== before[i]) expect(i).toBe(-1);
        model.set(back, at);
      } else if (action < 91) {
        await store.zero(at, length);
        model.fill(0, at, at + length);
      } else if (action < 97) {
        await store.flush();
      } else {
        await store.close();
        file.closed = false;
        store = await open();
      }
    }
    const all = new Uint8Array(size);
    await store.read(0, all);
    expect(Buffer.compare(all, model)).toBe(0);
    await store.close();
    file.closed = false;
    expect(await checkQcow2(file, "image")).toMatchObject({ damages: 0, leaks: 0, messages: [], dirty: false });
    if (!HAS_QEMU) return;
    if (backing !== null) folder.put("base.raw", backing);
    folder.put("image.qcow2", file.content());
    expect(folder.check("image.qcow2")).toMatchObject({ status: 0 });
    expect(Buffer.compare(folder.disk("image.qcow2"), model)).toBe(0);
  });
});
