// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { makeAr, makeTar } from "../../test-support/archives.js";
import { FileTree } from "../tree/file-tree.js";
import { listArMembers } from "./ar.js";
import { ArchiveError, MemorySource } from "./byte-source.js";
import { writeCpio } from "./cpio.js";
import { compressionOf, decompressed } from "./decompress.js";
import { memberPathComponents } from "./member-path.js";
import { type TarEntry, readTar } from "./tar.js";

async function entriesOf(bytes: Uint8Array): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of readTar(new MemorySource(bytes))) entries.push(entry);
  return entries;
}

describe("ar", () => {
  test("members, with padding after odd sizes", async () => {
    const bytes = makeAr([
      ["a", Buffer.from("xyz")],
      ["b/", Buffer.from("12")],
    ]);
    expect(await listArMembers(new MemorySource(bytes))).toEqual([
      { name: "a", offset: 68, size: 3 },
      { name: "b", offset: 132, size: 2 },
    ]);
  });
  test.each([
    ["other bytes", Buffer.from("PK\x03\x04aaaaaaaaaaaaaaaaa")],
    ["an empty file", Buffer.alloc(0)],
    ["a truncated member", makeAr([["a", Buffer.from("xyz")]]).subarray(0, 70)],
    ["a truncated header", makeAr([["a", Buffer.from("xyz")]]).subarray(0, 20)],
  ])("%s", async (_what, bytes) => {
    await expect(listArMembers(new MemorySource(bytes))).rejects.toThrow(ArchiveError);
  });
});

describe("tar", () => {
  test("kinds, modes, devices and pax records", async () => {
    const long = `d/${"x".repeat(150)}`;
    const entries = await entriesOf(
      makeTar([
        { path: "./", type: "5", mode: 0o755 },
        { path: "f", body: "body", mode: 0o4755 },
        { path: "l", type: "2", link: "f" },
        { path: "h", type: "1", link: "./f" },
        { path: "c", type: "3", major: 5, minor: 1 },
        { path: "short", body: "1", pax: { path: long, "SCHILY.xattr.user.k": "v" } },
        { path: "after", body: "" },
      ]),
    );
    expect(
      entries.map(({ path, kind, mode, size, linkPath, major, minor }) => [
        path,
        kind,
        mode,
        size,
        linkPath,
        major,
        minor,
      ]),
    ).toEqual([
      ["./", "directory", 0o755, 0, "", 0, 0],
      ["f", "file", 0o4755, 4, "", 0, 0],
      ["l", "symlink", 0o644, 0, "f", 0, 0],
      ["h", "hardlink", 0o644, 0, "./f", 0, 0],
      ["c", "char", 0o644, 0, "", 5, 1],
      [long, "file", 0o644, 1, "", 0, 0],
      ["after", "file", 0o644, 0, "", 0, 0],
    ]);
    expect(entries[1]).toMatchObject({ bodyOffset: 1024, mtime: 1_700_000_000 });
    expect(Buffer.from(entries[5].xattrs.get("user.k") ?? []).toString()).toBe("v");
    expect(entries[6].xattrs.size).toBe(0);
  });
  test("GNU long names", async () => {
    const long = "n".repeat(200);
    const entries = await entriesOf(makeTar([{ path: "././@LongLink", type: "L", body: `${long}\0` }, { path: "n" }]));
    expect(entries.map(({ path }) => path)).toEqual([long]);
  });
  test("damage is an ArchiveError", async () => {
    const good = makeTar([{ path: "f", body: "0123456789" }]);
    const flipped = Buffer.from(good);
    flipped[0] ^= 1;
    await expect(entriesOf(flipped)).rejects.toThrow(/checksum/);
    await expect(entriesOf(good.subarray(0, 515))).rejects.toThrow(/truncated/);
    await expect(entriesOf(makeTar([{ path: "x", type: "Z" }]))).rejects.toThrow(/unknown type/);
    await expect(entriesOf(makeTar([{ path: "x", pax: { size: "-5" } }]))).rejects.toThrow(ArchiveError);
    await expect(entriesOf(makeTar([{ path: "x", pax: { size: "999999999999" } }]))).rejects.toThrow(ArchiveError);
  });
  test("random bytes never throw anything else, and end", async () => {
    const good = makeTar([{ path: "f", body: "b", pax: { path: "y" } }, { path: "z" }]);
    let seed = 1;
    const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
    for (let round = 0; round < 500; round++) {
      const bytes = Buffer.from(good);
      for (let i = 0; i < 4; i++) bytes[random() % bytes.length] = random();
      try {
        await entriesOf(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(ArchiveError);
      }
    }
  });
});

describe("member paths", () => {
  test("are relative and plain", () => {
    expect(memberPathComponents("./a//b/./c/")).toEqual(["a", "b", "c"]);
    expect(memberPathComponents("./")).toEqual([]);
  });
  test.each(["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b", `${"n".repeat(256)}`, "a/".repeat(3000)])(
    "%j is refused",
    (path) => {
      expect(() => memberPathComponents(path)).toThrow(ArchiveError);
    },
  );
});

describe("decompression", () => {
  const plain = Buffer.from("hello xz\n");
  const xz = Buffer.from(
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAIaGVsbG8geHoKAAAAAMFJOvpjUhRaAAEhCWwYxdUftvN9AQAAAAAEWVo=",
    "base64",
  );
  const expand = async (bytes: Uint8Array, kind: "none" | "gz" | "xz" | "zst", limit = 1 << 20): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of decompressed(Readable.from([bytes]), kind, limit)) chunks.push(chunk as Uint8Array);
    return Buffer.concat(chunks).toString();
  };
  test("every kind", async () => {
    expect(await expand(plain, "none")).toBe("hello xz\n");
    expect(await expand(gzipSync(plain), "gz")).toBe("hello xz\n");
    expect(await expand(zstdCompressSync(plain), "zst")).toBe("hello xz\n");
    expect(await expand(xz, "xz")).toBe("hello xz\n");
  });
  test("the kind by name", () => {
    expect(["data.tar", "data.tar.xz", "data.tar.zst", "data.tar.gz", "data.tar.lzma"].map(compressionOf)).toEqual([
      "none",
      "xz",
      "zst",
      "gz",
      undefined,
    ]);
  });
  test("a bomb stops at the limit", async () => {
    await expect(expand(gzipSync(Buffer.alloc(1 << 20)), "gz", 1000)).rejects.toThrow(/expands to more/);
  });
  test.each(["gz", "xz", "zst"] as const)("damaged and truncated %s", async (kind) => {
    const good = kind === "gz" ? gzipSync(plain) : kind === "zst" ? zstdCompressSync(plain) : xz;
    await expect(expand(Buffer.from("not compressed at all"), kind)).rejects.toThrow(ArchiveError);
    await expect(expand(good.subarray(0, good.length - 6), kind)).rejects.toThrow(ArchiveError);
  });
});

test("cpio: golden bytes of a small tree with a hard link and a device", async () => {
  const tree = new FileTree();
  tree.file("b", "hi\n", { mode: 0o755 });
  tree.hardLink("c", "b");
  tree.symlink("a", "b");
  tree.device("d", "char", 5, 1);
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeCpio(tree)) chunks.push(chunk);
  // NUL is written as a dot, a line break as a bar. Fields: inode, mode, uid, gid, links, time, size, device numbers.
  const text = Buffer.concat(chunks).toString("latin1").replaceAll("\0", ".").replaceAll("\n", "|");
  const members = text.split("070701").slice(1);
  expect(members.pop()).toMatch(/^0{39}1[0b]{64}TRAILER!!!\.{4}$/);
  expect(members).toEqual([
    "00000001000041ed0000000000000000000000020000000000000000000000000000000000000000000000000000000200000000..",
    "000000020000a1ff0000000000000000000000010000000000000001000000000000000000000000000000000000000200000000a.b...",
    "00000003000081ed0000000000000000000000020000000000000003000000000000000000000000000000000000000200000000b.hi|.",
    "00000003000081ed0000000000000000000000020000000000000000000000000000000000000000000000000000000200000000c.",
    "00000004000021800000000000000000000000010000000000000000000000000000000000000005000000010000000200000000d.",
  ]);
});
