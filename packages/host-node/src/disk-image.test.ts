// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createQcow2 } from "@isola/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DiskMode, openDiskImage } from "./disk-image.js";
import { createFileStore, openFileStore } from "./file-store.js";

let folder = "";
const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const open = (path: string, mode: DiskMode = "writable") => openDiskImage({ path, mode });
async function qcow2(name: string, size: number, backing?: { name: string; format: string }): Promise<string> {
  const store = createFileStore(join(folder, name));
  await createQcow2(store, { size, ...(backing === undefined ? {} : { backing }) });
  store.close();
  return join(folder, name);
}
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a raw disk image", () => {
  it("reads and writes anywhere, flushes, and stays sparse", async () => {
    const path = file("disk.raw", "");
    truncateSync(path, 64 << 20);
    const store = await open(path);
    expect(store.size).toBe(64 << 20);
    await store.write((64 << 20) - 512, new Uint8Array(512).fill(7));
    await store.flush();
    const back = new Uint8Array(1024);
    await store.read((64 << 20) - 1024, back);
    expect([back[0], back[511], back[512], back[1023]]).toEqual([0, 0, 7, 7]);
    expect(statSync(path).blocks * 512).toBeLessThan(1 << 20);
    await store.close();
    await store.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("answers at once", async () => {
    const store = await open(file("disk.raw", new Uint8Array(2048)));
    expect(store.read(0, new Uint8Array(512))).toBeUndefined();
    expect(store.write(512, new Uint8Array(512))).toBeUndefined();
    await store.close();
  });

  it("reads zeros where the file has been cut short", async () => {
    const path = file("disk.raw", new Uint8Array(2048).fill(9));
    const store = await open(path, "readonly");
    truncateSync(path, 1000);
    const back = new Uint8Array(1024).fill(1);
    await store.read(512, back);
    expect([back[487], back[488], back[1023]]).toEqual([9, 0, 0]);
    await store.close();
  });

  it("can be opened for writing once only, by whatever name", async () => {
    const path = file("disk.raw", new Uint8Array(512));
    symlinkSync(path, join(folder, "alias"));
    const store = await open(path);
    await expect(open(join(folder, "alias"))).rejects.toThrow(
      expect.objectContaining({ code: "disk-in-use", message: expect.stringContaining(`process ${process.pid} `) }),
    );
    await (await open(path, "readonly")).close();
    await store.close();
    await (await open(path)).close();
  });

  it("takes over the lock of a process that died", async () => {
    const path = file("disk.raw", new Uint8Array(512));
    const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
    const host = spawnSync("hostname", { encoding: "utf8" }).stdout.trim();
    writeFileSync(`${path}.lock`, `${dead}\n\n${host}\n`);
    await (await open(path)).close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    writeFileSync(`${path}.lock`, `1\n\nelsewhere.example\n`);
    await expect(open(path)).rejects.toThrow(/on elsewhere\.example/);
  });

  it.each([
    ["a missing file", () => join(folder, "no"), /cannot open disk .*no: there is no such file/],
    ["a folder", () => folder, /directory|regular/],
    ["a cut file", () => file("a", new Uint8Array(700)), /700 bytes.*truncated/],
    ["an empty file", () => file("a", ""), /0 bytes/],
    ["a cut qcow2", () => file("a", Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(508)])), /version 0/],
  ])("refuses %s and leaves no lock", async (_what, make, message) => {
    await expect(open(make())).rejects.toThrow(message);
    expect(existsSync(join(folder, "a.lock"))).toBe(false);
  });

  it("refuses writes when read-only", async () => {
    const store = await open(file("a", new Uint8Array(512)), "readonly");
    expect(() => store.write(0, new Uint8Array(512))).toThrow(/read-only/);
    await store.close();
  });
});

describe("a temporary disk", () => {
  it("keeps changes to itself, across cluster borders, and answers at once", async () => {
    const size = 200 * 1024;
    const path = file("base.raw", new Uint8Array(size).fill(5));
    const disk = await open(path, "temporary");
    expect(disk.write(0x1_0000 - 512, new Uint8Array(1024).fill(6))).toBeUndefined();
    expect(disk.write(size - 512, new Uint8Array(512).fill(8))).toBeUndefined();
    expect(disk.flush()).toBeUndefined();
    const back = new Uint8Array(size);
    expect(disk.read(0, back)).toBeUndefined();
    const expected = new Uint8Array(size)
      .fill(5)
      .fill(6, 0x1_0000 - 512, 0x1_0000 + 512)
      .fill(8, size - 512);
    expect(Buffer.compare(back, expected)).toBe(0);
    await disk.discard?.(0, 0x1_0000);
    await disk.read(0, back);
    expect(back.subarray(0, 0x1_0000).every((byte) => byte === 0)).toBe(true);
    await disk.close();
    expect(readFileSync(path).every((byte) => byte === 5)).toBe(true);
  });
});

describe("a qcow2 image", () => {
  it("finds its backing file beside itself, locks only what it writes, and closes all", async () => {
    file("base.raw", new Uint8Array(1 << 20).fill(5));
    const path = await qcow2("top.qcow2", 1 << 20, { name: "base.raw", format: "raw" });
    const store = await open(path);
    expect(existsSync(join(folder, "base.raw.lock"))).toBe(false);
    expect(existsSync(join(folder, "top.qcow2.lock"))).toBe(true);
    await store.write(512, new Uint8Array(512).fill(6));
    await store.close();
    const again = await open(path, "readonly");
    const back = new Uint8Array(1536);
    await again.read(0, back);
    expect([back[0], back[512], back[1024]]).toEqual([5, 6, 5]);
    await again.close();
    expect(existsSync(join(folder, "top.qcow2.lock"))).toBe(false);
  });

  it.each([
    ["gone.raw", "raw", /cannot open disk .*gone\.raw: there is no such file/],
    ["top.qcow2", "qcow2", /top\.qcow2 is based on itself/],
    ['json:{"driver":"nbd"}', "raw", /"json:" is not supported/],
    ["nbd://host/disk", "raw", /"nbd:" is not supported/],
  ])("refuses to be based on %s", async (name, format, message) => {
    const path = await qcow2("top.qcow2", 1 << 20, { name, format });
    await expect(open(path)).rejects.toThrow(message);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe("a file that is made", () => {
  it("must not be there yet, unless it may be overwritten", () => {
    const path = file("there", new Uint8Array(512));
    expect(() => createFileStore(path)).toThrow(/cannot create .*there/);
    const store = createFileStore(path, true);
    expect(store.size).toBe(512);
    store.close();
    expect(openFileStore({ path, readOnly: true }).size).toBe(512);
  });
});
