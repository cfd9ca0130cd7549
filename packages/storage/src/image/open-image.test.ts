// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { MemoryStore } from "../memory-store.fixture.js";
import { createQcow2 } from "../qcow2/create.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { zlib } from "../zlib.fixture.js";
import type { ImageFile } from "./image-host.js";
import { openImage } from "./open-image.js";
import type { DiskFormat } from "./probe.js";

const SIZE = 5 << 20;
const folder = new ImageFolder();
afterAll(() => folder.remove());

/** Files in memory by name, or else those of the folder. */
class Files {
  readonly stores: MemoryStore[] = [];
  constructor(private readonly contents: Readonly<Record<string, Uint8Array>> = {}) {}

  readonly host = {
    decompressor: zlib,
    open: (reference: string): Promise<ImageFile> => Promise.resolve(this.file(reference, true)),
  };

  file(name: string, readOnly: boolean): ImageFile {
    const content = this.contents[name] ?? readFileSync(folder.file(name));
    const store = new MemoryStore(content, { readOnly, later: name.includes("later") });
    this.stores.push(store);
    return { name, store };
  }

  async open(name: string, format?: DiskFormat, readOnly = true) {
    const options = { readOnly, host: this.host, ...(format === undefined ? {} : { format }) };
    return openImage(this.file(name, readOnly), options);
  }

  /** Every file has been closed again. */
  expectClosed(): void {
    expect(this.stores.every((store) => store.closed)).toBe(true);
  }
}

function someDisk(random: Random): Uint8Array {
  const disk = new Uint8Array(SIZE);
  for (let at = 0; at < SIZE; at += 1 << 14) if (random.chance(50)) disk.set(random.bytes(1 << 14), at);
  return disk;
}

async function expectDisk(files: Files, name: string, expected: Uint8Array, random: Random, format?: DiskFormat) {
  const { store } = await files.open(name, format);
  expect(store.size).toBe(expected.length);
  const all = new Uint8Array(store.size);
  await store.read(0, all);
  expect(Buffer.compare(all, expected)).toBe(0);
  for (let i = 0; i < 200; i++) {
    const at = random.below(store.size);
    const back = new Uint8Array(Math.min(store.size - at, 1 + random.below(200_000)));
    await store.read(at, back);
    expect(Buffer.compare(back, expected.subarray(at, at + back.length))).toBe(0);
  }
  await store.close();
  files.expectClosed();
}

describe.skipIf(!HAS_QEMU)("images of other formats that QEMU made", () => {
  it.each<[string, string[], DiskFormat | undefined]>([
    ["vmdk", ["-o", "subformat=monolithicSparse"], undefined],
    ["vmdk", ["-o", "subformat=monolithicFlat"], undefined],
    ["vmdk", ["-o", "subformat=twoGbMaxExtentSparse"], undefined],
    ["vmdk", ["-o", "subformat=twoGbMaxExtentFlat"], undefined],
    ["vmdk", ["-o", "subformat=streamOptimized"], undefined],
    ["vpc", ["-o", "subformat=dynamic,force_size=on"], undefined],
    ["vpc", ["-o", "subformat=dynamic"], undefined],
    ["vpc", ["-o", "subformat=fixed,force_size=on"], "vhd"],
    ["vhdx", ["-o", "subformat=dynamic"], undefined],
    ["vhdx", ["-o", "subformat=dynamic,block_size=1M"], undefined],
    ["vhdx", ["-o", "subformat=fixed"], undefined],
  ])("%s %j", async (format, options, said) => {
    const random = new Random(options.join("").length);
    folder.put("disk.raw", someDisk(random));
    folder.img("convert", "-f", "raw", "-O", format, ...options, "disk.raw", "image");
    await expectDisk(new Files(), "image", folder.disk("image", format), random, said);
  });

  it("a VMDK over a parent", async () => {
    const random = new Random(9);
    folder.put("disk.raw", someDisk(random));
    folder.img("convert", "-f", "raw", "-O", "vmdk", "disk.raw", "parent.vmdk");
    folder.img("create", "-q", "-f", "vmdk", "-b", "parent.vmdk", "-F", "vmdk", "child.vmdk");
    folder.io("child.vmdk", "write -P 7 1M 300k", "write -P 8 4M 64k");
    await expectDisk(new Files(), "child.vmdk", folder.disk("child.vmdk", "vmdk"), random);
  });

  it("a chain of qcow2 over qcow2 over VHDX, whose files answer later", async () => {
    const random = new Random(10);
    folder.put("disk.raw", someDisk(random));
    folder.img("convert", "-f", "raw", "-O", "vhdx", "disk.raw", "later0.vhdx");
    folder.img("create", "-q", "-f", "qcow2", "-b", "later0.vhdx", "-F", "vhdx", "later1.qcow2");
    folder.io("later1.qcow2", "write -P 7 1M 300k");
    folder.img("create", "-q", "-f", "qcow2", "-b", "later1.qcow2", "-F", "qcow2", "later2.qcow2", "6M");
    folder.io("later2.qcow2", "write -P 9 1200k 300k");
    await expectDisk(new Files(), "later2.qcow2", folder.disk("later2.qcow2"), random);
  });
});

describe("opening an image", () => {
  const made = async (backing?: { name: string; format: string }, size = 1 << 20) => {
    const file = new MemoryStore();
    await createQcow2(file, { size, ...(backing === undefined ? {} : { backing }) });
    return file.content();
  };

  it("refuses a chain that leads back to itself, and closes what it opened", async () => {
    const files = new Files({
      a: await made({ name: "b", format: "qcow2" }),
      b: await made({ name: "c", format: "qcow2" }),
      c: await made({ name: "a", format: "qcow2" }),
    });
    await expect(files.open("a", undefined, false)).rejects.toThrow("a is based on itself, by way of c");
    files.expectClosed();
  });

  it("refuses a chain without end", async () => {
    const bytes = await made({ name: "next", format: "qcow2" });
    let count = 0;
    const host = {
      decompressor: null,
      open: () => Promise.resolve({ name: `${++count}`, store: new MemoryStore(bytes, { readOnly: true }) }),
    };
    const first = { name: "first", store: new MemoryStore(bytes) };
    await expect(openImage(first, { readOnly: false, host })).rejects.toThrow(/based on more than 64 images/);
  });

  it("refuses what it cannot do, with the reason", async () => {
    const vdi = new Uint8Array(4096);
    vdi.set([0x7f, 0x10, 0xda, 0xbe], 64);
    const files = new Files({
      vdi,
      odd: new Uint8Array(1000),
      luks: await made({ name: "x", format: "luks" }),
      cd: new Uint8Array(4096),
      old: Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 1, 0, 0, 0, 0),
    });
    await expect(files.open("vdi")).rejects.toThrow("vdi is a VDI image, which is not supported");
    await expect(files.open("odd")).rejects.toThrow("odd has 1000 bytes, which is not a whole number of 512-byte");
    await expect(files.open("luks")).rejects.toThrow("x is a luks image, which is not supported");
    await expect(files.open("cd", "iso", false)).rejects.toThrow("ISO images cannot be written");
    await expect(files.open("old")).rejects.toThrow(/qcow \(version 1\) image/);
    await expect(files.open("cd", "qcow2")).rejects.toThrow("cd is damaged: it does not begin like a qcow2 image");
    files.expectClosed();
    expect((await files.open("cd", "iso")).format).toBe("iso");
  });

  it("keeps a guest from turning a disk whose format was guessed into another one", async () => {
    const header = await made();
    const files = new Files({ disk: new Uint8Array(1 << 20) });
    const { store } = await files.open("disk", undefined, false);
    const guessed = store;
    expect(() => guessed.write(0, header.subarray(0, 512))).toThrow(/tried to make disk look like a qcow2 image/);
    await guessed.write(512, header.subarray(0, 512));
    await guessed.write(0, new Uint8Array(512).fill(1));
    for (const [at, byte] of header.subarray(0, 3).entries()) await guessed.write(at, Uint8Array.of(byte));
    expect(() => guessed.write(3, Uint8Array.of(0xfb))).toThrow(/look like/);
    const said = (await files.open("disk", "raw", false)).store;
    await said.write(0, header.subarray(0, 512));
  });
});
