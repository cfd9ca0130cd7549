// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasTool, run } from "../../test-support/tools.js";
import { FileTree } from "../tree/file-tree.js";
import { BlockAllocator } from "./block-allocator.js";
import { directoryBlockCount, directoryBlocks } from "./directory-blocks.js";
import { buildExtentTree } from "./extents.js";
import { planGeometry } from "./geometry.js";
import { writeExt4 } from "./write-ext4.js";

const MIB = 2 ** 20;
const uuid = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function write(tree: FileTree, size: number, name = "disk.img", signal?: AbortSignal): Promise<string> {
  const path = join(directory, name);
  const handle = await open(path, "w+");
  try {
    await writeExt4(handle, tree, { size, uuid, label: "test", time: 1_700_000_000, ...(signal ? { signal } : {}) });
  } finally {
    await handle.close();
  }
  return path;
}

/** A tree with one of everything, and `pattern` as a file of 3 MiB that is read from the host in pieces. */
async function richTree(): Promise<{ tree: FileTree; pattern: Buffer }> {
  const tree = new FileTree();
  const pattern = Buffer.alloc(3 * MIB + 123);
  for (let i = 0; i < pattern.length; i += 4)
    pattern.writeUInt32LE((i * 2654435761) >>> 0, Math.min(i, pattern.length - 4));
  const source = join(directory, "source");
  await writeFile(source, Buffer.concat([Buffer.from("skip"), pattern]));
  tree.file("big", { kind: "range", path: source, offset: 4, length: pattern.length });
  tree.file("empty", "");
  tree.file("bin/tool", "tool", { mode: 0o4755, uid: 70000, gid: 100000, mtime: 4_000_000_000 });
  tree.hardLink("bin/alias", "bin/tool");
  tree.symlink("short", "bin/tool");
  tree.symlink("long", "x/".repeat(1000));
  tree.device("dev/console", "char", 5, 1);
  tree.device("dev/big", "block", 259, 70000);
  tree.device("dev/pipe", "fifo", 0, 0);
  tree.file("attr", "1", { xattrs: new Map([["security.capability", Buffer.from("0123456789")]]) });
  const many = new Map([
    ["user.b", Buffer.alloc(200, 0xf1)],
    ["user.a", Buffer.from("7")],
    ["security.x", Buffer.from("y")],
  ]);
  tree.file("attrs", "2", { xattrs: many });
  for (let i = 0; i < 2000; i++) tree.file(`many/file-with-a-name-of-some-length-${i}`, `${i}`);
  tree.directory("tmp", { mode: 0o1777, uid: 0, gid: 0, mtime: 1 });
  tree.file("ünïcode", "ok");
  return { tree, pattern };
}

describe.skipIf(!hasTool("e2fsck", "-V") || !hasTool("debugfs", "-V"))(
  "ext4, judged by e2fsprogs",
  { timeout: 30_000 },
  () => {
    const check = (path: string): void => {
      const { code, output } = run("e2fsck", "-fn", path);
      expect(output).not.toMatch(/Fix\?|WARNING|error/i);
      expect(code).toBe(0);
    };

    test("a tree with everything is clean, sparse and reads back", async () => {
      const { tree, pattern } = await richTree();
      const path = await write(tree, 256 * MIB);
      check(path);
      const { size, blocks } = await stat(path);
      expect(size).toBe(256 * MIB);
      expect(blocks * 512).toBeLessThan(32 * MIB);
      const debugfs = (command: string): string =>
        run("debugfs", "-R", command, path).output.replace(/debugfs \d.*\n/, "");
      const dump = join(directory, "big.out");
      debugfs(`dump /big ${dump}`);
      const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
      expect(digest(await readFile(dump))).toBe(digest(pattern));
      expect(debugfs("cat /many/file-with-a-name-of-some-length-1999")).toBe("1999");
      expect(debugfs("cat /ünïcode")).toBe("ok");
      const tool = debugfs("stat /bin/tool");
      expect(tool).toMatch(/Mode: {2}04755/);
      expect(tool).toMatch(/User: 70000 {3}Group: 100000/);
      expect(tool).toMatch(/Links: 2/);
      expect(tool).toMatch(/mtime: .*2096/);
      expect(debugfs("stat /short")).toMatch(/Fast link dest: "bin\/tool"/);
      expect(debugfs("stat /dev/console")).toMatch(/major\/minor number: 05:01/);
      expect(debugfs("stat /dev/big")).toMatch(/major\/minor number: 259:70000/);
      expect(debugfs("ea_get /attr security.capability")).toContain("0123456789");
      expect(debugfs("ea_list /attrs")).toMatch(/user\.b \(200\)/);
      expect(debugfs("stat /lost+found")).toMatch(/Size: 16384/);
      expect(run("dumpe2fs", "-h", path).output).toMatch(/has_journal[^]*Filesystem state: +clean/);
    });

    test.each([8, 9, 128, 129, 1000, 4096])("an empty disk of %d MiB is clean", async (mib) => {
      check(await write(new FileTree(), mib * MIB));
    });

    test("sizes around the end of a group, and one that is no whole block", async () => {
      for (const size of [128 * MIB + 4096, 128 * MIB + 600 * 4096, 256 * MIB - 4096, 100 * MIB + 777])
        check(await write(new FileTree(), size));
    });

    test("a file over many groups needs an index block", { timeout: 60_000 }, async () => {
      const source = join(directory, "sparse");
      const handle = await open(source, "w");
      await handle.truncate(700 * MIB);
      await handle.close();
      const tree = new FileTree();
      tree.file("large", { kind: "range", path: source, offset: 0, length: 700 * MIB });
      const path = await write(tree, 1024 * MIB);
      check(path);
      expect(run("debugfs", "-R", "stat /large", path).output).toMatch(/EXTENTS:\n\(ETB0\)/);
      await rm(path);
    });

    test("more files than the usual number of inodes", async () => {
      const tree = new FileTree();
      for (let i = 0; i < 5000; i++) tree.file(`d${i % 7}/${i}`, "");
      check(await write(tree, 16 * MIB));
    });
  },
);

describe("ext4", () => {
  test("equal trees give equal bytes", async () => {
    const { tree } = await richTree();
    const digests: string[] = [];
    for (const name of ["one.img", "two.img"]) {
      const bytes = await readFile(await write(tree, 64 * MIB, name));
      digests.push(createHash("sha256").update(bytes).digest("hex"));
    }
    expect(digests[0]).toBe(digests[1]);
  });
  test("what does not fit is said in one line", async () => {
    const tree = new FileTree();
    const source = join(directory, "fill");
    const handle = await open(source, "w");
    await handle.truncate(20 * MIB);
    await handle.close();
    tree.file("f", { kind: "range", path: source, offset: 0, length: 20 * MIB });
    await expect(write(tree, 16 * MIB)).rejects.toMatchObject({ code: "DISK_TOO_SMALL" });
    await expect(write(new FileTree(), 4 * MIB)).rejects.toMatchObject({ code: "DISK_SIZE_INVALID" });
    tree.file("x", "", { xattrs: new Map([["odd.name", Buffer.from("1")]]) });
    await expect(write(tree, 64 * MIB)).rejects.toMatchObject({ code: "XATTR_INVALID" });
  });
  test("an abort stops the writing", async () => {
    const { tree } = await richTree();
    await expect(write(tree, 64 * MIB, "x.img", AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
  });
  test("directory records fill blocks and never cross them", () => {
    const names = Array.from({ length: 40 }, (_, i) => `${"n".repeat(230)}${i}`);
    const entries = [".", "..", ...names].map((name, i) => ({ name, inode: i + 1, type: 1 }));
    const bytes = directoryBlocks(entries);
    expect(bytes.length).toBe(directoryBlockCount(names) * 4096);
    const view = new DataView(bytes.buffer);
    const seen: string[] = [];
    for (let at = 0; at < bytes.length; at += view.getUint16(at + 4, true)) {
      const length = view.getUint8(at + 6);
      expect(Math.floor(at / 4096)).toBe(Math.floor((at + 8 + length - 1) / 4096));
      seen.push(Buffer.from(bytes.subarray(at + 8, at + 8 + length)).toString());
    }
    expect(seen).toEqual([".", "..", ...names]);
  });
  test("runs that are too long for one extent are split", () => {
    const { iBlock, leaves } = buildExtentTree([{ start: 10, length: 70000 }], () => 0);
    const view = new DataView(iBlock.buffer);
    expect(leaves).toEqual([]);
    expect(view.getUint16(2, true)).toBe(3);
    expect([0, 1, 2].map((i) => view.getUint16(12 * (i + 1) + 4, true))).toEqual([32768, 32768, 4464]);
  });
  test("a contiguous run skips a group that has no room for it", () => {
    const allocator = new BlockAllocator(planGeometry(512 * MIB, 0));
    allocator.allocate(31000);
    const run = allocator.allocateContiguous(4096);
    expect(run.length).toBe(4096);
    expect(run.start).toBeGreaterThan(32768);
  });
});
