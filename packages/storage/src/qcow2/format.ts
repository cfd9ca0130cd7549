// SPDX-License-Identifier: Apache-2.0
// Numbers of the qcow2 format, as QEMU's docs/interop/qcow2.txt names them. All integers are big-endian.

/** "QFI\xfb". */
export const MAGIC = 0x5146_49fb;
export const MIN_CLUSTER_BITS = 9;
export const MAX_CLUSTER_BITS = 21;
export const DEFAULT_CLUSTER_BITS = 16;
export const V2_HEADER_LENGTH = 72;
export const V3_HEADER_LENGTH = 104;
/** With the compression type and its padding. */
export const FULL_HEADER_LENGTH = 112;
/** A sector of the disk below: the unit that a power cut leaves whole. */
export const SECTOR = 512;
export const MAX_BACKING_NAME = 1023;
/** The same bounds as QEMU has, so that what one opens the other opens too. */
export const MAX_L1_BYTES = 32 << 20;
export const MAX_REFCOUNT_TABLE_BYTES = 8 << 20;
export const MAX_SNAPSHOTS = 65536;
export const MAX_SNAPSHOT_TABLE_BYTES = 16 << 20;

/** Offsets in the header. */
export const enum Field {
  Magic = 0,
  Version = 4,
  BackingOffset = 8,
  BackingLength = 16,
  ClusterBits = 20,
  Size = 24,
  CryptMethod = 32,
  L1Entries = 36,
  L1Offset = 40,
  RefcountTableOffset = 48,
  RefcountTableClusters = 56,
  Snapshots = 60,
  SnapshotsOffset = 64,
  Incompatible = 72,
  Compatible = 80,
  Autoclear = 88,
  RefcountOrder = 96,
  HeaderLength = 100,
  CompressionType = 104,
}

/** Low half of the incompatible features. */
export const enum Incompatible {
  Dirty = 1,
  Corrupt = 2,
  ExternalData = 4,
  CompressionType = 8,
  ExtendedL2 = 16,
}

/** Low half of the compatible features. */
export const enum Compatible {
  LazyRefcounts = 1,
}

/** Low half of the autoclear features. */
export const enum Autoclear {
  Bitmaps = 1,
}

export const enum Extension {
  End = 0,
  BackingFormat = 0xe279_2aca,
  FeatureNames = 0x6803_f857,
  Bitmaps = 0x2385_2875,
}

export const enum Compression {
  Deflate = 0,
  Zstd = 1,
}

/** High half of an entry of an L1 or L2 table: the refcount of what it points to is exactly one. */
export const COPIED = 0x8000_0000;
/** High half of an L2 entry: the cluster is compressed. */
export const COMPRESSED = 0x4000_0000;
/** High half of an entry: bits 32 to 55 of the offset. */
export const OFFSET_HIGH = 0x00ff_ffff;
/** Low half of an entry: bits 9 to 31 of the offset. */
export const OFFSET_LOW = 0xffff_fe00;
/** Low half of an L2 entry of version 3: the cluster reads as zeros. */
export const ZERO = 1;
