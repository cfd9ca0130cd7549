// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, vi } from "vitest";
import { DiskFolder } from "./disk-folder.js";
import type { DiskSource, ImageSource } from "./disk-source.js";
import { exportDisk, importDisk, openDisk, openImageSource } from "./open-disk.js";
import { FakeFolder } from "./origin-storage.fixture.js";

const SIZE = 1 << 20;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 13 + (i >> 10)) & 0xff);
const base = (name = "base.img"): ImageSource => ({ kind: "file", name, file: new Blob([content]) });
const kept = (over: ImageSource | null): DiskSource => ({ kind: "kept", name: "disk", base: over, size: SIZE });

let root: FakeFolder;
let folder: DiskFolder;
beforeEach(async () => {
  root = new FakeFolder();
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(root) } });
  folder = await DiskFolder.open();
});

const disks = () => root.folders.get("isola-disks")?.files ?? new Map<string, never>();

async function read(source: DiskSource, at: number, length: number): Promise<Buffer> {
  const disk = await openDisk(source, folder);
  const buffer = Buffer.alloc(length);
  await disk.read(at, buffer);
  await disk.close();
  return buffer;
}

async function write(source: DiskSource, at: number, text: string): Promise<void> {
  const disk = await openDisk(source, folder);
  await disk.write(at, Buffer.from(text));
  await disk.flush();
  await disk.close();
}

describe("disks that are kept", () => {
  it("show their base, and changes from one visit to the next", async () => {
    const source = kept(base());
    expect(Buffer.compare(await read(source, 1000, 5000), content.subarray(1000, 6000))).toBe(0);
    await write(source, 4096, "changed");
    folder = await DiskFolder.open();
    expect((await read(source, 4096, 7)).toString()).toBe("changed");
    expect(Buffer.compare(await read(source, 8192, 100), content.subarray(8192, 8292))).toBe(0);
    expect((await folder.list()).map(({ name }) => name)).toEqual(["disk"]);
  });

  it("start empty without a base, and are gone when deleted", async () => {
    await write(kept(null), 0, "mine");
    expect((await read(kept(null), 0, 6)).toString("latin1")).toBe("mine\0\0");
    await folder.remove("disk");
    await folder.remove("disk");
    expect((await read(kept(null), 0, 4)).toString("latin1")).toBe("\0\0\0\0");
  });

  it("are not shown over another base than theirs", async () => {
    await write(kept(base()), 0, "x");
    await expect(openDisk(kept(base("other.img")), folder)).rejects.toThrow("holds changes to base.img");
    await expect(openDisk(kept(null), folder)).rejects.toThrow("holds changes to base.img");
    expect((await read(kept(base()), 0, 1)).toString()).toBe("x");
  });

  it("begin anew where the browser ended before the first one was made", async () => {
    (await folder.openFile("disk")).resize(200_000);
    const opened = disks().get("disk") as unknown as { open: boolean };
    opened.open = false;
    expect((await read(kept(null), 0, 1))[0]).toBe(0);
  });

  it("are open once at a time, and say so", async () => {
    vi.useFakeTimers();
    try {
      const first = await openDisk(kept(null), folder);
      const second = openDisk(kept(null), folder);
      const refused = expect(second).rejects.toThrow("in use in another tab");
      await vi.advanceTimersByTimeAsync(10_000);
      await refused;
      await first.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it("have names that are names", async () => {
    await expect(openDisk({ ...kept(null), name: "../up" } as DiskSource, folder)).rejects.toThrow("cannot be a disk");
  });
});

describe("disks that are not kept", () => {
  it("temporary ones leave nothing behind", async () => {
    const source: DiskSource = { kind: "temporary", base: base() };
    const disk = await openDisk(source, folder);
    await disk.write(0, Buffer.from("gone"));
    expect([...disks().keys()].every((name) => name.startsWith("scratch-"))).toBe(true);
    expect(await folder.list()).toEqual([]);
    await disk.close();
    expect(disks().size).toBe(0);
    expect((await read(source, 0, 4))[1]).toBe(content[1]);
  });

  it("scratch files of a tab that ended are swept up, those in use are left", async () => {
    const used = await folder.scratch();
    await (await folder.openFile("scratch-left")).close();
    await DiskFolder.open();
    expect([...disks().keys()].filter((name) => name === "scratch-left")).toEqual([]);
    expect(disks().size).toBe(1);
    await used.close();
  });

  it("read-only ones cannot be written", async () => {
    const disk = await openDisk({ kind: "readonly", base: base() }, folder);
    expect(disk.readOnly).toBe(true);
    expect(() => disk.write(0, Buffer.from("x"))).toThrow();
  });
});

it("exports a disk as an image that stands for itself, and imports one", async () => {
  const source = kept(base());
  await write(source, 4096, "exported");
  await exportDisk(source, folder, "export.qcow2", () => {});
  const image: ImageSource = { kind: "file", name: "export.qcow2", file: await folder.file("export.qcow2") };
  const store = await openImageSource(image);
  expect(store.size).toBe(SIZE);
  const back = Buffer.alloc(SIZE);
  await store.read(0, back);
  expect(back.subarray(4096, 4104).toString()).toBe("exported");
  back.set(content.subarray(4096, 4104), 4096);
  expect(Buffer.compare(back, content)).toBe(0);
  // What was imported hides the base that the machine offers, also where it is zeros.
  const blank: ImageSource = { kind: "file", name: "blank.img", file: new Blob([new Uint8Array(SIZE)]) };
  await importDisk("disk", blank, folder, () => {});
  expect((await read(source, 1000, 5000)).every((byte) => byte === 0)).toBe(true);
});
