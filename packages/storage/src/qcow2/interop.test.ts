// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { zlib } from "../zlib.fixture.js";
import { checkQcow2 } from "./check.js";
import { openQcow2 } from "./open.js";
import { repairQcow2 } from "./repair.js";

const SIZE = 3 << 20;
const folder = new ImageFolder();
afterAll(() => folder.remove());

/** A disk with data, repeated bytes and holes. */
function someDisk(random: Random): Uint8Array {
  const disk = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 1 << 15) {
    const kind = random.below(3);
    if (kind === 0) disk.set(random.bytes(1 << 15), at);
    if (kind === 1) disk.fill(random.below(256), at, at + (1 << 15));
  }
  return disk;
}

const open = (file: MemoryStore, backing: Uint8Array | null = null) =>
  openQcow2(file, {
    name: "image",
    readOnly: file.readOnly,
    backing: backing === null ? null : new MemoryStore(backing, { readOnly: true }),
    decompressor: zlib,
  });

/** Reads and overwrites an image that QEMU made, and lets QEMU look at the result. */
async function useImage(name: string, expected: Uint8Array, random: Random, backing: Uint8Array | null = null) {
  const file = new MemoryStore(folder.get(name));
  const model = expected.slice();
  const store = await open(file, backing);
  expect(store.size).toBe(model.length);
  const all = new Uint8Array(model.length);
  await store.read(0, all);
  expect(Buffer.compare(all, model)).toBe(0);
  for (let i = 0; i < 60; i++) {
    const at = random.below(model.length / 512) * 512;
    const data = random.bytes(Math.min(model.length - at, 512 * (1 + random.below(100))));
    await store.write(at, data);
    model.set(data, at);
    const back = new Uint8Array(data.length);
    await store.read(at, back);
    expect(Buffer.compare(back, data)).toBe(0);
  }
  await store.close();
  folder.put(name, file.content());
  expect(folder.check(name)).toMatchObject({ status: 0 });
  expect(Buffer.compare(folder.disk(name), model)).toBe(0);
  file.closed = false;
  expect(await checkQcow2(file, name)).toMatchObject({ damages: 0, leaks: 0 });
}

describe.skipIf(!HAS_QEMU)("qcow2 images that QEMU made", () => {
  it.each([
    ["plain", []],
    ["version 2", ["-o", "compat=0.10"]],
    ["small clusters", ["-o", "cluster_size=512"]],
    ["large clusters", ["-o", "cluster_size=2M"]],
    ["8-bit refcounts", ["-o", "refcount_bits=8"]],
    ["1-bit refcounts", ["-o", "refcount_bits=1"]],
    ["64-bit refcounts", ["-o", "refcount_bits=64,cluster_size=4k"]],
    ["lazy refcounts", ["-o", "lazy_refcounts=on"]],
    ["compressed by deflate", ["-c"]],
    ["compressed by deflate, small clusters", ["-c", "-o", "cluster_size=4k"]],
    ["compressed by zstd", ["-c", "-o", "compression_type=zstd"]],
    ["preallocated tables", ["-o", "preallocation=metadata"]],
  ])("%s", async (label, options) => {
    const random = new Random(label.length);
    const disk = someDisk(random);
    folder.put("disk.raw", disk);
    folder.img("convert", "-f", "raw", "-O", "qcow2", ...options, "disk.raw", "image.qcow2");
    await useImage("image.qcow2", disk, random);
  });

  it("over a backing image", async () => {
    const random = new Random(77);
    const base = someDisk(random);
    folder.put("base.raw", base);
    folder.img("create", "-q", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "top.qcow2", `${SIZE + 65536}`);
    folder.io("top.qcow2", "write -P 7 100k 300k", "write -z 1M 256k", "discard 2M 64k");
    const expected = folder.disk("top.qcow2");
    await useImage("top.qcow2", expected, random, base);
  });

  it("with internal snapshots, which stay as they are", async () => {
    const random = new Random(5);
    const disk = someDisk(random);
    folder.put("disk.raw", disk);
    folder.img("convert", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4k", "disk.raw", "snap.qcow2");
    folder.img("snapshot", "-c", "one", "snap.qcow2");
    folder.io("snap.qcow2", "write -P 9 0 1M");
    folder.img("snapshot", "-c", "two", "snap.qcow2");
    const expected = folder.disk("snap.qcow2");
    await useImage("snap.qcow2", expected, random);
    for (const [name, content] of [
      ["one", disk],
      ["two", expected],
    ] as const) {
      folder.img("convert", "-l", name, "-O", "raw", "snap.qcow2", "snap.raw");
      expect(Buffer.compare(folder.get("snap.raw"), content)).toBe(0);
    }
    folder.img("snapshot", "-d", "one", "snap.qcow2");
    expect(folder.check("snap.qcow2")).toMatchObject({ status: 0 });
  });

  it("whose writer died with refcounts out of date", async () => {
    folder.img("create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on,cluster_size=4k", "dirty.qcow2", `${SIZE}`);
    spawnSync("qemu-io", ["-c", "write -P 3 64k 512k", "-c", "flush", "-c", "abort", "dirty.qcow2"], {
      cwd: folder.path,
    });
    const content = folder.get("dirty.qcow2");
    expect(await checkQcow2(new MemoryStore(content), "dirty")).toMatchObject({ dirty: true });
    const expected = new Uint8Array(SIZE).fill(3, 64 << 10, (64 + 512) << 10);
    const readOnly = await open(new MemoryStore(content, { readOnly: true }));
    const back = new Uint8Array(SIZE);
    await readOnly.read(0, back);
    expect(Buffer.compare(back, expected)).toBe(0);
    await useImage("dirty.qcow2", expected, new Random(3));
  });

  it("with persistent bitmaps, which count as used until the disk is written", async () => {
    folder.img("create", "-q", "-f", "qcow2", "bits.qcow2", `${SIZE}`);
    folder.img("bitmap", "--add", "bits.qcow2", "b0");
    folder.io("bits.qcow2", "write -P 3 0 1M");
    expect(await checkQcow2(new MemoryStore(folder.get("bits.qcow2")), "bits")).toMatchObject({ damages: 0, leaks: 0 });
    const file = new MemoryStore(folder.get("bits.qcow2"));
    const store = await open(file);
    await store.write(0, new Uint8Array(512));
    await store.close();
    folder.put("bits.qcow2", file.content());
    expect([0, 3]).toContain(folder.check("bits.qcow2").status);
    file.closed = false;
    await repairQcow2(file, "bits");
    folder.put("bits.qcow2", file.content());
    expect(folder.check("bits.qcow2")).toMatchObject({ status: 0 });
  });

  it.each([
    ["a data file of its own", ["-o", "data_file=data.raw"], /keeps its data in another file/],
    ["subclusters", ["-o", "extended_l2=on"], /extended L2/],
  ])("refuses %s", async (_label, options, message) => {
    folder.img("create", "-q", "-f", "qcow2", ...options, "odd.qcow2", "1M");
    await expect(open(new MemoryStore(folder.get("odd.qcow2")))).rejects.toThrow(message);
  });
});

describe("qcow2 damage", () => {
  it.skipIf(!HAS_QEMU)("is found, and refcounts are mended", async () => {
    folder.img("create", "-q", "-f", "qcow2", "bad.qcow2", `${SIZE}`);
    folder.io("bad.qcow2", "write -P 3 0 1M");
    const content = folder.get("bad.qcow2");
    // The refcount block is the third cluster; clusters 4 to 9 lose their refcounts, 40 to 49 get some.
    content.fill(0, 0x20000 + 8, 0x20000 + 20);
    content.fill(1, 0x20000 + 80, 0x20000 + 100);
    const file = new MemoryStore(content);
    expect(await checkQcow2(file, "bad")).toMatchObject({ damages: 6, leaks: 10 });
    await repairQcow2(file, "bad");
    expect(await checkQcow2(file, "bad")).toMatchObject({ damages: 0, leaks: 0 });
    folder.put("bad.qcow2", file.content());
    expect(folder.check("bad.qcow2")).toMatchObject({ status: 0 });
  });

  it.skipIf(!HAS_QEMU)("that marks the image as corrupt keeps it from being written", async () => {
    folder.img("create", "-q", "-f", "qcow2", "bad.qcow2", `${SIZE}`);
    const content = folder.get("bad.qcow2");
    content[79] |= 2;
    await expect(open(new MemoryStore(content))).rejects.toThrow(/marked as corrupt; run "isola disk check --repair"/);
    await open(new MemoryStore(content, { readOnly: true }));
    const file = new MemoryStore(content);
    await repairQcow2(file, "bad");
    await open(file);
    content[35] = 2;
    await expect(open(new MemoryStore(content))).rejects.toThrow(/encrypted/);
    content[35] = 0;
    content[76] = 0x40;
    await expect(open(new MemoryStore(content))).rejects.toThrow(
      /feature that is not known here: incompatible feature bit 30/,
    );
  });
});
