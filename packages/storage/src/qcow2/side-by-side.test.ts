// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { Random } from "../random.fixture.js";
import { RecordingStore } from "../recording-store.fixture.js";
import { checkQcow2 } from "./check.js";
import { createQcow2 } from "./create.js";
import { openQcow2 } from "./open.js";

const SECTOR = 512;
const LANES = 8;
const ROUNDS = 40;

/** The values that a sector was given, oldest first, and which of them may be found after a power cut. */
class SectorHistory {
  readonly values = [0];
  /** How many values were written for sure. */
  done = 1;
  /** The first value that may still be found. */
  first = 0;
}

const filled = (value: number) => new Uint8Array(new Uint32Array(SECTOR / 4).fill(value).buffer);
const valueOf = (disk: Uint8Array, sector: number) => new DataView(disk.buffer).getUint32(sector * SECTOR, true);

/** What may be on the disk when the file's log has got to `at`. */
interface Moment {
  readonly at: number;
  readonly allowed: readonly ReadonlySet<number>[];
}

describe.each([9, 11, 13])("requests side by side on a file that answers later, clusters of 2^%i", (clusterBits) => {
  it("are kept apart, and a flush covers what was answered before", async () => {
    const random = new Random(clusterBits);
    const sectors = 64 * LANES;
    const first = new MemoryStore();
    await createQcow2(first, { size: sectors * SECTOR, clusterBits });
    const recording = new RecordingStore(first.content(), true);
    const store = await openQcow2(recording, { name: "image", readOnly: false, backing: null, decompressor: null });
    const history = Array.from({ length: sectors }, () => new SectorHistory());
    const moments: Moment[] = [];
    const remember = () => {
      const allowed = history.map(({ values, first: from }) => new Set(values.slice(from)));
      moments.push({ at: recording.log.length, allowed });
    };
    remember();
    let stamp = 1;

    // Lanes have every eighth sector, so that they meet in clusters; within a lane, one request follows the other.
    const lane = async (number: number) => {
      for (let round = 0; round < ROUNDS; round++) {
        const sector = random.below(sectors / LANES) * LANES + number;
        const sectorHistory = history[sector];
        const action = random.below(100);
        if (action < 55) {
          const value = stamp++;
          sectorHistory.values.push(value);
          remember();
          await store.write(sector * SECTOR, filled(value));
          sectorHistory.done = sectorHistory.values.length;
        } else if (action < 90) {
          const back = new Uint8Array(SECTOR);
          await store.read(sector * SECTOR, back);
          expect(valueOf(back, 0)).toBe(sectorHistory.values.at(-1));
        } else {
          const done = history.map((one) => one.done);
          await store.flush();
          history.forEach((one, i) => (one.first = Math.max(one.first, done[i] - 1)));
          remember();
        }
      }
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
    await store.close();

    const disk = new Uint8Array(sectors * SECTOR);
    const read = async (content: Uint8Array) => {
      const file = new MemoryStore(content);
      expect(await checkQcow2(file, "image")).toMatchObject({ damages: 0, messages: [] });
      const again = await openQcow2(file, { name: "image", readOnly: true, backing: null, decompressor: null });
      await again.read(0, disk);
    };
    await read(recording.afterCut(recording.log.length, random));
    for (let cut = 0; cut <= recording.log.length; cut += 1 + random.below(16)) {
      await read(recording.afterCut(cut, random));
      const { allowed } = moments.findLast(({ at }) => at <= cut) ?? moments[0];
      const wrong = allowed.findIndex((values, sector) => !values.has(valueOf(disk, sector)));
      expect(wrong, `sector that is wrong after cut ${cut} of ${recording.log.length}`).toBe(-1);
    }
  });
});
