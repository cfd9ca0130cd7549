// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import type { Steps } from "./steps.js";

/** Reads from `offset` until `buffer` is full; what lies behind the end of the store is zeros. */
export function* readClipped(store: BlockStore, offset: number, buffer: Uint8Array): Steps<void> {
  const there = Math.max(0, Math.min(buffer.length, store.size - offset));
  if (there < buffer.length) buffer.fill(0, there);
  if (there > 0) yield store.read(offset, there === buffer.length ? buffer : buffer.subarray(0, there));
}
