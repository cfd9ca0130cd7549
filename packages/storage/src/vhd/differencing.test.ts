// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from "vitest";
import { readClipped } from "../clipped-read.js";
import { MemoryStore } from "../memory-store.fixture.js";
import { HAS_QEMU, ImageFolder } from "../qemu.fixture.js";
import { Random } from "../random.fixture.js";
import { perform } from "../steps.js";
import { openVhd } from "./open.js";

const SIZE = 5 << 20;
const BLOCK = 2 << 20;
const folder = new ImageFolder();
afterAll(() => folder.remove());

/** Stores the one's complement of the sum of all other bytes at `at`. */
function seal(bytes: Uint8Array, at: number): void {
  bytes.fill(0, at, at + 4);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, ~sum >>> 0);
}

/** Turns a dynamic disk of QEMU's into a differencing one, by the format's specification. */
function withParent(image: Uint8Array, parent: string): void {
  for (const at of [0, image.length - 512]) {
    const footer = image.subarray(at, at + 512);
    footer[63] = 4;
    seal(footer, 64);
  }
  const header = image.subarray(512, 512 + 1024);
  for (let i = 0; i < parent.length; i++) header[64 + 2 * i + 1] = parent.charCodeAt(i);
  seal(header, 36);
}

describe.skipIf(!HAS_QEMU)("a differencing VHD", () => {
  it("has the sectors that its bitmaps name, and its parent's for the rest", async () => {
    const random = new Random(1);
    folder.img("create", "-q", "-f", "vpc", "-o", "force_size=on", "child.vhd", `${SIZE}`);
    folder.io("child.vhd", "write -P 7 2M 2M");
    const parent = random.bytes(SIZE);
    const expected = parent.slice();
    expected.fill(7, BLOCK, 2 * BLOCK);
    const image = folder.get("child.vhd");
    withParent(image, "C:\\disks\\parent.vhd");
    const view = new DataView(image.buffer);
    const bitmap = view.getUint32(1536 + 4) * 512;
    for (const sector of [0, 1, 2, 9, 10, 31, 4000, 4095]) {
      image[bitmap + (sector >> 3)] &= ~(0x80 >> (sector & 7));
      const at = BLOCK + sector * 512;
      expected.set(parent.subarray(at, at + 512), at);
    }
    const asked: string[] = [];
    const store = await openVhd({ name: "child.vhd", store: new MemoryStore(image) }, (reference) => {
      asked.push(reference);
      return Promise.resolve(new MemoryStore(parent));
    });
    expect(asked).toEqual(["parent.vhd"]);
    const back = new Uint8Array(SIZE);
    await perform(readClipped(store, 0, back));
    expect(Buffer.compare(back, expected)).toBe(0);
    for (let i = 0; i < 100; i++) {
      const at = random.below(SIZE);
      const piece = new Uint8Array(Math.min(SIZE - at, 1 + random.below(20_000)));
      await store.read(at, piece);
      expect(Buffer.compare(piece, expected.subarray(at, at + piece.length))).toBe(0);
    }
  });

  it("is refused if a checksum is wrong", async () => {
    folder.img("create", "-q", "-f", "vpc", "-o", "force_size=on", "bad.vhd", `${SIZE}`);
    const image = folder.get("bad.vhd");
    image[512 + 100] ^= 1;
    const open = () => openVhd({ name: "bad.vhd", store: new MemoryStore(image) }, () => Promise.reject(new Error()));
    await expect(open()).rejects.toThrow("bad.vhd is damaged: the checksum of its header is wrong");
    image[0] ^= 1;
    image[image.length - 512] ^= 1;
    await expect(open()).rejects.toThrow(/no VHD footer whose checksum is right/);
  });
});
