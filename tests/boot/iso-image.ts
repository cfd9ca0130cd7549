// SPDX-License-Identifier: Apache-2.0
// A small writer of CD images: ISO 9660 level 1 with one boot image (El Torito), as recipe tool for boot checks.

/** A file of the image: path with slashes, in upper case and 8.3 form, such as `BOOT/VMLINUZ`. */
export interface IsoFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const BLOCK = 2048;
/** Sixteen unused blocks, then primary descriptor, boot record, terminator. */
const FIRST_FREE = 19;
const BOOT_SEGMENT_SECTORS = 4;
const UEFI_PLATFORM = 0xef;

class Directory {
  readonly directories = new Map<string, Directory>();
  readonly files = new Map<string, { bytes: Uint8Array; block: number }>();
  block = 0;
  length = BLOCK;

  constructor(readonly parent: Directory | null) {}
}

/** Numbers in both byte orders, one after the other (ECMA-119, 7.2.3 and 7.3.3). */
function both16(view: DataView, at: number, value: number): void {
  view.setUint16(at, value, true);
  view.setUint16(at + 2, value, false);
}

function both32(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true);
  view.setUint32(at + 4, value, false);
}

function record(name: string, block: number, length: number, directory: boolean): Uint8Array {
  const size = 33 + name.length + (name.length % 2 === 0 ? 1 : 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = size;
  both32(view, 2, block);
  both32(view, 10, length);
  bytes.set([124, 1, 1, 0, 0, 0, 0], 18);
  bytes[25] = directory ? 2 : 0;
  both16(view, 28, 1);
  bytes[32] = name.length;
  bytes.set(Buffer.from(name, "latin1"), 33);
  return bytes;
}

function directoryBytes(directory: Directory): Uint8Array {
  const parent = directory.parent ?? directory;
  const entries = [
    ...[...directory.directories].map(
      ([name, { block, length }]) => [name, record(name, block, length, true)] as const,
    ),
    ...[...directory.files].map(
      ([name, { block, bytes }]) => [name, record(`${name};1`, block, bytes.length, false)] as const,
    ),
  ].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const own = record("\0", directory.block, directory.length, true);
  const up = record("\x01", parent.block, parent.length, true);
  const parts = [own, up, ...entries.map(([, bytes]) => bytes)];
  const bytes = Buffer.concat(parts);
  if (bytes.length > BLOCK) throw new Error("a directory of more than one block is beyond this writer");
  return bytes;
}

function pathTable(root: Directory, bigEndian: boolean): Uint8Array {
  const parts: Buffer[] = [];
  let level: { name: string; directory: Directory; parent: number }[] = [{ name: "\0", directory: root, parent: 1 }];
  let number = 0;
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { name, directory, parent } of level) {
      number++;
      const entry = Buffer.alloc(8 + name.length + (name.length % 2));
      const view = new DataView(entry.buffer, entry.byteOffset);
      entry[0] = name.length;
      view.setUint32(2, directory.block, !bigEndian);
      view.setUint16(6, parent, !bigEndian);
      entry.write(name, 8, "latin1");
      parts.push(entry);
      for (const [child, sub] of directory.directories) next.push({ name: child, directory: sub, parent: number });
    }
    level = next;
  }
  return Buffer.concat(parts);
}

function primaryDescriptor(blocks: number, root: Directory, table: { block: number; length: number }): Uint8Array {
  const bytes = Buffer.alloc(BLOCK);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  bytes.set([1, ...Buffer.from("CD001"), 1]);
  bytes.fill(" ", 8, 72);
  bytes.write("ISOLA_TEST", 40);
  both32(view, 80, blocks);
  for (const at of [120, 124]) both16(view, at, 1);
  both16(view, 128, BLOCK);
  both32(view, 132, table.length);
  view.setUint32(140, table.block, true);
  view.setUint32(148, table.block + 1, false);
  bytes.set(record("\0", root.block, root.length, true), 156);
  bytes.fill(" ", 190, 813);
  for (const at of [813, 830, 847, 864]) bytes.write("0000000000000000\0", at, "latin1");
  bytes[881] = 1;
  return bytes;
}

/**
 * Boot catalogue: one image without emulation (El Torito 1.0, chapter 2). That of UEFI is a FAT volume, for which no
 * number of sectors means up to the end of the CD (UEFI 2.10, 13.3.2.1).
 */
function bootCatalogue(block: number, uefi: boolean): Uint8Array {
  const bytes = Buffer.alloc(BLOCK);
  bytes.set([1, uefi ? UEFI_PLATFORM : 0], 0);
  bytes.set([0x55, 0xaa], 30);
  let sum = 0;
  for (let at = 0; at < 32; at += 2) sum += bytes.readUInt16LE(at);
  bytes.writeUInt16LE(-sum & 0xffff, 28);
  bytes[32] = 0x88;
  bytes.writeUInt16LE(uefi ? 0 : BOOT_SEGMENT_SECTORS, 38);
  bytes.writeUInt32LE(block, 40);
  return bytes;
}

/** What isolinux and others want to know of the image that they are in (mkisofs, "boot information table"). */
function withBootInformation(image: Uint8Array, block: number): Uint8Array {
  const bytes = Buffer.from(image);
  let sum = 0;
  for (let at = 64; at < bytes.length; at += 4)
    sum = (sum + (at + 4 <= bytes.length ? bytes.readUInt32LE(at) : 0)) % 2 ** 32;
  [16, block, bytes.length, sum].forEach((value, i) => bytes.writeUInt32LE(value, 8 + 4 * i));
  return bytes;
}

/**
 * Makes the bytes of a CD image.
 * @param boot path of the file that is booted; with `table`, it is told where it is; with `uefi`, it is a volume of UEFI's
 */
export function isoImage(
  files: readonly IsoFile[],
  boot: { readonly path: string; readonly table: boolean; readonly uefi?: boolean },
): Uint8Array {
  const root = new Directory(null);
  const all: Directory[] = [root];
  for (const { path, bytes } of files) {
    const names = path.split("/");
    let directory = root;
    for (const name of names.slice(0, -1)) {
      const known = directory.directories.get(name) ?? new Directory(directory);
      if (!directory.directories.has(name)) all.push(known);
      directory.directories.set(name, known);
      directory = known;
    }
    directory.files.set(names.at(-1) ?? "", { bytes, block: 0 });
  }
  let next = FIRST_FREE;
  const table = { block: next, length: pathTable(root, false).length };
  const catalogue = next + 2;
  next += 3;
  for (const directory of all) directory.block = next++;
  const placed: { path: string; bytes: Uint8Array; block: number }[] = [];
  for (const { path, bytes } of files) {
    placed.push({ path, bytes, block: next });
    const names = path.split("/");
    let directory = root;
    for (const name of names.slice(0, -1)) directory = directory.directories.get(name) ?? directory;
    directory.files.set(names.at(-1) ?? "", { bytes, block: next });
    next += Math.ceil(bytes.length / BLOCK);
  }
  const image = Buffer.alloc(next * BLOCK);
  const put = (block: number, bytes: Uint8Array): void => image.set(bytes, block * BLOCK);
  put(16, primaryDescriptor(next, root, table));
  const record0 = Buffer.alloc(BLOCK);
  record0.set([0, ...Buffer.from("CD001"), 1]);
  record0.write("EL TORITO SPECIFICATION", 7);
  record0.writeUInt32LE(catalogue, 71);
  put(17, record0);
  put(18, Buffer.from([255, ...Buffer.from("CD001"), 1]));
  put(table.block, pathTable(root, false));
  put(table.block + 1, pathTable(root, true));
  for (const directory of all) put(directory.block, directoryBytes(directory));
  for (const { path, bytes, block } of placed) {
    if (path !== boot.path) put(block, bytes);
    else {
      put(block, boot.table ? withBootInformation(bytes, block) : bytes);
      put(catalogue, bootCatalogue(block, boot.uefi ?? false));
    }
  }
  return image;
}
