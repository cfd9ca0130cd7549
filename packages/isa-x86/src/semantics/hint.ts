// SPDX-License-Identifier: Apache-2.0
import type { Semantics } from "./semantics.js";

/** Instructions without an effect on this machine: NOP, PAUSE, prefetches, fences (its memory order is strong). */
export const nothing: Semantics = () => undefined;

/** CLFLUSH and its like fault as a load of one byte does. There is no cache to be written back. */
export const flushLine: Semantics = (e) => {
  e.loadGuest("i32.load8_u", 1, e.linearAddress());
};
