// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type TarMember, makeTar } from "../../test-support/archives.js";
import { ArchiveError } from "../archive/byte-source.js";
import { contentBytes } from "./content-reader.js";
import { FileTree } from "./file-tree.js";
import { addTar } from "./tar-tree.js";

async function extract(tree: FileTree, members: readonly TarMember[]): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), "isola-test-"));
  try {
    const path = join(directory, "data.tar");
    await writeFile(path, makeTar(members));
    return await addTar(tree, path);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe("FileTree", () => {
  test("directories through links: merged /usr", () => {
    const tree = new FileTree();
    tree.directory("usr/bin");
    tree.symlink("bin", "usr/bin");
    tree.directory("bin", { mode: 0o700, uid: 0, gid: 0, mtime: 0 });
    tree.file("bin/sh", "x");
    expect(tree.lookup("bin")?.kind).toBe("symlink");
    expect(tree.lookup("usr/bin/sh")?.kind).toBe("file");
    expect(tree.resolve("bin/sh")).toBe(tree.resolve("usr/bin/sh"));
  });
  test("a link never leads outside: absolute ones and .. stop at the root", () => {
    const tree = new FileTree();
    tree.symlink("up", "../../../../etc");
    tree.symlink("abs", "/etc");
    tree.file("up/a", "1");
    tree.file("abs/b", "2");
    const etc = tree.resolve("etc");
    expect(etc?.kind === "directory" ? [...etc.children.keys()] : []).toEqual(["a", "b"]);
  });
  test("loops of links end", () => {
    const tree = new FileTree();
    tree.symlink("a", "b");
    tree.symlink("b", "a");
    expect(() => tree.resolve("a/x")).toThrow(/too many symbolic links/);
    expect(() => tree.file("a/x", "1")).toThrow(ArchiveError);
  });
  test("a file may replace a file but no directory, and stands in no file's way", () => {
    const tree = new FileTree();
    tree.file("f", "1");
    tree.file("f", "2");
    tree.directory("d");
    expect(() => tree.file("d", "x")).toThrow(/replace a directory/);
    expect(() => tree.file("f/g", "x")).toThrow(/not a directory/);
    expect(() => tree.hardLink("h", "missing")).toThrow(/missing file/);
    expect(() => tree.symlink("s", "")).toThrow(ArchiveError);
  });
  test("hard links count, removal is quiet", () => {
    const tree = new FileTree();
    tree.file("a", "1");
    tree.hardLink("b", "a");
    const node = tree.lookup("a");
    expect(node && tree.linkCounts().get(node)).toBe(2);
    tree.remove("a");
    tree.remove("nothing/there");
    expect(node && tree.linkCounts().get(node)).toBe(1);
  });
});

describe("addTar", () => {
  test("metadata, and the list of paths that dpkg wants", async () => {
    const tree = new FileTree();
    const paths = await extract(tree, [
      { path: "./", type: "5", mode: 0o755 },
      { path: "./a/", type: "5", mode: 0o750 },
      { path: "./a/f", body: "x", mode: 0o4711 },
      { path: "./a/g", type: "1", link: "./a/f" },
      { path: "./p", type: "6" },
    ]);
    expect(paths).toEqual(["/.", "/a", "/a/f", "/a/g", "/p"]);
    expect(tree.lookup("a")?.meta.mode).toBe(0o750);
    expect(tree.lookup("a/f")?.meta.mode).toBe(0o4711);
    expect(tree.lookup("a/g")).toBe(tree.lookup("a/f"));
    expect(tree.lookup("p")).toMatchObject({ kind: "device", device: "fifo" });
  });
  test.each([
    ["..", [{ path: "../../etc/passwd", body: "x" }]],
    ["an absolute path", [{ path: "/etc/passwd", body: "x" }]],
    ["a hard link to ..", [{ path: "x", type: "1", link: "../../etc/passwd" }]],
    ["a root that is a file", [{ path: "./", body: "x" }]],
  ])("%s is refused", async (_what, members) => {
    await expect(extract(new FileTree(), members)).rejects.toThrow(ArchiveError);
  });
});

describe("contents", () => {
  test("of several pieces, from the middle of a file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "isola-test-"));
    try {
      const bytes = Buffer.alloc(3 * 2 ** 20 + 5);
      for (let i = 0; i < bytes.length; i += 1000) bytes[i] = i / 1000;
      const path = join(directory, "file");
      await writeFile(path, Buffer.concat([Buffer.from("before"), bytes, Buffer.from("after")]));
      const read = await contentBytes({ kind: "range", path, offset: 6, length: bytes.length });
      expect(Buffer.compare(read, bytes)).toBe(0);
      const beyond = contentBytes({ kind: "range", path, offset: 0, length: bytes.length + 100 });
      await expect(beyond).rejects.toThrow(/ended early/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
