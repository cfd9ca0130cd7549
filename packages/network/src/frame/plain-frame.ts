// SPDX-License-Identifier: Apache-2.0
import type { NetFrame } from "@isola/ports";

/** A frame whose fields its maker sets; one object is used again and again. */
export class ReusedFrame implements NetFrame {
  bytes: Uint8Array = new Uint8Array(0);
  checksumStart = -1;
  checksumOffset = 0;
  segmentSize = 0;
}

/** A frame that is complete as it stands. */
export function plainFrame(bytes: Uint8Array): NetFrame {
  return { bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 };
}
