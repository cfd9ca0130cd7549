// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "./semantics.js";

/** Instructions without an effect on this machine: NOP, prefetches, fences (its memory order is strong). */
export const nothing: Semantics = () => undefined;

/** CLFLUSH and its like fault as a load of one byte does. There is no cache to be written back. */
export const flushLine: Semantics = (e) => {
  e.loadGuest("i32.load8_u", 1, e.linearAddress());
};

/**
 * PAUSE says that this vCPU waits for another one, which cannot go on before it has the thread. Without this a loop that
 * lets a lock go and takes it again in one block would only ever be left while it holds the lock.
 */
export const pause: Semantics = (e) => {
  e.if(e.loadState("i32.load", "othersWait"), () => e.trap());
};
