// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { PAGE_SIZE, Status } from "./registers.js";

/** A piece of guest memory. */
export interface Piece {
  readonly address: number;
  readonly length: number;
}

const ENTRY_SIZE = 8;

function entryAt(ram: GuestRam, address: number): number {
  return ram.u32(address) + ram.u32(address + 4) * 2 ** 32;
}

/**
 * The memory that two PRP entries describe (4.3), or the status of a command whose entries make no sense.
 * @param length bytes of data, at most what the controller lets a command move
 */
export function walkPrps(ram: GuestRam, first: number, second: number, length: number): readonly Piece[] | Status {
  if (length === 0) return [];
  if (first % 4 !== 0) return Status.InvalidPrpOffset;
  const head = Math.min(length, PAGE_SIZE - (first % PAGE_SIZE));
  const pieces: Piece[] = [{ address: first, length: head }];
  let left = length - head;
  if (left > 0 && left <= PAGE_SIZE) {
    pieces.push({ address: second, length: left });
    left = 0;
  }
  if (left > 0 && second % ENTRY_SIZE !== 0) return Status.InvalidPrpOffset;
  for (let entry = second; left > 0;) {
    if (ram.offsetOf(entry, ENTRY_SIZE) < 0) return Status.DataTransfer;
    const address = entryAt(ram, entry);
    const last = entry % PAGE_SIZE === PAGE_SIZE - ENTRY_SIZE;
    if (last && left > PAGE_SIZE) {
      // The list goes on in another page. It ends, because the pages of data that it names are counted.
      if (address % PAGE_SIZE !== 0) return Status.InvalidPrpOffset;
      entry = address;
      continue;
    }
    const piece = Math.min(left, PAGE_SIZE);
    pieces.push({ address, length: piece });
    left -= piece;
    entry += ENTRY_SIZE;
  }
  for (const [i, piece] of pieces.entries()) {
    if (i > 0 && piece.address % PAGE_SIZE !== 0) return Status.InvalidPrpOffset;
    if (ram.offsetOf(piece.address, piece.length) < 0) return Status.DataTransfer;
  }
  return pieces;
}

/** Copies guest memory into `bytes`, which is as long as the pieces together. */
export function readPieces(ram: GuestRam, pieces: readonly Piece[], bytes: Uint8Array): void {
  let at = 0;
  for (const { address, length } of pieces) {
    ram.read(address, bytes.subarray(at, at + length));
    at += length;
  }
}

export function writePieces(ram: GuestRam, pieces: readonly Piece[], bytes: Uint8Array): void {
  let at = 0;
  for (const { address, length } of pieces) {
    ram.write(address, bytes.subarray(at, at + length));
    at += length;
  }
}
