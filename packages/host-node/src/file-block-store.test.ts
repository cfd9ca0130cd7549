// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFileBlockStore } from "./file-block-store.js";
import { OverlayStore } from "./overlay-store.js";

let folder = "";
const file = (name: string, bytes: Uint8Array | string) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-disk-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a raw disk image", () => {
  it("reads and writes anywhere, flushes, and stays sparse", async () => {
    const path = file("disk.raw", "");
    truncateSync(path, 64 << 20);
    const store = openFileBlockStore({ path, readOnly: false });
    expect(store.size).toBe(64 << 20);
    store.write((64 << 20) - 512, new Uint8Array(512).fill(7));
    await store.flush();
    const back = new Uint8Array(1024);
    store.read((64 << 20) - 1024, back);
    expect([back[0], back[511], back[512], back[1023]]).toEqual([0, 0, 7, 7]);
    expect(statSync(path).blocks * 512).toBeLessThan(1 << 20);
    store.close();
    store.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it("reads zeros where the file has been cut short", () => {
    const path = file("disk.raw", new Uint8Array(2048).fill(9));
    const store = openFileBlockStore({ path, readOnly: true });
    truncateSync(path, 1000);
    const back = new Uint8Array(1024).fill(1);
    store.read(512, back);
    expect([back[487], back[488], back[1023]]).toEqual([9, 0, 0]);
    store.close();
  });

  it("can be opened for writing once only, by whatever name", () => {
    const path = file("disk.raw", new Uint8Array(512));
    symlinkSync(path, join(folder, "alias"));
    const store = openFileBlockStore({ path, readOnly: false });
    expect(() => openFileBlockStore({ path: join(folder, "alias"), readOnly: false })).toThrow(
      expect.objectContaining({ code: "disk-in-use", message: expect.stringContaining(`process ${process.pid} `) }),
    );
    openFileBlockStore({ path, readOnly: true }).close();
    store.close();
    openFileBlockStore({ path, readOnly: false }).close();
  });

  it("takes over the lock of a process that died", () => {
    const path = file("disk.raw", new Uint8Array(512));
    const dead = spawnSync(process.execPath, ["-e", "0"]).pid;
    const host = spawnSync("hostname", { encoding: "utf8" }).stdout.trim();
    writeFileSync(`${path}.lock`, `${dead}\n\n${host}\n`);
    openFileBlockStore({ path, readOnly: false }).close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    writeFileSync(`${path}.lock`, `1\n\nelsewhere.example\n`);
    expect(() => openFileBlockStore({ path, readOnly: false })).toThrow(/on elsewhere\.example/);
  });

  it.each([
    ["a missing file", () => join(folder, "no"), /cannot open disk .*no: there is no such file/],
    ["a folder", () => folder, /directory|regular/],
    ["a cut file", () => file("a", new Uint8Array(700)), /700 bytes.*truncated/],
    ["an empty file", () => file("a", ""), /0 bytes/],
    ["qcow2", () => file("a", Buffer.concat([Buffer.from("QFI\xfb", "latin1"), Buffer.alloc(508)])), /qcow2 image/],
  ])("refuses %s", (_what, make, message) => {
    expect(() => openFileBlockStore({ path: make(), readOnly: true })).toThrow(message);
  });

  it("refuses writes when read-only", () => {
    const store = openFileBlockStore({ path: file("a", new Uint8Array(512)), readOnly: true });
    expect(() => store.write(0, new Uint8Array(512))).toThrow(/read-only/);
    store.close();
  });
});

describe("an overlay", () => {
  it("keeps changes to itself, across cluster borders", () => {
    const size = 200 * 1024;
    const path = file("base.raw", new Uint8Array(size).fill(5));
    const overlay = new OverlayStore(openFileBlockStore({ path, readOnly: true }));
    overlay.write(0x1_0000 - 512, new Uint8Array(1024).fill(6));
    overlay.write(size - 512, new Uint8Array(512).fill(8));
    const back = new Uint8Array(size);
    overlay.read(0, back);
    const expected = new Uint8Array(size)
      .fill(5)
      .fill(6, 0x1_0000 - 512, 0x1_0000 + 512)
      .fill(8, size - 512);
    expect(Buffer.compare(back, expected)).toBe(0);
    overlay.close();
    const again = openFileBlockStore({ path, readOnly: true });
    again.read(0, back);
    expect(back.every((byte) => byte === 5)).toBe(true);
    again.close();
  });
});
