// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeChunksAtomically } from "./atomic-file.js";
import { ImageCache, defaultCacheDir } from "./image-cache.js";

/** Larger than any process number that Linux gives (PID_MAX_LIMIT is 4194304). */
const DEAD = 4194304;
let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "isola-test-"));
});
afterEach(() => rm(root, { recursive: true }));

test("where the cache is", () => {
  expect(defaultCacheDir({ ISOLA_CACHE_DIR: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
  expect(defaultCacheDir({ XDG_CACHE_HOME: "/b" })).toBe("/b/isola");
  expect(defaultCacheDir({})).toMatch(/\.cache\/isola$/);
});

test("what dead processes left is swept, what live ones use is not", async () => {
  await ImageCache.open(root);
  const sha = "a".repeat(64);
  await mkdir(join(root, "work", `${DEAD}-abc`));
  await mkdir(join(root, "work", `${process.pid}-abc`));
  await writeFile(join(root, "partial", `${sha}.${DEAD}-0f`), "part");
  await writeFile(join(root, "partial", `${sha}.${process.pid}-0f`), "mine");
  await writeFile(join(root, "references", `x.${DEAD}-0f.tmp`), "");
  await ImageCache.open(root);
  expect(await readdir(join(root, "work"))).toEqual([`${process.pid}-abc`]);
  expect((await readdir(join(root, "partial"))).sort()).toEqual([sha, `${sha}.${process.pid}-0f`]);
  expect(await readdir(join(root, "references"))).toEqual([]);
});

test("of two that publish the same image, both end with one whole image", async () => {
  const cache = await ImageCache.open(root);
  for (const text of ["first", "second"]) {
    const work = await cache.scratch();
    await mkdir(join(work.path, "image"));
    await writeFile(join(work.path, "image", "f"), text);
    const path = await cache.publishImage("key", join(work.path, "image"));
    expect(await readFile(join(path, "f"), "utf8")).toBe("first");
    await work.dispose();
  }
  await cache.removeImage("key");
  await cache.removeImage("key");
  expect(await readdir(join(root, "images"))).toEqual([]);
  expect(await readdir(join(root, "work"))).toEqual([]);
});

test("an atomic file appears whole or not at all", async () => {
  const path = join(root, "deep", "file");
  await writeChunksAtomically(path, [Buffer.from("a"), Buffer.from("b")]);
  expect(await readFile(path, "utf8")).toBe("ab");
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("new");
    throw new Error("no more");
  }
  await expect(writeChunksAtomically(path, broken())).rejects.toThrow("no more");
  expect(await readFile(path, "utf8")).toBe("ab");
  expect(await readdir(join(root, "deep"))).toEqual(["file"]);
});

test("a cache that is a file", async () => {
  await writeFile(join(root, "file"), "");
  await expect(ImageCache.open(join(root, "file"))).rejects.toMatchObject({ code: "CACHE_UNUSABLE" });
});
