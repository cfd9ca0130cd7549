// SPDX-License-Identifier: Apache-2.0
// VMware Virtual Disk Format 1.1, "Hosted Sparse Extents" and "Stream-Optimized Compressed Sparse Extents".
// All integers are little-endian; places and sizes are in sectors of 512 bytes.
import type { BlockStore, Decompressor } from "@isola/ports";
import { ChunkCache } from "../chunk-cache.js";
import { readClipped } from "../clipped-read.js";
import { damaged, unsupported } from "../image-error.js";
import { divideUp, getU64LE, viewOf } from "../integers.js";
import type { Piece } from "../mapped-store.js";
import { settled, type Steps } from "../steps.js";

const SECTOR = 512;
const MAGIC = 0x564d_444b;
const HEADER_LENGTH = 512;
/** A grain directory "at the end": the footer, two sectors before the end of the file, has the place. */
const AT_END = 2 ** 64;
const MAX_DIRECTORY_BYTES = 32 << 20;
const MAX_GRAIN_SECTORS = 4096;
const CACHED_TABLES = 64;
const CACHED_BYTES = 2 << 20;
const MAX_DESCRIPTOR_BYTES = 1 << 20;

const enum Field {
  Magic = 0,
  Version = 4,
  Flags = 8,
  Capacity = 12,
  GrainSize = 20,
  DescriptorOffset = 28,
  DescriptorSize = 36,
  TableEntries = 44,
  DirectoryOffset = 56,
  Compression = 77,
}

const enum Flag {
  /** An entry of 1 in a grain table stands for zeros. */
  ZeroedGrain = 4,
  Compressed = 0x1_0000,
}

const DEFLATE = 1;

interface SparseHeader {
  /** Bytes of the disk. */
  readonly capacity: number;
  /** Bytes of a grain. */
  readonly grain: number;
  readonly tableEntries: number;
  readonly directory: number;
  readonly zeroedGrain: boolean;
  readonly compressed: boolean;
  readonly descriptor: { readonly offset: number; readonly bytes: number };
}

function parseHeader(name: string, bytes: Uint8Array): SparseHeader {
  const view = viewOf(bytes);
  if (view.getUint32(Field.Magic, true) !== MAGIC) throw damaged(name, "it has no VMDK header");
  const version = view.getUint32(Field.Version, true);
  if (version < 1 || version > 3) throw unsupported(name, `is a VMDK of version ${version}; there are 1 to 3`);
  const flags = view.getUint32(Field.Flags, true);
  const grainSectors = getU64LE(view, Field.GrainSize);
  const tableEntries = view.getUint32(Field.TableEntries, true);
  const capacity = getU64LE(view, Field.Capacity) * SECTOR;
  if (!(grainSectors >= 1 && grainSectors <= MAX_GRAIN_SECTORS))
    throw damaged(name, `grains of ${grainSectors} sectors`);
  if (tableEntries < 1 || tableEntries > 4096) throw damaged(name, `grain tables of ${tableEntries} entries`);
  if (!Number.isSafeInteger(capacity)) throw damaged(name, "its disk is larger than any");
  const compressed = (flags & Flag.Compressed) !== 0;
  if (compressed && view.getUint16(Field.Compression, true) !== DEFLATE)
    throw unsupported(name, `uses the unknown compression ${view.getUint16(Field.Compression, true)}`);
  return {
    capacity,
    grain: grainSectors * SECTOR,
    tableEntries,
    directory: getU64LE(view, Field.DirectoryOffset) * SECTOR,
    zeroedGrain: (flags & Flag.ZeroedGrain) !== 0,
    compressed,
    descriptor: {
      offset: getU64LE(view, Field.DescriptorOffset) * SECTOR,
      bytes: getU64LE(view, Field.DescriptorSize) * SECTOR,
    },
  };
}

/** A sparse extent: a directory of tables of grains. */
export class SparseExtent {
  private readonly tables = new ChunkCache<DataView>(CACHED_TABLES);
  private readonly grains: ChunkCache<Uint8Array>;

  private constructor(
    private readonly file: BlockStore,
    private readonly name: string,
    private readonly header: SparseHeader,
    private readonly directory: DataView,
    private readonly decompressor: Decompressor | null,
  ) {
    this.grains = new ChunkCache(Math.max(1, Math.floor(CACHED_BYTES / header.grain)));
  }

  static *open(file: BlockStore, name: string, decompressor: Decompressor | null): Steps<SparseExtent> {
    const bytes = new Uint8Array(HEADER_LENGTH);
    yield* readClipped(file, 0, bytes);
    let header = parseHeader(name, bytes);
    if (header.directory >= AT_END) {
      yield* readClipped(file, Math.max(0, file.size - 2 * SECTOR), bytes);
      header = { ...parseHeader(name, bytes), descriptor: header.descriptor };
    }
    const span = header.grain * header.tableEntries;
    const length = divideUp(header.capacity, span) * 4;
    if (length > MAX_DIRECTORY_BYTES || header.directory + length > file.size)
      throw damaged(
        name,
        `its grain directory is at ${header.directory}, in a file of ${file.size} bytes; is it truncated?`,
      );
    const directory = new Uint8Array(length);
    yield* readClipped(file, header.directory, directory);
    return new SparseExtent(file, name, header, viewOf(directory), decompressor);
  }

  /** Bytes of the disk. */
  get capacity(): number {
    return this.header.capacity;
  }

  /** The descriptor inside the file, or an empty one. */
  *descriptor(): Steps<Uint8Array> {
    const { offset, bytes } = this.header.descriptor;
    const length = offset === 0 ? 0 : Math.min(bytes, MAX_DESCRIPTOR_BYTES, Math.max(0, this.file.size - offset));
    const text = new Uint8Array(length);
    yield* readClipped(this.file, offset, text);
    return text;
  }

  /** Where bytes from `offset` on are; null if the extent has nothing there, for the rest of this grain. */
  *locate(offset: number, length: number): Steps<Piece | { readonly from: undefined; readonly length: number }> {
    const { grain, tableEntries, zeroedGrain, compressed } = this.header;
    const within = offset % grain;
    const most = Math.min(length, grain - within);
    const index = Math.floor(offset / grain);
    const table = yield* this.table(Math.floor(index / tableEntries));
    const entry = table === null ? 0 : table.getUint32((index % tableEntries) * 4, true);
    if (entry === 0) return { from: undefined, length: most };
    if (entry === 1 && zeroedGrain) return { from: null, offset: 0, length: most };
    const place = entry * SECTOR;
    if (place >= this.file.size) throw damaged(this.name, `grain ${index} is at ${place}, behind the end of the file`);
    if (!compressed) return { from: this.file, offset: place + within, length: most };
    return { from: yield* this.unpack(place), offset: within, length: most };
  }

  private *table(index: number): Steps<DataView | null> {
    const place = this.directory.getUint32(index * 4, true) * SECTOR;
    if (place === 0) return null;
    const known = this.tables.get(place);
    if (known !== undefined) return known;
    if (place >= this.file.size) throw damaged(this.name, `grain table ${index} is at ${place}, behind the end`);
    const bytes = new Uint8Array(this.header.tableEntries * 4);
    yield* readClipped(this.file, place, bytes);
    this.tables.set(place, viewOf(bytes));
    return viewOf(bytes);
  }

  /** A compressed grain: its number (8 bytes), its length (4 bytes), a zlib stream. */
  private *unpack(place: number): Steps<Uint8Array> {
    const known = this.grains.get(place);
    if (known !== undefined) return known;
    const { grain, capacity } = this.header;
    if (this.decompressor === null) throw unsupported(this.name, "is compressed, which this host cannot unpack");
    const marker = new Uint8Array(12);
    yield* readClipped(this.file, place, marker);
    const length = viewOf(marker).getUint32(8, true);
    if (length === 0 || length > 2 * grain + SECTOR) throw damaged(this.name, `a compressed grain of ${length} bytes`);
    const data = new Uint8Array(length);
    yield* readClipped(this.file, place + marker.length, data);
    const first = getU64LE(viewOf(marker), 0) * SECTOR;
    try {
      const bytes = yield* settled(this.decompressor.inflate(data, grain));
      this.grains.set(place, bytes);
      return bytes;
    } catch (cause) {
      throw damaged(this.name, `the grain of byte ${first} of ${capacity} cannot be unpacked`, { cause });
    }
  }
}
