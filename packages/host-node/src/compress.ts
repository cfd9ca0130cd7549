// SPDX-License-Identifier: Apache-2.0
import { constants, deflateRawSync } from "node:zlib";

/** Pictures are sent many times a second. */
const FAST = 3;

/** Raw deflate blocks (RFC 1951) that do not end their stream, the last of which ends at a byte. */
export function deflateBlocks(data: Uint8Array): Uint8Array {
  return deflateRawSync(data, { level: FAST, finishFlush: constants.Z_SYNC_FLUSH });
}
