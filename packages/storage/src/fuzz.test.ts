// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { afterAll, describe, expect, it } from "vitest";
import type { ImageFile } from "./image/image-host.js";
import { openImage } from "./image/open-image.js";
import type { DiskFormat } from "./image/probe.js";
import { MemoryStore } from "./memory-store.fixture.js";
import { checkQcow2 } from "./qcow2/check.js";
import { createQcow2 } from "./qcow2/create.js";
import { openQcow2 } from "./qcow2/open.js";
import { repairQcow2 } from "./qcow2/repair.js";
import { HAS_QEMU, ImageFolder } from "./qemu.fixture.js";
import { Random } from "./random.fixture.js";
import { zlib } from "./zlib.fixture.js";

/** Damaged images of each kind. ISOLA_FUZZ_ROUNDS tries more. */
const ROUNDS = Number(process.env["ISOLA_FUZZ_ROUNDS"] ?? 150);
/** ms that an image may take from opening to closing. */
const PATIENCE = 5000;
/** An image of a few hundred KiB may not have the file grow beyond this. */
const MAX_FILE = 64 << 20;
const folder = new ImageFolder();
afterAll(() => folder.remove());

/** A file that refuses to grow without bound, as a full disk does. */
class BoundedStore extends MemoryStore {
  override resize(size: number): void | Promise<void> {
    if (size > MAX_FILE) throw new OperatorError("file-error", "the disk is full");
    return super.resize(size);
  }
}

const WILD = [0, 1, 2, 0xff, 0x7f, 0x80, 0x40, 0xc0];

/** Changes some bytes, mostly where structures are, or cuts the file. */
function damage(image: Uint8Array, random: Random, spots: readonly number[]): Uint8Array {
  let copy = image.slice();
  const count = 1 + random.below(6);
  for (let i = 0; i < count; i++) {
    const at = random.chance(85) ? random.pick(spots) + random.below(512) : random.below(copy.length);
    if (at >= copy.length) continue;
    const kind = random.below(4);
    if (kind === 0) copy[at] ^= 1 << random.below(8);
    else if (kind === 1) copy[at] = random.pick(WILD);
    else if (kind === 2) copy.fill(random.pick(WILD), at, at + random.pick([2, 4, 8, 64]));
    else copy.set(copy.subarray(random.below(copy.length)).subarray(0, 8), Math.min(at, copy.length - 8));
  }
  if (random.chance(15)) copy = copy.slice(0, random.below(copy.length));
  return copy;
}

/** Only these mean that an image is damaged; everything else is a bug. */
function expectKnown(error: unknown, round: number): void {
  if (error instanceof OperatorError && /^[^\n]+$/.test(error.message)) return;
  throw new Error(`round ${round}: ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
}

/** Uses an image as a guest would. Every single request may fail. */
async function use(bytes: Uint8Array, format: DiskFormat, readOnly: boolean, random: Random, round: number) {
  const host = {
    decompressor: zlib,
    open: (): Promise<ImageFile> => Promise.reject(new OperatorError("file-error", "there is no such file")),
  };
  const tries = async (action: () => void | Promise<void>) => {
    try {
      await action();
    } catch (error) {
      expectKnown(error, round);
    }
  };
  const file = new BoundedStore(bytes, { readOnly });
  const start = performance.now();
  await tries(async () => {
    const { store } = await openImage({ name: "image", store: file }, { format, readOnly, host });
    for (let i = 0; i < 25; i++) {
      const at = Math.floor(random.below(1 << 30) * (store.size / 2 ** 30) * random.pick([1, 1, 0.01]));
      const buffer = new Uint8Array(Math.min(store.size - at, 1 + random.below(100_000)));
      await tries(() => store.read(at, buffer));
      if (readOnly) continue;
      await tries(() => store.write(at, buffer));
      if (i % 5 === 0) await tries(() => store.discard?.(at, buffer.length));
      if (i % 7 === 0) await tries(() => store.flush());
    }
    await tries(() => store.close());
  });
  if (format === "qcow2") {
    const again = new BoundedStore(bytes);
    await tries(async () => void (await checkQcow2(again, "image")));
    await tries(() => repairQcow2(again, "image"));
  }
  expect(performance.now() - start, `ms of round ${round}`).toBeLessThan(PATIENCE);
}

async function ownImage(): Promise<Uint8Array> {
  const file = new MemoryStore();
  await createQcow2(file, { size: 8 << 20, clusterBits: 12 });
  const store = await openQcow2(file, { name: "image", readOnly: false, backing: null, decompressor: null });
  for (let at = 0; at < 8 << 20; at += 300_000) await store.write(at, new Uint8Array(10_000).fill(3));
  await store.close();
  return file.content();
}

describe("damaged images end in operator errors, and soon", () => {
  it("qcow2", { timeout: 120_000 }, async () => {
    const image = await ownImage();
    const random = new Random(1);
    // Header, L1 table, refcount table, refcount block, L2 tables.
    const spots = [0, 0, 0, 4096, 8192, 12288, 16384, 16384, 20480, 24576];
    for (let round = 0; round < ROUNDS; round++)
      await use(damage(image, random, spots), "qcow2", random.chance(30), random, round);
  });

  it.skipIf(!HAS_QEMU).each<[string, DiskFormat, string[], number[]]>([
    ["compressed qcow2", "qcow2", ["-O", "qcow2", "-c", "-o", "cluster_size=4k"], [0, 4096, 8192, 12288, 16384]],
    ["sparse VMDK", "vmdk", ["-O", "vmdk"], [0, 512, 10752, 11264, 21504]],
    ["stream-optimised VMDK", "vmdk", ["-O", "vmdk", "-o", "subformat=streamOptimized"], [0, 512, 65536, 66048]],
    ["dynamic VHD", "vhd", ["-O", "vpc"], [0, 512, 1024, 1536, 2048]],
    ["VHDX", "vhdx", ["-O", "vhdx"], [65536, 131072, 196608, 2 << 20, (2 << 20) + 65536, 3 << 20]],
  ])("%s", { timeout: 120_000 }, async (_label, format, options, spots) => {
    const random = new Random(options.length);
    const disk = new Uint8Array(4 << 20);
    for (let at = 0; at < disk.length; at += 300_000) disk.set(random.bytes(10_000), at);
    folder.put("disk.raw", disk);
    folder.img("convert", "-f", "raw", ...options, "disk.raw", "image");
    const image = folder.get("image");
    for (let round = 0; round < ROUNDS / 2; round++)
      await use(damage(image, random, spots), format, format !== "qcow2", random, round);
  });
});
