// SPDX-License-Identifier: Apache-2.0
/** Block device (VIRTIO 1.2, section 5.2). */
export const BLOCK_TYPE = 2;
/** PCI class: mass storage, other. */
export const BLOCK_CLASS = 0x01_8000;
export const SECTOR_SIZE = 512;
/** Bytes of a request header: type, reserved, sector. */
export const HEADER_SIZE = 16;
export const ID_LENGTH = 20;
/** Bytes of one discard or write-zeroes range: sector, number of sectors, flags. */
export const RANGE_SIZE = 16;

export const enum BlockFeature {
  SizeMax = 1,
  SegMax = 2,
  ReadOnly = 5,
  BlkSize = 6,
  Flush = 9,
  MultiQueue = 12,
  Discard = 13,
  WriteZeroes = 14,
}

export const enum RequestType {
  In = 0,
  Out = 1,
  Flush = 4,
  GetId = 8,
  Discard = 11,
  WriteZeroes = 13,
}

export const enum RequestStatus {
  Ok = 0,
  IoError = 1,
  Unsupported = 2,
}

/** Flag of a range: the sectors may be given back. */
export const RANGE_UNMAP = 1;

/** Offsets of the device configuration (5.2.4). */
export const enum Config {
  Capacity = 0,
  SizeMax = 8,
  SegMax = 12,
  BlkSize = 20,
  NumQueues = 34,
  MaxDiscardSectors = 36,
  MaxDiscardSegments = 40,
  DiscardAlignment = 44,
  MaxWriteZeroesSectors = 48,
  MaxWriteZeroesSegments = 52,
  Length = 60,
}

export const QUEUE_SIZE = 256;
/** Data descriptors of a request; with header and status they fill half a queue. */
export const MAX_SEGMENTS = 126;
export const MAX_SEGMENT_BYTES = 1 << 20;
export const MAX_RANGES = 16;
/** 32 MiB a range. */
export const MAX_RANGE_SECTORS = 1 << 16;
/**
 * Bytes that move through the host at a time; bounds the memory that one request can take. They fit a processor's
 * second cache, so that the copy to or from guest memory finds them there.
 */
export const CHUNK_BYTES = 1 << 18;
/** Requests under way at a time; the rest waits in the ring. */
export const MAX_IN_FLIGHT = 32;
