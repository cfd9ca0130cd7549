// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Extent, writeFat } from "../fat/write-fat.js";
import { layOutGpt } from "./lay-out-gpt.js";

const DISK = "11111111-2222-4333-8444-555555555555";
const PARTITION = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff);
const files = [
  { path: "EFI/BOOT/BOOTX64.EFI", bytes: large },
  { path: "EFI/BOOT/GRUB.CFG", bytes: Buffer.from("set x=1\n") },
  { path: "startup.nsh", bytes: Buffer.from("echo hello\r\n") },
  { path: "EMPTY", bytes: new Uint8Array() },
  // More entries than a cluster holds.
  ...Array.from({ length: 40 }, (_, i) => ({ path: `MANY/F${i}.TXT`, bytes: Buffer.from(String(i)) })),
];

function writeImage(path: string, size: number, extents: readonly Extent[]): void {
  const file = openSync(path, "w");
  ftruncateSync(file, size);
  for (const { offset, bytes } of extents) writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

const has = (program: string): boolean => spawnSync(program, ["--version"]).error === undefined;
const run = (program: string, ...args: string[]) => spawnSync(program, args, { encoding: "utf8" });

describe("a FAT volume", () => {
  it("refuses names that are not short", () => {
    expect(() => writeFat([{ path: "initramfs.img", bytes: large }], "X")).toThrow(/no name for a FAT volume/);
    expect(() => writeFat([{ path: "A//B", bytes: large }], "X")).toThrow(/no name/);
  });

  it.skipIf(!has("fsck.fat"))("is in order for fsck.fat (skipped where dosfstools is missing)", () => {
    const folder = mkdtempSync(join(tmpdir(), "isola-fat-"));
    const image = join(folder, "fat.img");
    const { size, extents } = writeFat(files, "ESP");
    writeImage(image, size, extents);
    const { status, stdout } = run("fsck.fat", "-n", "-v", image);
    expect([status, stdout]).toEqual([0, expect.stringContaining("32 bit entries")]);
    rmSync(folder, { recursive: true });
  });

  it.skipIf(!has("mcopy"))("gives its files to mtools (skipped where mtools is missing)", () => {
    const folder = mkdtempSync(join(tmpdir(), "isola-fat-"));
    const image = join(folder, "fat.img");
    const { size, extents } = writeFat(files, "ESP");
    writeImage(image, size, extents);
    for (const { path, bytes } of files) {
      const target = join(folder, "out");
      expect(run("mcopy", "-n", "-o", "-i", image, `::${path}`, target).stderr).toBe("");
      expect(readFileSync(target).equals(Buffer.from(bytes))).toBe(true);
    }
    rmSync(folder, { recursive: true });
  });
});

describe("a GUID partition table", () => {
  const layout = layOutGpt(DISK, [
    { type: "efiSystem", name: "EFI system", guid: PARTITION, size: 34 << 20 },
    { type: "linux", name: "root", guid: DISK, size: 1_000_001 },
  ]);

  it("puts partitions on whole MiB, one behind the other", () => {
    expect(layout.starts).toEqual([1 << 20, 35 << 20]);
    expect(layout.size).toBe(37 << 20);
  });

  it.skipIf(!has("sgdisk"))("is in order for sgdisk (skipped where gdisk is missing)", () => {
    const folder = mkdtempSync(join(tmpdir(), "isola-gpt-"));
    const image = join(folder, "disk.img");
    writeImage(image, layout.size, layout.extents);
    expect(run("sgdisk", "--verify", image).stdout).toContain("No problems found");
    const text = run("sgdisk", "--print", "--info=1", image).stdout;
    expect(text).toContain(DISK.toUpperCase());
    expect(text).toContain(PARTITION.toUpperCase());
    expect(text).toMatch(/C12A7328-F81F-11D2-BA4B-00A0C93EC93B \(EFI system partition\)/);
    expect(text).toContain("Partition name: 'EFI system'");
    rmSync(folder, { recursive: true });
  });
});
