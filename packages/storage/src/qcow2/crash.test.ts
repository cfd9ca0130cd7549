// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { RecordingStore } from "../recording-store.fixture.js";
import { checkQcow2 } from "./check.js";
import { createQcow2 } from "./create.js";
import { openQcow2 } from "./open.js";
import { repairQcow2 } from "./repair.js";

const SECTOR = 512;
const OPERATIONS = 150;
/** So many cuts are tried, evenly over all that was done; ISOLA_CRASH_CUTS=all tries every one. */
const CUTS = process.env["ISOLA_CRASH_CUTS"] === "all" ? Infinity : 40;
/** QEMU looks at each of so many of them. */
const QEMU_EVERY = 8;
const folder = new ImageFolder();
afterAll(() => folder.remove());

/** Which stamps a sector may have; a stamp fills the sector, 0 stands for zeros. */
class Allowed {
  private readonly stamps: Set<number>[];

  constructor(initial: readonly number[]) {
    this.stamps = initial.map((stamp) => new Set([stamp]));
  }

  /** A sector was written, not yet flushed. */
  also(sector: number, stamp: number): void {
    this.stamps[sector].add(stamp);
  }

  /** What the sectors are now is durable. */
  only(current: readonly number[]): void {
    current.forEach((stamp, sector) => this.stamps[sector].size > 1 && (this.stamps[sector] = new Set([stamp])));
  }

  copy(): Allowed {
    const copy = new Allowed([]);
    for (const stamps of this.stamps) copy.stamps.push(new Set(stamps));
    return copy;
  }

  expectIn(disk: Uint8Array, where: string): void {
    const words = new Uint32Array(disk.buffer, disk.byteOffset, disk.length / 4);
    this.stamps.forEach((stamps, sector) => {
      const at = (sector * SECTOR) / 4;
      const found = words[at];
      const whole = words.subarray(at, at + SECTOR / 4).every((word) => word === found);
      if (!whole || !stamps.has(found))
        throw new Error(`${where}: sector ${sector} has ${found}, allowed are ${[...stamps].join(" ")}`);
    });
  }
}

const stamped = (from: number, stamps: readonly number[]) => {
  const words = new Uint32Array((stamps.length * SECTOR) / 4);
  stamps.forEach((stamp, i) => words.fill(stamp, (i * SECTOR) / 4, ((i + 1) * SECTOR) / 4));
  return { at: from * SECTOR, data: new Uint8Array(words.buffer) };
};

interface Setting {
  readonly label: string;
  readonly seed: number;
  readonly sectors: number;
  readonly clusterBits: number;
  readonly refcountOrder?: number;
  readonly backing?: boolean;
  /** Made by QEMU from the image after a first round of writes. */
  readonly snapshot?: boolean;
}

const SETTINGS: readonly Setting[] = [
  { label: "4 KiB clusters", seed: 1, sectors: 1500, clusterBits: 12 },
  { label: "tiny clusters and a refcount table that moves", seed: 2, sectors: 5000, clusterBits: 9, refcountOrder: 6 },
  { label: "tiny clusters", seed: 3, sectors: 1000, clusterBits: 9 },
  { label: "a backing disk", seed: 4, sectors: 600, clusterBits: 11, backing: true },
  { label: "an internal snapshot", seed: 5, sectors: 800, clusterBits: 10, snapshot: true },
];

describe.each(SETTINGS)("qcow2 through a power cut, $label", (setting) => {
  const { seed, sectors, clusterBits, refcountOrder = 4 } = setting;
  it.skipIf(setting.snapshot === true && !HAS_QEMU)("has what was flushed, and leaks at worst", async () => {
    const random = new Random(seed);
    const initial = Array.from({ length: sectors }, (_, i) => (setting.backing === true ? 0x1000_0000 + i : 0));
    const base = stamped(0, initial).data;
    const open = (file: RecordingStore | MemoryStore) =>
      openQcow2(file, {
        name: "image",
        readOnly: false,
        backing: setting.backing === true ? new MemoryStore(base, { readOnly: true }) : null,
        decompressor: null,
      });
    const first = new MemoryStore();
    const backing = setting.backing === true ? { backing: { name: "base.raw", format: "raw" } } : {};
    await createQcow2(first, { size: sectors * SECTOR, clusterBits, refcountOrder, ...backing });
    folder.put("base.raw", base);
    let start = first.content();
    const current = [...initial];
    if (setting.snapshot === true) {
      const store = await open(first);
      for (let sector = 0; sector < sectors; sector += 3) {
        current[sector] = 0x2000_0000 + sector;
        const { at, data } = stamped(sector, [current[sector]]);
        await store.write(at, data);
      }
      await store.close();
      folder.put("start.qcow2", first.content());
      folder.img("snapshot", "-c", "before", "start.qcow2");
      start = folder.get("start.qcow2");
    }
    const snapshotDisk = stamped(0, current).data;

    const recording = new RecordingStore(start);
    const store = await open(recording);
    const allowed = new Allowed(current);
    /** What may be on the disk from this operation of the file on. */
    const history: { readonly from: number; readonly allowed: Allowed }[] = [{ from: 0, allowed: allowed.copy() }];
    let stamp = 1;
    for (let i = 0; i < OPERATIONS; i++) {
      const action = random.below(100);
      const from = random.below(sectors);
      const count = Math.min(sectors - from, 1 + random.below(random.pick([1, 8, 200])));
      if (action < 65) {
        const stamps = Array.from({ length: count }, () => stamp++);
        stamps.forEach((value, k) => {
          current[from + k] = value;
          allowed.also(from + k, value);
        });
        history.push({ from: recording.log.length, allowed: allowed.copy() });
        const { at, data } = stamped(from, stamps);
        await store.write(at, data);
      } else if (action < 80) {
        for (let k = from; k < from + count; k++) allowed.also(k, 0);
        history.push({ from: recording.log.length, allowed: allowed.copy() });
        await store.discard?.(from * SECTOR, count * SECTOR);
        const back = new Uint8Array(count * SECTOR);
        await store.read(from * SECTOR, back);
        for (let k = 0; k < count; k++) current[from + k] = new Uint32Array(back.buffer, k * SECTOR, 1)[0];
      } else {
        await store.flush();
        allowed.only(current);
        history.push({ from: recording.log.length, allowed: allowed.copy() });
      }
    }
    await store.close();

    const cuts = recording.log.length;
    let next = 0;
    const step = Math.max(1, Math.floor(cuts / CUTS));
    for (let cut = random.below(step); cut <= cuts; cut += step) {
      while (next + 1 < history.length && history[next + 1].from <= cut) next++;
      const content = recording.afterCut(cut, random);
      const where = `cut before operation ${cut} of ${cuts}`;
      const found = await checkQcow2(new MemoryStore(content), "image");
      expect({ where, ...found }).toMatchObject({ damages: 0, messages: [] });
      const file = new MemoryStore(content);
      const again = await open(file);
      const disk = new Uint8Array(sectors * SECTOR);
      await again.read(0, disk);
      history[next].allowed.expectIn(disk, where);
      // The disk can be used as before.
      const { at, data } = stamped(random.below(sectors), [0x7fff_ffff]);
      await again.write(at, data);
      disk.set(data, at);
      await again.close();
      if (Math.floor(cut / step) % QEMU_EVERY !== 0 || !HAS_QEMU) continue;
      folder.put("cut.qcow2", content);
      expect([0, 3]).toContain(folder.check("cut.qcow2").status);
      const mended = new MemoryStore(content);
      await repairQcow2(mended, "image");
      folder.put("mended.qcow2", mended.content());
      expect(folder.check("mended.qcow2")).toMatchObject({ status: 0 });
      folder.put("used.qcow2", file.content());
      expect([0, 3]).toContain(folder.check("used.qcow2").status);
      expect(Buffer.compare(folder.disk("used.qcow2"), disk)).toBe(0);
      if (setting.snapshot !== true) continue;
      folder.img("convert", "-l", "before", "-O", "raw", "used.qcow2", "snapshot.raw");
      expect(Buffer.compare(folder.get("snapshot.raw"), snapshotDisk)).toBe(0);
    }
  });
});
