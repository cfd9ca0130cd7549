// SPDX-License-Identifier: Apache-2.0
import type { Entropy } from "@isola/ports";

/**
 * Bytes that look random and follow from `seed`, so that a run can be repeated. They are no secret: a guest with this
 * source of randomness must not make keys that matter. The generator is SplitMix with 32 bits of state.
 */
export function seededEntropy(seed: number): Entropy {
  let state = seed >>> 0;
  return {
    fill(bytes) {
      for (let i = 0; i < bytes.length; i++) {
        state = (state + 0x9e37_79b9) >>> 0;
        let word = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
        word = Math.imul(word ^ (word >>> 15), 0x735a_2d97);
        bytes[i] = (word ^ (word >>> 15)) & 0xff;
      }
    },
  };
}
