// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../main.js";
import { disk } from "./disk.js";

const HAS_QEMU = spawnSync("qemu-img", ["--version"]).status === 0;
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-verb-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** Runs `isola disk ...`; words that begin with @ are files of the folder. */
async function run(...words: string[]) {
  let out = "";
  let err = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    const args = ["disk", ...words.map((word) => word.replace(/^@/, `${folder}/`))];
    const status = await main(args, [disk], { out: (text) => (out += text), err: (text) => (err += text) });
    return { status, out, err };
  } finally {
    spy.mockRestore();
  }
}

const ok = async (...words: string[]) => {
  const result = await run(...words);
  expect(result).toMatchObject({ status: 0, err: "" });
  return result.out;
};

function qemu(...args: string[]): void {
  if (!HAS_QEMU) return;
  const { status, stderr } = spawnSync("qemu-img", args, { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
}

describe("isola disk", () => {
  it("creates, describes, checks and resizes a qcow2 image", async () => {
    await ok("create", "@a.qcow2", "1G", "--cluster", "4K");
    const facts = JSON.parse(await ok("info", "@a.qcow2", "--json")) as Record<string, unknown>;
    expect(facts).toMatchObject({ format: "qcow2", size: 1 << 30, clusterSize: 4096, backing: null, snapshots: [] });
    expect(await ok("check", "@a.qcow2")).toMatch(/^no errors\n0 of 262144 clusters have data \(0%\)/);
    await ok("resize", "@a.qcow2", "3G");
    expect(await ok("info", "@a.qcow2")).toMatch(/size +3221225472/);
    expect(await run("resize", "@a.qcow2", "1G")).toMatchObject({
      status: 1,
      err: expect.stringMatching(/say --shrink/),
    });
    await ok("resize", "@a.qcow2", "1G", "--shrink");
    qemu("check", "-q", "-f", "qcow2", "a.qcow2");
    expect(existsSync(at("a.qcow2.lock"))).toBe(false);
  });

  it("creates an image over another one, which QEMU finds too", async () => {
    writeFileSync(at("base.raw"), new Uint8Array(1 << 20).fill(7));
    await ok("create", "@top.qcow2", "--backing", "@base.raw");
    expect(await ok("info", "@top.qcow2")).toMatch(/backing +\S*base\.raw\nbacking format +raw/);
    await ok("convert", "@top.qcow2", "@flat.raw", "--format", "raw");
    expect(readFileSync(at("flat.raw")).equals(readFileSync(at("base.raw")))).toBe(true);
    qemu("compare", "-q", "-f", "qcow2", "-F", "raw", "top.qcow2", "base.raw");
  });

  it("converts to and fro and leaves holes", async () => {
    const disk = new Uint8Array(40 << 20);
    for (let i = 0; i < disk.length; i += 3 << 20) disk.fill(i >> 20 || 1, i, i + 70_000);
    disk.fill(9, disk.length - 512);
    writeFileSync(at("a.raw"), disk);
    await ok("convert", "@a.raw", "@b.qcow2");
    expect(statSync(at("b.qcow2")).size).toBeLessThan(5 << 20);
    qemu("compare", "-q", "-f", "raw", "-F", "qcow2", "a.raw", "b.qcow2");
    await ok("convert", "@b.qcow2", "@c.raw", "--format", "raw");
    expect(readFileSync(at("c.raw")).equals(disk)).toBe(true);
    expect(statSync(at("c.raw")).blocks * 512).toBeLessThan(5 << 20);
    expect(await run("convert", "@b.qcow2", "@c.raw")).toMatchObject({ status: 1 });
    await ok("convert", "@b.qcow2", "@c.raw", "--force");
    expect(await ok("check", "@c.raw")).toMatch(/no errors/);
  });

  it.skipIf(!HAS_QEMU)("finds and frees lost space", async () => {
    qemu("create", "-q", "-f", "qcow2", "a.qcow2", "10M");
    const image = readFileSync(at("a.qcow2"));
    image.fill(1, 0x20000 + 100, 0x20000 + 104);
    writeFileSync(at("a.qcow2"), image);
    expect(await run("check", "@a.qcow2")).toMatchObject({
      status: 3,
      out: expect.stringMatching(/2 clusters are lost/),
    });
    expect(await ok("check", "@a.qcow2", "--repair")).toMatch(/no errors/);
    qemu("check", "-q", "-f", "qcow2", "a.qcow2");
  });

  it.each([
    [["frobnicate"], 2, /there is no "frobnicate"; there are create, info, check, convert, resize/],
    [["creat", "x"], 2, /did you mean "create"\?/],
    [["create"], 2, /disk create takes FILE \[SIZE\]/],
    [["create", "@x"], 2, /takes a size, such as 10G/],
    [["create", "@x", "1G", "--format", "vmdk"], 2, /vmdk images cannot be written/],
    [["create", "@x", "1G", "--cluster", "3K"], 2, /not a power of two/],
    [["create", "@x", "1G", "--repair"], 2, /disk create has no --repair/],
    [["create", "@x", "--backing", "@none"], 1, /there is no such file/],
    [["create", "@x", "9999999T"], 1, /too large/],
    [["check", "@raw"], 1, /raw image; only qcow2 images can be checked/],
    [["convert", "@raw", "@raw", "--force"], 2, /are the same file/],
    [["resize", "@none", "1G"], 1, /there is no such file/],
  ])("answers %j with status %i", async (words, status, message) => {
    writeFileSync(at("raw"), new Uint8Array(1024));
    expect(await run(...words)).toMatchObject({ status, err: expect.stringMatching(message) });
    expect(existsSync(at("x"))).toBe(false);
    expect(existsSync(at("x.lock"))).toBe(false);
  });
});
