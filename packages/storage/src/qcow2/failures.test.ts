// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { Random } from "../random.fixture.js";
import { checkQcow2 } from "./check.js";
import { createQcow2 } from "./create.js";
import { openQcow2 } from "./open.js";

const SECTOR = 512;

/** A file on a disk that is full now and then. */
class FailingStore extends MemoryStore {
  /** Of a hundred changes, so many fail. */
  failing = 0;

  constructor(
    private readonly random: Random,
    later: boolean,
  ) {
    super(0, { later });
  }

  override write(offset: number, buffer: Uint8Array): void | Promise<void> {
    this.mayFail();
    return super.write(offset, buffer);
  }

  override resize(size: number): void | Promise<void> {
    this.mayFail();
    return super.resize(size);
  }

  override flush(): void | Promise<void> {
    this.mayFail();
    return super.flush();
  }

  private mayFail(): void {
    if (this.random.chance(this.failing)) throw new OperatorError("file-error", "the disk is full");
  }
}

describe.each([
  [9, 6, false],
  [10, 4, true],
  [12, 4, false],
])("a qcow2 image whose file fails, clusters of 2^%i, refcounts of 2^%i bits", (clusterBits, refcountOrder, later) => {
  it("fails those requests only, and is sound when the file works again", async () => {
    const random = new Random(clusterBits);
    const file = new FailingStore(random, later);
    const sectors = 4000;
    await createQcow2(file, { size: sectors * SECTOR, clusterBits, refcountOrder });
    const options = { name: "image", readOnly: false, backing: null, decompressor: null };
    let store = await openQcow2(file, options);
    const model = new Uint8Array(sectors * SECTOR);
    /** Sectors of which nobody can say what they are. */
    const unknown = new Set<number>();
    let failures = 0;
    for (let round = 0; round < 800; round++) {
      file.failing = Math.floor(round / 100) % 2 === 0 ? 10 : 0;
      const from = random.below(sectors);
      const count = Math.min(sectors - from, 1 + random.below(40));
      const at = from * SECTOR;
      const data = random.bytes(count * SECTOR);
      const action = random.below(100);
      try {
        if (action < 60) {
          await store.write(at, data);
          model.set(data, at);
          for (let sector = from; sector < from + count; sector++) unknown.delete(sector);
        } else if (action < 80) {
          await store.zero(at, data.length);
          model.fill(0, at, at + data.length);
          for (let sector = from; sector < from + count; sector++) unknown.delete(sector);
        } else {
          await store.flush();
        }
      } catch (error) {
        expect(error).toBeInstanceOf(OperatorError);
        failures++;
        if (action < 80) for (let sector = from; sector < from + count; sector++) unknown.add(sector);
      }
      if (round % 97 !== 96) continue;
      file.failing = 0;
      await store.close();
      file.closed = false;
      expect(await checkQcow2(file, "image")).toMatchObject({ damages: 0, leaks: 0, messages: [] });
      store = await openQcow2(file, options);
      const disk = new Uint8Array(model.length);
      await store.read(0, disk);
      for (const sector of unknown) model.set(disk.subarray(sector * SECTOR, (sector + 1) * SECTOR), sector * SECTOR);
      unknown.clear();
      expect(Buffer.compare(disk, model)).toBe(0);
    }
    expect(failures).toBeGreaterThan(50);
  });
});
