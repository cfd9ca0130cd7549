// SPDX-License-Identifier: Apache-2.0
/** GPU device (VIRTIO 1.2, section 5.7). */
export const GPU_TYPE = 16;
/** PCI class: display, other. */
export const GPU_CLASS = 0x03_8000;
export const CONTROL_QUEUE_SIZE = 256;
export const CURSOR_QUEUE_SIZE = 64;
export const FEATURE_EDID = 1;

export const enum Queue {
  Control = 0,
  Cursor = 1,
}

/** Device configuration (5.7.4). */
export const enum Config {
  Events = 0,
  EventsClear = 4,
  Scanouts = 8,
}

/** Requests and answers (5.7.6.7). */
export const enum Command {
  GetDisplayInfo = 0x0100,
  Create2d = 0x0101,
  Unref = 0x0102,
  SetScanout = 0x0103,
  Flush = 0x0104,
  TransferToHost2d = 0x0105,
  AttachBacking = 0x0106,
  DetachBacking = 0x0107,
  GetEdid = 0x010a,
  UpdateCursor = 0x0300,
  MoveCursor = 0x0301,
}

export const enum Answer {
  NoData = 0x1100,
  DisplayInfo = 0x1101,
  Edid = 0x1104,
  Unspecified = 0x1200,
  OutOfMemory = 0x1201,
  InvalidScanout = 0x1202,
  InvalidResource = 0x1203,
  InvalidParameter = 0x1205,
}

export const FLAG_FENCE = 1;
export const HEADER_SIZE = 24;
export const MAX_SCANOUTS = 16;
/** Rectangle, enabled, flags of one screen in the answer about displays. */
export const DISPLAY_SIZE = 24;
export const EDID_SIZE = 1024;
/** Address, length and padding of a piece of guest memory. */
export const MEMORY_ENTRY = 16;
/** Longest request but for that with a list of pieces. */
export const MAX_REQUEST = 64;

/** Cursors have this size (5.7.6.10). */
export const CURSOR_SIDE = 64;

export const MAX_SIDE = 8192;
export const MAX_RESOURCES = 1024;
export const MAX_PIXEL_BYTES = 128 << 20;
export const MAX_ENTRIES = 16_384;
export const MAX_ALL_ENTRIES = 65_536;

/** Bytes that are copied before the guest goes on, and how long the rest waits, in ns. */
export const BUDGET = 32 << 20;
export const REST_DELAY = 50_000;

/** Where red, green, blue and alpha are in a pixel's four bytes; alpha -1 where that byte says nothing. */
export type PixelOrder = readonly [red: number, green: number, blue: number, alpha: number];

export const FORMATS: ReadonlyMap<number, PixelOrder> = new Map([
  [1, [2, 1, 0, 3]], // B8G8R8A8
  [2, [2, 1, 0, -1]], // B8G8R8X8
  [3, [1, 2, 3, 0]], // A8R8G8B8
  [4, [1, 2, 3, -1]], // X8R8G8B8
  [67, [0, 1, 2, 3]], // R8G8B8A8
  [68, [3, 2, 1, -1]], // X8B8G8R8
  [121, [3, 2, 1, 0]], // A8B8G8R8
  [134, [0, 1, 2, -1]], // R8G8B8X8
]);
