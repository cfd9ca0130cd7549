// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { perform, type Steps } from "../steps.js";

const CHUNK = 2 << 20;
/** Zeros are left out in units of this, which is also the usual size of clusters. */
const UNIT = 1 << 16;

/** Called after each chunk with how many bytes of the disk are done. */
export type CopyProgress = (done: number) => void;

function isZero(bytes: Uint8Array): boolean {
  // Most units that are not zeros tell so by their first bytes.
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
  for (let i = 0; i < words.length; i++) if (words[i] !== 0n) return false;
  for (let i = words.length * 8; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/**
 * Copies a whole disk to one of at least its size that reads as zeros everywhere; zeros are not written, so that holes
 * stay holes. Ends with a flush.
 */
export async function copyDisk(from: BlockStore, to: BlockStore, onProgress: CopyProgress = () => {}): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (let at = 0; at < from.size; at += CHUNK) {
    const chunk = buffer.subarray(0, Math.min(CHUNK, from.size - at));
    await perform(copyChunk(from, to, at, chunk));
    onProgress(at + chunk.length);
  }
  await to.flush();
}

function* copyChunk(from: BlockStore, to: BlockStore, at: number, chunk: Uint8Array): Steps<void> {
  yield from.read(at, chunk);
  let start = 0;
  while (start < chunk.length) {
    let end = start;
    while (end < chunk.length && !isZero(chunk.subarray(end, end + UNIT))) end = Math.min(end + UNIT, chunk.length);
    if (end > start) yield to.write(at + start, chunk.subarray(start, end));
    start = end + UNIT;
  }
}
