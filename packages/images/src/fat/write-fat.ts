// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/** A file of a FAT volume: its path in short names, with slashes, such as `EFI/BOOT/BOOTX64.EFI`. */
export interface FatFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A part of a volume or disk; what lies between parts is zero. */
export interface Extent {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface FatVolume {
  readonly size: number;
  readonly extents: readonly Extent[];
}

const SECTOR = 512;
/** One sector a cluster, as volumes of up to 260 MiB have it; with this many clusters at least a volume is FAT32. */
const MIN_CLUSTERS = 65_525;
const MAX_CLUSTERS = 1 << 20;
const SPARE_CLUSTERS = 1024;
const RESERVED_SECTORS = 32;
const BACKUP_BOOT_SECTOR = 6;
const FAT_COPIES = 2;
const FIRST_CLUSTER = 2;
const END_OF_CHAIN = 0x0fff_ffff;
const MEDIA = 0xf8;
const ENTRY_BYTES = 32;
const ATTRIBUTE_LABEL = 0x08;
const ATTRIBUTE_DIRECTORY = 0x10;
const ATTRIBUTE_ARCHIVE = 0x20;
/** 1 January 2024. */
const DATE = ((2024 - 1980) << 9) | (1 << 5) | 1;

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: Map<string, Uint8Array>;
}

/** The eleven characters of a short name. Throws OperatorError for a name that is none. */
function shortName(name: string): string {
  const match = /^([A-Z0-9_~!#$%&'()@^`{}-]{1,8})(?:\.([A-Z0-9_~!#$%&'()@^`{}-]{1,3}))?$/.exec(name.toUpperCase());
  if (match === null)
    throw new OperatorError(
      "bad-file-name",
      `"${name}" is no name for a FAT volume: give eight letters and three at most`,
    );
  const [, base = "", extension = ""] = match;
  return base.padEnd(8) + extension.padEnd(3);
}

function treeOf(files: readonly FatFile[]): Folder {
  const root: Folder = { folders: new Map(), files: new Map() };
  for (const { path, bytes } of files) {
    const names = path.split("/").map(shortName);
    const last = names.pop() ?? "";
    let folder = root;
    for (const name of names) {
      const next = folder.folders.get(name) ?? { folders: new Map(), files: new Map() };
      folder.folders.set(name, next);
      folder = next;
    }
    folder.files.set(last, bytes);
  }
  return root;
}

/** Puts files and folders into clusters, one behind the other. */
class ClusterWriter {
  readonly table: number[] = [0x0fff_ff00 | MEDIA, END_OF_CHAIN];
  readonly clusters: { readonly cluster: number; readonly bytes: Uint8Array }[] = [];

  /** @param label of the volume, eleven characters */
  constructor(private readonly label: string) {}

  /** Writes a folder with all that is in it; returns its first cluster. `parent` is 0 for the root folder's children. */
  folder({ folders, files }: Folder, parent: number | null): number {
    const isRoot = parent === null;
    const bytes = new Uint8Array((folders.size + files.size + (isRoot ? 1 : 2)) * ENTRY_BYTES);
    const first = this.place(bytes);
    let at = 0;
    const entry = (name: string, attribute: number, cluster: number, size: number): void => {
      writeEntry(bytes.subarray(at, at + ENTRY_BYTES), name, attribute, cluster, size);
      at += ENTRY_BYTES;
    };
    if (isRoot) {
      entry(this.label, ATTRIBUTE_LABEL, 0, 0);
    } else {
      entry(".".padEnd(11), ATTRIBUTE_DIRECTORY, first, 0);
      entry("..".padEnd(11), ATTRIBUTE_DIRECTORY, parent, 0);
    }
    for (const [name, child] of folders) entry(name, ATTRIBUTE_DIRECTORY, this.folder(child, isRoot ? 0 : first), 0);
    for (const [name, content] of files)
      entry(name, ATTRIBUTE_ARCHIVE, content.length === 0 ? 0 : this.place(content), content.length);
    return first;
  }

  /** Takes clusters for bytes, which may still change; returns the first. */
  private place(bytes: Uint8Array): number {
    const first = this.table.length;
    const count = Math.ceil(bytes.length / SECTOR);
    for (let i = 1; i < count; i++) this.table.push(first + i);
    this.table.push(END_OF_CHAIN);
    this.clusters.push({ cluster: first, bytes });
    return first;
  }
}

function writeEntry(bytes: Uint8Array, name: string, attribute: number, cluster: number, size: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_BYTES);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  bytes[11] = attribute;
  for (const at of [16, 18, 24]) view.setUint16(at, DATE, true);
  view.setUint16(20, cluster >>> 16, true);
  view.setUint16(26, cluster & 0xffff, true);
  view.setUint32(28, size, true);
}

function bootSector(sectors: number, tableSectors: number, hidden: number, label: string): Uint8Array {
  const bytes = new Uint8Array(SECTOR);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(Buffer.from(value, "latin1"), at);
  bytes.set([0xeb, 0x58, 0x90]);
  text(3, "MSWIN4.1");
  view.setUint16(11, SECTOR, true);
  bytes[13] = 1;
  view.setUint16(14, RESERVED_SECTORS, true);
  bytes[16] = FAT_COPIES;
  bytes[21] = MEDIA;
  view.setUint16(24, 63, true);
  view.setUint16(26, 255, true);
  view.setUint32(28, hidden, true);
  view.setUint32(32, sectors, true);
  view.setUint32(36, tableSectors, true);
  view.setUint32(44, FIRST_CLUSTER, true);
  view.setUint16(48, 1, true);
  view.setUint16(50, BACKUP_BOOT_SECTOR, true);
  bytes.set([0x80, 0, 0x29], 64);
  view.setUint32(67, 0x1501_a000, true);
  text(71, label);
  text(82, "FAT32   ");
  bytes.set([0x55, 0xaa], SECTOR - 2);
  return bytes;
}

/** FSInfo: how many clusters are free, and where to look for one. */
function fileSystemInformation(free: number, next: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x4161_5252, true);
  view.setUint32(484, 0x6141_7272, true);
  view.setUint32(488, free, true);
  view.setUint32(492, next, true);
  bytes.set([0x55, 0xaa], SECTOR - 2);
  return bytes;
}

/**
 * A FAT32 volume with these files and a little room (Microsoft FAT specification of 2005), as an EFI system partition is
 * one. At most half a gigabyte fits; throws OperatorError beyond that, and for names that are not short ones.
 * @param hidden sectors in front of the volume on its disk
 */
export function writeFat(files: readonly FatFile[], label: string, hidden = 0): FatVolume {
  const padded = label.slice(0, 11).toUpperCase().padEnd(11);
  const writer = new ClusterWriter(padded);
  writer.folder(treeOf(files), null);
  const used = writer.table.length;
  const clusters = Math.max(MIN_CLUSTERS, used) + SPARE_CLUSTERS;
  if (clusters > MAX_CLUSTERS) throw new OperatorError("volume-full", "more than 512 MiB do not fit on a FAT volume");
  const tableSectors = Math.ceil(((clusters + FIRST_CLUSTER) * 4) / SECTOR);
  const firstData = RESERVED_SECTORS + FAT_COPIES * tableSectors;
  const sectors = firstData + clusters;
  const boot = bootSector(sectors, tableSectors, hidden, padded);
  const information = fileSystemInformation(clusters + FIRST_CLUSTER - used, used);
  const table = new Uint8Array(Uint32Array.from(writer.table).buffer);
  const at = (sector: number, bytes: Uint8Array): Extent => ({ offset: sector * SECTOR, bytes });
  return {
    size: sectors * SECTOR,
    extents: [
      at(0, boot),
      at(1, information),
      at(BACKUP_BOOT_SECTOR, boot),
      at(BACKUP_BOOT_SECTOR + 1, information),
      ...Array.from({ length: FAT_COPIES }, (_, copy) => at(RESERVED_SECTORS + copy * tableSectors, table)),
      ...writer.clusters.map(({ cluster, bytes }) => at(firstData + cluster - FIRST_CLUSTER, bytes)),
    ],
  };
}
