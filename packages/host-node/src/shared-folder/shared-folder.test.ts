// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SharedFolder } from "./shared-folder.js";

const linux = process.platform === "linux";
if (!linux) process.stderr.write("SKIPPED shared folders: this is no Linux\n");

let base = "";
let inside = "";
let tree: SharedFolder;
beforeEach(async () => {
  if (!linux) return;
  base = mkdtempSync(join(tmpdir(), "isola-share-"));
  inside = join(base, "inside");
  mkdirSync(join(inside, "sub"), { recursive: true });
  writeFileSync(join(base, "secret"), "secret");
  writeFileSync(join(inside, "file"), "content");
  tree = await SharedFolder.open(inside, false);
});
afterEach(async () => {
  if (!linux) return;
  await tree.close();
  rmSync(base, { recursive: true, force: true });
});

const name = (text: string) => Buffer.from(text);
const all = { read: true, write: true, truncate: false };
const openDescriptors = () => readdirSync("/proc/self/fd").length;

describe.skipIf(!linux)("a shared folder", () => {
  it("shows and changes files", async () => {
    const node = await tree.lookUp(tree.root, name("file"));
    const file = await tree.open(node, all);
    const into = new Uint8Array(20);
    expect(await file.read(3, into)).toBe(4);
    expect(Buffer.from(into.subarray(0, 4)).toString()).toBe("tent");
    await file.write(7, name("ment"));
    await file.flush(false);
    await tree.change(node, { mode: 0o600, size: 9, modified: { seconds: 1000, nanoseconds: 500_000_000 } });
    const { size, mode, modified } = await tree.attributes(node);
    expect({ size, mode, modified: modified.seconds }).toEqual({ size: 9, mode: 0o100600, modified: 1000 });
    expect((await file.attributes()).size).toBe(9);
    await file.close();
    expect(readFileSync(join(inside, "file"), "utf8")).toBe("contentme");
    await tree.rename(tree.root, name("file"), await tree.lookUp(tree.root, name("sub")), name("moved"));
    // A node stays what it is under its new name.
    expect((await tree.attributes(node)).size).toBe(9);
    expect(existsSync(join(inside, "sub", "moved"))).toBe(true);
  });

  it("makes and removes things", async () => {
    const directory = await tree.makeDirectory(tree.root, name("d"), 0o750);
    expect(statSync(join(inside, "d")).mode & 0o777).toBe(0o750);
    const { node, file } = await tree.create(directory, name("ü"), 0o640, all, true);
    await file.write(0, name("x"));
    await file.close();
    expect(readFileSync(join(inside, "d", "ü"), "utf8")).toBe("x");
    expect(node.kind).toBe("file");
    await expect(tree.create(directory, name("ü"), 0o640, all, true)).rejects.toMatchObject({ errno: 17 });
    const link = await tree.makeLink(directory, name("l"), name("/etc/passwd"));
    expect(Buffer.from(await tree.readLink(link)).toString()).toBe("/etc/passwd");
    expect((await tree.list(directory)).map((entry) => `${Buffer.from(entry.name)}:${entry.kind}`).toSorted()).toEqual([
      "l:symlink",
      "ü:file",
    ]);
    await expect(tree.removeDirectory(tree.root, name("d"))).rejects.toMatchObject({ errno: 39 });
    await tree.removeFile(directory, name("l"));
    await tree.removeFile(directory, name("ü"));
    await tree.removeDirectory(tree.root, name("d"));
    await expect(tree.lookUp(tree.root, name("d"))).rejects.toMatchObject({ errno: 2 });
    expect((await tree.space()).blocks).toBeGreaterThan(0);
  });

  it("follows no link", async () => {
    symlinkSync("..", join(inside, "up"));
    symlinkSync("../secret", join(inside, "out"));
    const up = await tree.lookUp(tree.root, name("up"));
    expect(up.kind).toBe("symlink");
    await expect(tree.lookUp(up, name("secret"))).rejects.toMatchObject({ errno: 20 });
    await expect(tree.list(up)).rejects.toMatchObject({ errno: expect.any(Number) });
    const out = await tree.lookUp(tree.root, name("out"));
    await expect(tree.open(out, all)).rejects.toMatchObject({ errno: 40 });
    await tree.change(out, { mode: 0o777, modified: { seconds: 5, nanoseconds: 0 }, size: 0 });
    await expect(tree.create(tree.root, name("out"), 0o644, { ...all, truncate: true }, false)).rejects.toMatchObject({
      errno: 40,
    });
    expect(readFileSync(join(base, "secret"), "utf8")).toBe("secret");
    expect(statSync(join(base, "secret")).mtimeMs).toBeGreaterThan(10_000);
  });

  it("stays inside when somebody swaps a directory for a link", async () => {
    const sub = await tree.lookUp(tree.root, name("sub"));
    renameSync(join(inside, "sub"), join(inside, "old"));
    symlinkSync("..", join(inside, "sub"));
    // The node is still the directory that it was.
    await tree.create(sub, name("new"), 0o644, all, true);
    expect(existsSync(join(inside, "old", "new"))).toBe(true);
    expect(existsSync(join(base, "new"))).toBe(false);
  });

  it("neither blocks on a fifo nor opens one", async () => {
    spawnSync("mkfifo", [join(inside, "fifo")]);
    const fifo = await tree.lookUp(tree.root, name("fifo"));
    expect(fifo.kind).toBe("other");
    await expect(tree.create(tree.root, name("fifo"), 0o644, all, false)).rejects.toMatchObject({ errno: 1 });
    const write = { read: false, write: true, truncate: false };
    await expect(tree.create(tree.root, name("fifo"), 0o644, write, false)).rejects.toMatchObject({ errno: 6 });
  });

  it("keeps a descriptor open while something uses it, and closes all", async () => {
    const before = openDescriptors();
    for (let round = 0; round < 50; round++) {
      const node = await tree.lookUp(tree.root, name("file"));
      const file = await tree.open(node, all);
      const attributes = tree.attributes(node);
      const read = file.read(0, new Uint8Array(7));
      tree.release(node);
      const closed = file.close();
      expect((await attributes).size).toBe(7);
      expect(await read).toBe(7);
      await closed;
      await expect(tree.attributes(node)).rejects.toMatchObject({ errno: 9 });
    }
    await expect.poll(openDescriptors).toBe(before);
  });

  it("does not give files away", async () => {
    const node = await tree.lookUp(tree.root, name("file"));
    const { uid, gid } = await tree.attributes(node);
    await tree.change(node, { uid, gid });
    await expect(tree.change(node, { uid: uid + 1 })).rejects.toMatchObject({ errno: 1 });
    expect(lstatSync(join(inside, "file")).uid).toBe(process.getuid?.());
  });

  it("says what cannot be shared", async () => {
    await expect(SharedFolder.open(join(inside, "file"), false)).rejects.toThrow(
      /cannot share .*file: it is no directory/,
    );
    await expect(SharedFolder.open(join(inside, "none"), false)).rejects.toThrow(
      /cannot share .*none: there is no such file/,
    );
  });
});
