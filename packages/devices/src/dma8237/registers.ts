// SPDX-License-Identifier: Apache-2.0
/** The two Intel 8237A DMA controllers of a PC AT (8237A data sheet, order number 231466; AT Technical Reference). */
export const DMA_FIRST_PORT = 0x00;
export const DMA_FIRST_PORTS = 0x10;
/** Registers of the second controller are at even ports. */
export const DMA_SECOND_PORT = 0xc0;
export const DMA_SECOND_PORTS = 0x20;
export const DMA_PAGE_PORT = 0x80;
export const DMA_PAGE_PORTS = 0x10;

/** Registers beyond the addresses and counts of the channels, 0-7. */
export const enum Register {
  /** Status when read, command when written. */
  Command = 8,
  Request = 9,
  SingleMask = 10,
  Mode = 11,
  ClearFlipFlop = 12,
  MasterClear = 13,
  ClearMask = 14,
  AllMasks = 15,
}

export const enum Mode {
  /** Bits 2 and 3: what is moved. */
  Transfer = 0x0c,
  ToMemory = 0x04,
  FromMemory = 0x08,
  AutoInitialize = 0x10,
  Decrement = 0x20,
}

export const COMMAND_DISABLE = 0x04;

/** Channel, counted over both controllers, of each page register; -1 for ports that only store. */
export const PAGE_CHANNELS: readonly number[] = [-1, 2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, 4];

export const CHANNELS = 8;
export const CHANNELS_EACH = 4;
