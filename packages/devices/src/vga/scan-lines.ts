// SPDX-License-Identifier: Apache-2.0
import { Crtc } from "./registers.js";
import type { VgaRegisters } from "./state.js";

/** Height of the visible part in scan lines: ten bits in two registers. */
export function scanLines({ crtc }: Readonly<VgaRegisters>): number {
  const overflow = crtc[Crtc.Overflow];
  return (crtc[Crtc.VerticalDisplayEnd] | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3)) + 1;
}
