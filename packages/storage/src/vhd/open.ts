// SPDX-License-Identifier: Apache-2.0
// Microsoft, "Virtual Hard Disk Image Format Specification" 1.0. All integers are big-endian.
import type { BlockStore } from "@isola/ports";
import { ChunkCache } from "../chunk-cache.js";
import { readClipped } from "../clipped-read.js";
import { damaged, unsupported } from "../image-error.js";
import type { ImageFile } from "../image/image-host.js";
import { divideUp, getU64, roundUp, viewOf } from "../integers.js";
import { MappedStore, type Piece } from "../mapped-store.js";
import { perform, type Steps } from "../steps.js";

const SECTOR = 512;
const FOOTER_LENGTH = 512;
const HEADER_LENGTH = 1024;
const UNUSED = 0xffff_ffff;
const MAX_TABLE_BYTES = 64 << 20;
const MAX_BLOCK = 256 << 20;
const CACHED_BITMAPS = 256;
/** The largest geometry; what is larger says its size in bytes only. */
const MAX_CHS_SECTORS = 65535 * 16 * 255;
/** Programs whose images have the right size in bytes; others, as the format says, in cylinders, heads and sectors. */
const EXACT_SIZE = new Set(["win ", "qem2", "d2v ", "tap\0", "CTXS"]);

const enum Footer {
  DataOffset = 16,
  Creator = 28,
  CurrentSize = 48,
  Cylinders = 56,
  Heads = 58,
  SectorsPerTrack = 59,
  DiskType = 60,
  Checksum = 64,
}

const enum DiskType {
  Fixed = 2,
  Dynamic = 3,
  Differencing = 4,
}

const enum Header {
  TableOffset = 16,
  TableEntries = 28,
  BlockSize = 32,
  Checksum = 36,
  ParentName = 64,
}

const latin1 = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

/** The one's complement of the sum of all bytes but those of the sum itself. */
function checksum(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) if (i < at || i >= at + 4) sum += bytes[i];
  return ~sum >>> 0;
}

function* readFooter(file: BlockStore, name: string): Steps<DataView> {
  const footer = new Uint8Array(FOOTER_LENGTH);
  // A writer that died may have lost the footer at the end; a dynamic disk has a copy at its beginning.
  for (const at of [Math.floor((file.size - 1) / SECTOR) * SECTOR, 0]) {
    if (at < 0) continue;
    yield* readClipped(file, at, footer);
    const view = viewOf(footer);
    if (
      latin1(footer.subarray(0, 8)) === "conectix" &&
      checksum(footer, Footer.Checksum) === view.getUint32(Footer.Checksum)
    )
      return view;
  }
  throw damaged(name, "it has no VHD footer whose checksum is right; is it truncated?");
}

function sizeOf(footer: DataView): number {
  const creator = latin1(new Uint8Array(footer.buffer, Footer.Creator, 4));
  const sectors =
    footer.getUint16(Footer.Cylinders) * footer.getUint8(Footer.Heads) * footer.getUint8(Footer.SectorsPerTrack);
  const bytes = getU64(footer, Footer.CurrentSize);
  return EXACT_SIZE.has(creator) || sectors === 0 || sectors >= MAX_CHS_SECTORS ? bytes : sectors * SECTOR;
}

/** Opens the parent of a differencing disk, by the name that its header has. */
export type OpenParent = (reference: string) => Promise<BlockStore>;

/** Opens a VHD for reading: fixed, dynamic or differencing. */
export async function openVhd({ name, store }: ImageFile, openParent: OpenParent): Promise<BlockStore> {
  const footer = await perform(readFooter(store, name));
  const type = footer.getUint32(Footer.DiskType);
  const size = sizeOf(footer);
  if (!Number.isSafeInteger(size)) throw damaged(name, "its disk is larger than any");
  if (type === DiskType.Fixed) {
    if (size > store.size) throw damaged(name, `a disk of ${size} bytes in a file of ${store.size}; is it truncated?`);
    return new MappedStore(name, size, (offset, length) => ({ from: store, offset, length }), [store]);
  }
  if (type !== DiskType.Dynamic && type !== DiskType.Differencing)
    throw unsupported(name, `is a VHD of the unknown type ${type}`);
  const disk = await perform(DynamicDisk.open(store, name, getU64(footer, Footer.DataOffset), size));
  const parent = type === DiskType.Differencing ? await openParent(disk.parentName) : null;
  const locate = (offset: number, length: number) => disk.locate(offset, length, parent);
  return new MappedStore(name, size, locate, parent === null ? [store] : [store, parent]);
}

/** A table of blocks, each with a bitmap of its sectors in front. */
class DynamicDisk {
  private readonly bitmaps = new ChunkCache<Uint8Array>(CACHED_BITMAPS);
  private readonly bitmapBytes: number;

  private constructor(
    private readonly file: BlockStore,
    private readonly name: string,
    private readonly blockSize: number,
    private readonly table: DataView,
    readonly parentName: string,
  ) {
    this.bitmapBytes = roundUp(divideUp(blockSize / SECTOR, 8), SECTOR);
  }

  static *open(file: BlockStore, name: string, place: number, size: number): Steps<DynamicDisk> {
    const header = new Uint8Array(HEADER_LENGTH);
    if (!(place + HEADER_LENGTH <= file.size)) throw damaged(name, `its header is at ${place}; is it truncated?`);
    yield* readClipped(file, place, header);
    const view = viewOf(header);
    if (
      latin1(header.subarray(0, 8)) !== "cxsparse" ||
      checksum(header, Header.Checksum) !== view.getUint32(Header.Checksum)
    )
      throw damaged(name, "the checksum of its header is wrong");
    const blockSize = view.getUint32(Header.BlockSize);
    if (blockSize < SECTOR || blockSize > MAX_BLOCK || (blockSize & (blockSize - 1)) !== 0)
      throw damaged(name, `blocks of ${blockSize} bytes`);
    const entries = view.getUint32(Header.TableEntries);
    const tableOffset = getU64(view, Header.TableOffset);
    if (entries * blockSize < size || entries * 4 > MAX_TABLE_BYTES || tableOffset + entries * 4 > file.size)
      throw damaged(name, `a table of ${entries} blocks at ${tableOffset}; is it truncated?`);
    const table = new Uint8Array(entries * 4);
    yield* readClipped(file, tableOffset, table);
    return new DynamicDisk(file, name, blockSize, viewOf(table), parentNameOf(view));
  }

  *locate(offset: number, length: number, parent: BlockStore | null): Steps<Piece> {
    const { blockSize } = this;
    const within = offset % blockSize;
    const most = Math.min(length, blockSize - within);
    const index = Math.floor(offset / blockSize);
    const entry = this.table.getUint32(index * 4);
    if (entry === UNUSED) return { from: parent, offset, length: most };
    const place = entry * SECTOR;
    if (place >= this.file.size) throw damaged(this.name, `block ${index} is at ${place}, behind the end of the file`);
    // In a disk without a parent, sectors that were never written are zeros in the block too.
    if (parent === null) return { from: this.file, offset: place + this.bitmapBytes + within, length: most };
    const bitmap = yield* this.bitmap(place);
    const has = (sector: number) => ((bitmap[sector >> 3] >> (7 - (sector & 7))) & 1) !== 0;
    const first = Math.floor(within / SECTOR);
    const own = has(first);
    let end = (first + 1) * SECTOR;
    while (end < within + most && has(end / SECTOR) === own) end += SECTOR;
    const bytes = Math.min(most, end - within);
    if (own) return { from: this.file, offset: place + this.bitmapBytes + within, length: bytes };
    return { from: parent, offset, length: bytes };
  }

  private *bitmap(place: number): Steps<Uint8Array> {
    const known = this.bitmaps.get(place);
    if (known !== undefined) return known;
    const bitmap = new Uint8Array(this.bitmapBytes);
    yield* readClipped(this.file, place, bitmap);
    this.bitmaps.set(place, bitmap);
    return bitmap;
  }
}

/** UTF-16, most significant byte first, up to a zero. */
function parentNameOf(header: DataView): string {
  let name = "";
  for (let at = Header.ParentName; at < Header.ParentName + 512; at += 2) {
    const unit = header.getUint16(at);
    if (unit === 0) break;
    name += String.fromCharCode(unit);
  }
  // Windows paths: only the file's own name can mean anything here.
  return name.split("\\").at(-1) ?? "";
}
