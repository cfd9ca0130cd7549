// SPDX-License-Identifier: Apache-2.0
// [MS-VHDX]: Virtual Hard Disk v2 (VHDX) File Format. All integers are little-endian.
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged, unsupported } from "../image-error.js";
import type { ImageFile } from "../image/image-host.js";
import { divideUp, getU64LE, viewOf } from "../integers.js";
import { type Locate, MappedStore, type Piece } from "../mapped-store.js";
import { perform, type Steps } from "../steps.js";
import { crc32c } from "./crc32c.js";

const KIB64 = 1 << 16;
const MIB = 1 << 20;
/** Two headers and two region tables, of which the newer sound one counts. */
const HEADERS = [KIB64, 2 * KIB64];
const HEADER_LENGTH = 4096;
const REGION_TABLES = [3 * KIB64, 4 * KIB64];
const MAX_REGIONS = 2047;
const MAX_ITEMS = 2047;
const MAX_TABLE_BYTES = 256 << 20;
/** Chunks of 2^23 sectors share a block of sector bitmaps (2.5.1). */
const CHUNK_SECTORS = 2 ** 23;
const NO_GUID = "00000000-0000-0000-0000-000000000000";

const REGION = {
  blockTable: "2dc27766-f623-4200-9d64-115e9bfd4a08",
  metadata: "8b7ca206-4790-4b9a-b8fe-575f050f886e",
} as const;

const ITEM = {
  fileParameters: "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
  diskSize: "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
  logicalSector: "8141bf1d-a96f-4709-ba47-f233a8faab5f",
} as const;

const enum BlockState {
  NotPresent = 0,
  Undefined = 1,
  Zero = 2,
  Unmapped = 3,
  FullyPresent = 6,
  PartiallyPresent = 7,
}

/** A stretch of the file. */
interface Region {
  readonly offset: number;
  readonly length: number;
}

const signature = (view: DataView, length: number, at = 0) =>
  Array.from({ length }, (_, i) => String.fromCharCode(view.getUint8(at + i))).join("");

/** A GUID in its usual text form: three little-endian numbers, then bytes. */
function guidAt(view: DataView, at: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const bytes = Array.from({ length: 8 }, (_, i) => hex(view.getUint8(at + 8 + i), 2)).join("");
  const numbers = `${hex(view.getUint32(at, true), 8)}-${hex(view.getUint16(at + 4, true), 4)}`;
  return `${numbers}-${hex(view.getUint16(at + 6, true), 4)}-${bytes.slice(0, 4)}-${bytes.slice(4)}`;
}

/** A structure with its signature and checksum right, or null. */
function* readChecked(file: BlockStore, at: number, length: number, name: string): Steps<DataView | null> {
  const bytes = new Uint8Array(length);
  yield* readClipped(file, at, bytes);
  const view = viewOf(bytes);
  return signature(view, 4) === name && view.getUint32(4, true) === crc32c(bytes, 4) ? view : null;
}

function* checkHeader(file: BlockStore, name: string): Steps<void> {
  let current: DataView | null = null;
  for (const at of HEADERS) {
    const view = yield* readChecked(file, at, HEADER_LENGTH, "head");
    if (view !== null && (current === null || getU64LE(view, 8) > getU64LE(current, 8))) current = view;
  }
  if (current === null) throw damaged(name, "none of its headers has the right checksum");
  const version = current.getUint16(66, true);
  if (version !== 1) throw unsupported(name, `is a VHDX of version ${version}; there is 1`);
  if (guidAt(current, 48) !== NO_GUID)
    throw unsupported(
      name,
      "was not closed: its log has changes that are not in the disk yet; open and close it once where it was made",
    );
}

function* readRegions(file: BlockStore, name: string): Steps<Map<string, Region>> {
  for (const at of REGION_TABLES) {
    const view = yield* readChecked(file, at, KIB64, "regi");
    if (view === null) continue;
    const regions = new Map<string, Region>();
    const count = Math.min(view.getUint32(8, true), MAX_REGIONS);
    for (let i = 0; i < count; i++) {
      const entry = 16 + i * 32;
      const id = guidAt(view, entry);
      const required = (view.getUint32(entry + 28, true) & 1) !== 0;
      if (required && !Object.values<string>(REGION).includes(id))
        throw unsupported(name, `needs something that is not known here: region ${id}`);
      const region = { offset: getU64LE(view, entry + 16), length: view.getUint32(entry + 24, true) };
      if (region.offset + region.length > Math.ceil(file.size / MIB) * MIB)
        throw damaged(name, `region ${id} is at ${region.offset}, behind the end of the file`);
      regions.set(id, region);
    }
    return regions;
  }
  throw damaged(name, "none of its region tables has the right checksum");
}

interface Metadata {
  readonly blockSize: number;
  readonly hasParent: boolean;
  readonly size: number;
  readonly sector: number;
}

function* readMetadata(file: BlockStore, name: string, { offset, length }: Region): Steps<Metadata> {
  const bytes = new Uint8Array(Math.min(length, MIB));
  yield* readClipped(file, offset, bytes);
  const table = viewOf(bytes);
  if (bytes.length < KIB64 || signature(table, 8) !== "metadata") throw damaged(name, "it has no metadata table");
  const places = new Map<string, number>();
  const count = Math.min(table.getUint16(10, true), MAX_ITEMS);
  for (let i = 0; i < count; i++) {
    const entry = 32 + i * 32;
    const at = table.getUint32(entry + 16, true);
    if (at + 8 <= bytes.length) places.set(guidAt(table, entry), at);
  }
  const place = (item: keyof typeof ITEM) => {
    const at = places.get(ITEM[item]);
    if (at === undefined) throw damaged(name, `its metadata does not tell the ${item}`);
    return at;
  };
  const parameters = place("fileParameters");
  return {
    blockSize: table.getUint32(parameters, true),
    hasParent: (table.getUint32(parameters + 4, true) & 2) !== 0,
    size: getU64LE(table, place("diskSize")),
    sector: table.getUint32(place("logicalSector"), true),
  };
}

function checkMetadata(name: string, { blockSize, hasParent, size, sector }: Metadata): void {
  if (hasParent) throw unsupported(name, "is a differencing VHDX, which is not supported; merge it first");
  if (blockSize < MIB || blockSize > 256 * MIB || (blockSize & (blockSize - 1)) !== 0)
    throw damaged(name, `blocks of ${blockSize} bytes`);
  if (sector !== 512 && sector !== 4096) throw damaged(name, `sectors of ${sector} bytes`);
  if (!Number.isSafeInteger(size) || size % sector !== 0) throw damaged(name, `a disk of ${size} bytes`);
}

/** Opens a VHDX without a parent for reading. Throws OperatorError, also if its log has changes to be replayed. */
export async function openVhdx({ name, store }: ImageFile): Promise<BlockStore> {
  return await perform(open(name, store));
}

function* open(name: string, file: BlockStore): Steps<BlockStore> {
  yield* checkHeader(file, name);
  const regions = yield* readRegions(file, name);
  const metadataRegion = regions.get(REGION.metadata);
  const tableRegion = regions.get(REGION.blockTable);
  if (metadataRegion === undefined || tableRegion === undefined) throw damaged(name, "it lacks a table of regions");
  const metadata = yield* readMetadata(file, name, metadataRegion);
  checkMetadata(name, metadata);
  const { blockSize, size, sector } = metadata;
  const chunkBlocks = (CHUNK_SECTORS * sector) / blockSize;
  const blocks = divideUp(size, blockSize);
  const entries = blocks + Math.floor((blocks - 1) / chunkBlocks);
  if (entries * 8 > MAX_TABLE_BYTES || entries * 8 > tableRegion.length)
    throw damaged(name, `a table of ${tableRegion.length} bytes for ${blocks} blocks`);
  const bytes = new Uint8Array(entries * 8);
  yield* readClipped(file, tableRegion.offset, bytes);
  return new MappedStore(name, size, locateIn(name, file, viewOf(bytes), blockSize, chunkBlocks), [file]);
}

function locateIn(name: string, file: BlockStore, table: DataView, blockSize: number, chunkBlocks: number): Locate {
  return (offset, length): Piece => {
    const block = Math.floor(offset / blockSize);
    const within = offset % blockSize;
    const most = Math.min(length, blockSize - within);
    // After the blocks of each chunk stands one entry for their sector bitmaps.
    const at = (block + Math.floor(block / chunkBlocks)) * 8;
    const low = table.getUint32(at, true);
    switch (low & 7) {
      case BlockState.FullyPresent: {
        // Bits 20 to 63: the place in MiB.
        const place = (table.getUint32(at + 4, true) * 2 ** 12 + (low >>> 20)) * MIB;
        if (place < MIB || place >= file.size) throw damaged(name, `block ${block} is at ${place}, outside the file`);
        return { from: file, offset: place + within, length: most };
      }
      case BlockState.NotPresent:
      case BlockState.Undefined:
      case BlockState.Zero:
      case BlockState.Unmapped:
        return { from: null, offset: 0, length: most };
      default:
        throw damaged(name, `block ${block} has the state ${low & 7}`);
    }
  };
}
