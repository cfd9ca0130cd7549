// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { checkQcow2 } from "./check.js";
import { createQcow2, type Qcow2Creation } from "./create.js";
import { openQcow2 } from "./open.js";
import { resizeQcow2 } from "./resize.js";

const folder = new ImageFolder();
afterAll(() => folder.remove());

describe("resizing a qcow2 image", () => {
  it.each<[string, Partial<Qcow2Creation>, boolean]>([
    ["tiny clusters, whose L1 table has to move", { clusterBits: 9 }, false],
    ["default clusters", {}, false],
    ["a backing disk longer than the image", { clusterBits: 12 }, true],
    ["a backing disk, version 2", { clusterBits: 12, version: 2 }, true],
  ])("%s", async (_label, creation, backed) => {
    const random = new Random(1);
    const base = random.bytes(3 << 20);
    folder.put("base.raw", base);
    const file = new MemoryStore();
    await createQcow2(file, {
      ...creation,
      size: 1 << 20,
      ...(backed ? { backing: { name: "base.raw", format: "raw" } } : {}),
    });
    const options = () => ({
      name: "image",
      backing: backed ? new MemoryStore(base, { readOnly: true }) : null,
      decompressor: null,
    });
    let model = new Uint8Array(1 << 20);
    if (backed) model.set(base.subarray(0, 1 << 20));
    for (const size of [5 << 20, (1 << 20) + 7 * 512, 2 << 20, 512, 9 << 20]) {
      const store = await openQcow2(file, { ...options(), readOnly: false });
      const at = random.below(model.length / 512) * 512;
      const data = random.bytes(Math.min(model.length - at, 200 * 512));
      await store.write(at, data);
      model.set(data, at);
      await store.close();
      file.closed = false;
      await resizeQcow2(file, size, options());
      file.closed = false;
      const resized = new Uint8Array(size);
      resized.set(model.subarray(0, size));
      model = resized;
      expect(await checkQcow2(file, "image")).toMatchObject({ damages: 0, leaks: 0, messages: [] });
      const again = await openQcow2(file, { ...options(), readOnly: true });
      const back = new Uint8Array(size);
      expect(again.size).toBe(size);
      await again.read(0, back);
      expect(Buffer.compare(back, model)).toBe(0);
      if (!HAS_QEMU) continue;
      folder.put("image.qcow2", file.content());
      expect(folder.check("image.qcow2")).toMatchObject({ status: 0 });
      expect(Buffer.compare(folder.disk("image.qcow2"), model)).toBe(0);
    }
  });

  it.skipIf(!HAS_QEMU)("keeps snapshots", async () => {
    folder.img("create", "-q", "-f", "qcow2", "-o", "cluster_size=512", "snap.qcow2", "1M");
    folder.io("snap.qcow2", "write -P 3 0 1M");
    folder.img("snapshot", "-c", "one", "snap.qcow2");
    const file = new MemoryStore(folder.get("snap.qcow2"));
    await resizeQcow2(file, 4 << 20, { name: "snap", backing: null, decompressor: null });
    file.closed = false;
    folder.put("snap.qcow2", file.content());
    expect(folder.check("snap.qcow2")).toMatchObject({ status: 0 });
    await expect(resizeQcow2(file, 1 << 19, { name: "snap", backing: null, decompressor: null })).rejects.toThrow(
      /has snapshots/,
    );
  });
});
