// SPDX-License-Identifier: Apache-2.0
import { crc32 } from "node:zlib";
import type { Extent } from "../fat/write-fat.js";

/** Types of partition by the GUIDs that name them (UEFI 2.10, table 5.7; Discoverable Partitions Specification). */
export const PARTITION_TYPES = {
  efiSystem: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  linux: "0fc63daf-8483-4772-8e79-3d69d8477de4",
} as const;

export interface GptPartition {
  readonly type: keyof typeof PARTITION_TYPES;
  readonly name: string;
  /** Names this partition among all; in the usual form with dashes. */
  readonly guid: string;
  /** Bytes; rounded up to whole sectors. */
  readonly size: number;
}

/** Where a disk has what. */
export interface GptLayout {
  readonly size: number;
  /** Offset of each partition. */
  readonly starts: readonly number[];
  /** The protective MBR and both partition tables. */
  readonly extents: readonly Extent[];
}

const SECTOR = 512;
const ALIGNMENT = 1 << 20;
const ENTRIES = 128;
const ENTRY_BYTES = 128;
const TABLE_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR;
const HEADER_BYTES = 92;
const REVISION = 0x0001_0000;
const NAME_LETTERS = 36;

/** The bytes of a GUID: its first three fields are little endian (UEFI 2.10, appendix A). */
function guidBytes(guid: string): Uint8Array {
  const bytes = Buffer.from(guid.replaceAll("-", ""), "hex");
  return Uint8Array.from([3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15], (at) => bytes[at] ?? 0);
}

/** One partition of type EE over the whole disk, for programs that do not know GPT (5.2.3). */
function protectiveMbr(sectors: number): Uint8Array {
  const bytes = new Uint8Array(SECTOR);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  view.setUint32(454, 1, true);
  view.setUint32(458, Math.min(sectors - 1, 0xffff_ffff), true);
  bytes.set([0x55, 0xaa], SECTOR - 2);
  return bytes;
}

function tableOf(partitions: readonly GptPartition[], starts: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ENTRIES * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  partitions.forEach(({ type, name, guid, size }, i) => {
    const at = i * ENTRY_BYTES;
    const first = (starts[i] ?? 0) / SECTOR;
    bytes.set(guidBytes(PARTITION_TYPES[type]), at);
    bytes.set(guidBytes(guid), at + 16);
    view.setBigUint64(at + 32, BigInt(first), true);
    view.setBigUint64(at + 40, BigInt(first + Math.ceil(size / SECTOR) - 1), true);
    bytes.set(Buffer.from(name.slice(0, NAME_LETTERS), "utf16le"), at + 56);
  });
  return bytes;
}

/** A header at sector `at` whose copy is at `other` and whose table is at `table` (5.3.2). */
function headerOf(guid: string, sectors: number, place: { at: number; other: number; table: number }, crc: number) {
  const bytes = new Uint8Array(SECTOR);
  const view = new DataView(bytes.buffer);
  const set64 = (offset: number, value: number): void => view.setBigUint64(offset, BigInt(value), true);
  bytes.set(Buffer.from("EFI PART", "latin1"));
  view.setUint32(8, REVISION, true);
  view.setUint32(12, HEADER_BYTES, true);
  set64(24, place.at);
  set64(32, place.other);
  set64(40, 2 + TABLE_SECTORS);
  set64(48, sectors - 2 - TABLE_SECTORS);
  bytes.set(guidBytes(guid), 56);
  set64(72, place.table);
  view.setUint32(80, ENTRIES, true);
  view.setUint32(84, ENTRY_BYTES, true);
  view.setUint32(88, crc, true);
  view.setUint32(16, crc32(bytes.subarray(0, HEADER_BYTES)), true);
  return bytes;
}

/**
 * Lays partitions out on a disk with a GUID partition table, one behind the other on whole MiB. The disk is as large as it
 * has to be, in whole MiB.
 * @param guid of the disk
 */
export function layOutGpt(guid: string, partitions: readonly GptPartition[]): GptLayout {
  const up = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
  const starts: number[] = [];
  let end = ALIGNMENT;
  for (const { size } of partitions) {
    starts.push(end);
    end = up(end + size);
  }
  const size = end + ALIGNMENT;
  const sectors = size / SECTOR;
  const table = tableOf(partitions, starts);
  const crc = crc32(table);
  const [last, backup] = [sectors - 1, sectors - 1 - TABLE_SECTORS];
  const at = (sector: number, bytes: Uint8Array): Extent => ({ offset: sector * SECTOR, bytes });
  return {
    size,
    starts,
    extents: [
      at(0, protectiveMbr(sectors)),
      at(1, headerOf(guid, sectors, { at: 1, other: last, table: 2 }, crc)),
      at(2, table),
      at(backup, table),
      at(last, headerOf(guid, sectors, { at: last, other: 1, table: backup }, crc)),
    ],
  };
}
