// SPDX-License-Identifier: Apache-2.0
import type { Entropy } from "@isola/ports";

/** Most bytes that one call gives (Web Cryptography, `getRandomValues`). */
const QUOTA = 65_536;

/** Random bytes from the browser's generator. */
export const hostEntropy: Entropy = {
  fill(bytes) {
    const scratch = new Uint8Array(Math.min(QUOTA, bytes.length));
    for (let at = 0; at < bytes.length; at += QUOTA) {
      const part = scratch.subarray(0, Math.min(QUOTA, bytes.length - at));
      // Not into the caller's buffer: guest RAM may be shared memory, which browsers refuse.
      bytes.set(crypto.getRandomValues(part), at);
    }
  },
};
