// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged, unsupported } from "../image-error.js";
import { divideUp, getU64, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import { decodeText } from "../text.js";
import { Geometry } from "./geometry.js";
import {
  Compression,
  Extension,
  Field,
  FULL_HEADER_LENGTH,
  Incompatible,
  MAGIC,
  MAX_BACKING_NAME,
  MAX_CLUSTER_BITS,
  MAX_L1_BYTES,
  MAX_REFCOUNT_TABLE_BYTES,
  MAX_SNAPSHOTS,
  MIN_CLUSTER_BITS,
  V2_HEADER_LENGTH,
  V3_HEADER_LENGTH,
} from "./format.js";

/** Where the directory of persistent bitmaps is. */
export interface BitmapDirectory {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

/** What the header of a qcow2 image says. Offsets are in bytes of the file and already checked against its size. */
export interface Header {
  readonly version: 2 | 3;
  readonly geometry: Geometry;
  /** Size of the disk in bytes. */
  readonly size: number;
  readonly backing: { readonly name: string; readonly format: string | null } | null;
  readonly l1: { readonly offset: number; readonly entries: number };
  readonly refcountTable: { readonly offset: number; readonly clusters: number };
  readonly snapshots: { readonly offset: number; readonly count: number };
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly lazyRefcounts: boolean;
  /** Any autoclear bit is set; who changes the image and does not keep them up must clear them. */
  readonly autoclear: boolean;
  readonly bitmaps: BitmapDirectory | null;
  readonly compression: Compression;
}

interface Extensions {
  backingFormat: string | null;
  bitmaps: BitmapDirectory | null;
  /** Names of incompatible features by bit number. */
  readonly names: Map<number, string>;
}

const KNOWN_INCOMPATIBLE = Incompatible.Dirty | Incompatible.Corrupt | Incompatible.CompressionType;

/** Reads and checks the header. Throws OperatorError for what is damaged or not supported. */
export function* readHeader(file: BlockStore, name: string): Steps<Header> {
  const head = new Uint8Array(FULL_HEADER_LENGTH);
  yield* readClipped(file, 0, head);
  const view = viewOf(head);
  if (view.getUint32(Field.Magic) !== MAGIC) throw damaged(name, "it does not begin like a qcow2 image");
  const version = view.getUint32(Field.Version);
  if (version !== 2 && version !== 3)
    throw unsupported(name, `is a qcow image of version ${version}; there are 2 and 3`);
  const clusterBits = view.getUint32(Field.ClusterBits);
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS)
    throw damaged(name, `clusters of 2^${clusterBits} bytes`);
  const refcountOrder = version === 2 ? 4 : view.getUint32(Field.RefcountOrder);
  if (refcountOrder > 6) throw damaged(name, `refcounts of 2^${refcountOrder} bits`);
  const geometry = new Geometry(clusterBits, refcountOrder);
  const headerLength = version === 2 ? V2_HEADER_LENGTH : view.getUint32(Field.HeaderLength);
  if (headerLength < (version === 2 ? V2_HEADER_LENGTH : V3_HEADER_LENGTH) || headerLength > geometry.clusterSize)
    throw damaged(name, `a header of ${headerLength} bytes`);
  const first = new Uint8Array(geometry.clusterSize);
  yield* readClipped(file, 0, first);
  const backingOffset = getU64(view, Field.BackingOffset);
  const extensions = readExtensions(first, headerLength, backingOffset);
  const incompatible = version === 2 ? 0 : view.getUint32(Field.Incompatible + 4);
  checkFeatures(name, view, version, incompatible, extensions);
  const crypt = view.getUint32(Field.CryptMethod);
  if (crypt !== 0) throw unsupported(name, "is encrypted, which is not supported; decrypt it first");
  const compression =
    version === 3 && headerLength > Field.CompressionType ? view.getUint8(Field.CompressionType) : Compression.Deflate;
  if (compression > Compression.Zstd) throw unsupported(name, `uses the unknown compression ${compression}`);
  const header: Header = {
    version,
    geometry,
    size: getU64(view, Field.Size),
    backing: backingOf(name, first, view, backingOffset, extensions),
    l1: { offset: getU64(view, Field.L1Offset), entries: view.getUint32(Field.L1Entries) },
    refcountTable: {
      offset: getU64(view, Field.RefcountTableOffset),
      clusters: view.getUint32(Field.RefcountTableClusters),
    },
    snapshots: { offset: getU64(view, Field.SnapshotsOffset), count: view.getUint32(Field.Snapshots) },
    dirty: (incompatible & Incompatible.Dirty) !== 0,
    corrupt: (incompatible & Incompatible.Corrupt) !== 0,
    lazyRefcounts: version === 3 && (view.getUint32(Field.Compatible + 4) & 1) !== 0,
    autoclear: version === 3 && getU64(view, Field.Autoclear) !== 0,
    bitmaps: version === 3 && (view.getUint32(Field.Autoclear + 4) & 1) !== 0 ? extensions.bitmaps : null,
    compression,
  };
  checkPlaces(name, header, file.size);
  return header;
}

function readExtensions(first: Uint8Array, start: number, backingOffset: number): Extensions {
  const view = viewOf(first);
  const end = backingOffset >= start && backingOffset <= first.length ? backingOffset : first.length;
  const found: Extensions = { backingFormat: null, bitmaps: null, names: new Map() };
  for (let at = start; at + 8 <= end;) {
    const type = view.getUint32(at);
    const length = view.getUint32(at + 4);
    at += 8;
    if (type === Extension.End || length > end - at) break;
    const data = first.subarray(at, at + length);
    if (type === Extension.BackingFormat) found.backingFormat = decodeText(data);
    else if (type === Extension.FeatureNames) readFeatureNames(data, found.names);
    else if (type === Extension.Bitmaps && length >= 24)
      found.bitmaps = { count: view.getUint32(at), bytes: getU64(view, at + 8), offset: getU64(view, at + 16) };
    at += divideUp(length, 8) * 8;
  }
  return found;
}

/** Entries of 48 bytes: kind of feature (0 = incompatible), bit number, name. */
function readFeatureNames(data: Uint8Array, names: Map<number, string>): void {
  for (let at = 0; at + 48 <= data.length; at += 48) {
    const text = data.subarray(at + 2, at + 48);
    const end = text.indexOf(0);
    if (data[at] === 0) names.set(data[at + 1], decodeText(end < 0 ? text : text.subarray(0, end)));
  }
}

function checkFeatures(name: string, view: DataView, version: number, bits: number, { names }: Extensions): void {
  if ((bits & Incompatible.ExternalData) !== 0)
    throw unsupported(name, "keeps its data in another file, which is not supported; convert it with qemu-img first");
  if ((bits & Incompatible.ExtendedL2) !== 0)
    throw unsupported(name, "has subclusters (extended L2 entries), which are not supported; convert it first");
  const high = version === 2 ? 0 : view.getUint32(Field.Incompatible);
  for (let bit = 0; bit < 64; bit++) {
    const set = ((bit < 32 ? bits & ~KNOWN_INCOMPATIBLE : high) >>> (bit & 31)) & 1;
    if (set === 0) continue;
    const known = names.get(bit);
    throw unsupported(name, `needs a feature that is not known here: ${known ?? `incompatible feature bit ${bit}`}`);
  }
}

function backingOf(
  name: string,
  first: Uint8Array,
  view: DataView,
  offset: number,
  { backingFormat }: Extensions,
): Header["backing"] {
  const length = view.getUint32(Field.BackingLength);
  if (offset === 0 || length === 0) return null;
  if (length > MAX_BACKING_NAME || offset + length > first.length)
    throw damaged(name, "the name of its backing file is too long");
  return { name: decodeText(first.subarray(offset, offset + length)), format: backingFormat };
}

function checkPlaces(name: string, header: Header, fileSize: number): void {
  const { geometry, size, l1, refcountTable, snapshots } = header;
  const { clusterSize } = geometry;
  const inside = (what: string, offset: number, bytes: number) => {
    if (offset % clusterSize !== 0 || (bytes > 0 && (offset === 0 || offset + bytes > fileSize)))
      throw damaged(name, `its ${what} is at ${offset}, in a file of ${fileSize} bytes; is it truncated?`);
  };
  if (size > Number.MAX_SAFE_INTEGER) throw damaged(name, "its disk is larger than any");
  if (l1.entries * 8 > MAX_L1_BYTES || l1.entries < geometry.l1EntriesFor(size))
    throw damaged(name, `an L1 table of ${l1.entries} entries for a disk of ${size} bytes`);
  inside("L1 table", l1.offset, l1.entries * 8);
  if (refcountTable.clusters * clusterSize > MAX_REFCOUNT_TABLE_BYTES)
    throw damaged(name, `a refcount table of ${refcountTable.clusters} clusters`);
  // A file that ends inside the table's last cluster is what a sparse copy leaves; the rest is zeros.
  inside("refcount table", refcountTable.offset, Math.min(refcountTable.clusters, 1));
  if (snapshots.count > MAX_SNAPSHOTS) throw damaged(name, `${snapshots.count} snapshots`);
  if (snapshots.count > 0) inside("snapshot table", snapshots.offset, 1);
}
