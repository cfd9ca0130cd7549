// SPDX-License-Identifier: Apache-2.0
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseLocation } from "./location.js";
import { unpackArchive } from "./unpack-archive.js";

let folder = "";
let into = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-unpack-"));
  into = join(folder, "into");
  mkdirSync(into);
  writeFileSync(join(folder, "mine"), "mine");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Member {
  readonly name: string;
  /** Type flag of a ustar header: 0 file, 1 hard link, 2 symbolic link, 3 device, 5 directory. */
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly text?: string;
}

/** One member of an archive, as a guest might write it by hand (POSIX.1, pax). */
function member({ name, type = "0", link = "", mode = 0o644, text = "" }: Member): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, at: number, width: number) =>
    header.write(value.toString(8).padStart(width - 1, "0"), at);
  header.write(name, 0);
  octal(mode, 100, 8);
  octal(1, 108, 8);
  octal(1, 116, 8);
  octal(text.length, 124, 12);
  octal(1_577_923_200, 136, 12);
  header.write(type, 156);
  header.write(link, 157);
  header.write("ustar\x0000", 257);
  header.fill(" ", 148, 156);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return Buffer.concat([header, Buffer.from(text.padEnd(Math.ceil(text.length / 512) * 512, "\0"))]);
}

const unpack = (...members: readonly Member[]) =>
  unpackArchive(Readable.from([Buffer.concat([...members.map(member), Buffer.alloc(1024)])]), into);

describe("archives from a guest", () => {
  it("keep names, contents, permissions and times", async () => {
    expect(
      await unpack({ name: "./d/", type: "5", mode: 0o750 }, { name: "./d/f", mode: 0o640, text: "hello" }),
    ).toBeNull();
    const file = join(into, "d/f");
    expect(readFileSync(file, "utf8")).toBe("hello");
    expect(lstatSync(file).mtimeMs).toBe(1_577_923_200_000);
    if (process.platform === "win32") return;
    expect(lstatSync(file).mode & 0o7777).toBe(0o640);
    expect(lstatSync(join(into, "d")).mode & 0o7777).toBe(0o750);
  });

  it.skipIf(process.platform === "win32")("lose the rights of other users", async () => {
    await unpack({ name: "su", mode: 0o6755, text: "x" });
    expect(lstatSync(join(into, "su")).mode & 0o7777).toBe(0o755);
  });

  it.each<[string, Member[]]>([
    ["parents", [{ name: "../evil", text: "x" }]],
    ["parents below", [{ name: "a/../../evil", text: "x" }]],
    [
      "links in links",
      [
        { name: "l", type: "2", link: ".." },
        { name: "l/evil", type: "2", link: "x" },
      ],
    ],
    ["links with parents", [{ name: "../evil", type: "2", link: "x" }]],
    [
      "hard links out",
      [
        { name: "l", type: "1", link: "../mine" },
        { name: "l", text: "theirs" },
      ],
    ],
    [
      "links to write through",
      [
        { name: "l", type: "2", link: ".." },
        { name: "l/mine", text: "theirs" },
      ],
    ],
    [
      "links to files",
      [
        { name: "l", type: "2", link: "../mine" },
        { name: "l", text: "theirs" },
      ],
    ],
  ])("do not get out by %s", async (_, members) => {
    expect(await unpack(...members)).not.toBeNull();
    expect(existsSync(join(folder, "evil"))).toBe(false);
    expect(existsSync(join(tmpdir(), "isola-evil"))).toBe(false);
    expect(readFileSync(join(folder, "mine"), "utf8")).toBe("mine");
  });

  it.skipIf(process.platform === "win32")("keep symbolic links as they are", async () => {
    const links = [
      { name: "./d/", type: "5" },
      { name: "./d/up", type: "2", link: "../../../mine" },
      { name: "root", type: "2", link: "/etc/passwd" },
    ];
    expect(await unpack(...links)).toBeNull();
    expect(readlinkSync(join(into, "d/up"))).toBe("../../../mine");
    expect(readlinkSync(join(into, "root"))).toBe("/etc/passwd");
    // A root is only cut off: the file stays inside.
    await unpack({ name: join(tmpdir(), "isola-evil"), text: "x" });
    expect(existsSync(join(tmpdir(), "isola-evil"))).toBe(false);
  });

  it("leave devices out, and tell of damage", async () => {
    expect(await unpack({ name: "null", type: "3" }, { name: "f", text: "x" })).toBeNull();
    expect(existsSync(join(into, "null"))).toBe(false);
    expect(existsSync(join(into, "f"))).toBe(true);
    const cut = member({ name: "f", text: "x".repeat(2000) }).subarray(0, 1000);
    expect(await unpackArchive(Readable.from([cut]), into)).not.toBeNull();
    expect(await unpackArchive(Readable.from([Buffer.alloc(2000, "garbage")]), into)).not.toBeNull();
  });
});

describe("places of a copy", () => {
  it.each([
    ["web:/etc/hosts", { kind: "guest", machine: "web", path: "/etc/hosts", directory: false }],
    ["web:etc//x/../", { kind: "guest", machine: "web", path: "/etc", directory: true }],
    ["web:", { kind: "guest", path: "/" }],
    ["./web:x", { kind: "local" }],
    ["/a:b", { kind: "local" }],
    ["x", { kind: "local" }],
  ])("%s", (text, expected) => expect(parseLocation(text)).toMatchObject(expected));
});
