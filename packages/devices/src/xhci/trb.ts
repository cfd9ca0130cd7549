// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { MAX_LINKS, TRB_SIZE, TrbBit, TrbType } from "./registers.js";
import type { RingState } from "./state.js";

/** A transfer request block (4.11), as it was found in memory. */
export interface Trb {
  readonly address: number;
  /** Parameter: an address, or eight bytes of data. */
  readonly low: number;
  readonly high: number;
  readonly status: number;
  readonly control: number;
}

export function typeOf(trb: Trb): TrbType {
  return (trb.control >>> TrbBit.TypeShift) & TrbBit.TypeMask;
}

export function parameterOf(trb: Trb): number {
  return trb.high * 2 ** 32 + trb.low;
}

/** What is at a ring's position: a block that is ours, nothing yet, or no memory or only links. */
export type Fetched = Trb | "empty" | "broken";

/**
 * The block at `ring`, after following links; `ring` is then at that block. A ring of which a block is not in RAM, or in
 * which more links follow each other than make sense, is broken.
 */
export function fetch(ram: GuestRam, ring: RingState): Fetched {
  for (let links = 0; links <= MAX_LINKS; links++) {
    const { address } = ring;
    if (ram.offsetOf(address, TRB_SIZE) < 0) return "broken";
    const control = ram.u32(address + 12);
    if (((control & TrbBit.Cycle) !== 0) !== ring.cycle) return "empty";
    const trb = { address, low: ram.u32(address), high: ram.u32(address + 4), status: ram.u32(address + 8), control };
    if (typeOf(trb) !== TrbType.Link) return trb;
    ring.address = parameterOf(trb) - (trb.low % TRB_SIZE);
    if ((control & TrbBit.ToggleCycle) !== 0) ring.cycle = !ring.cycle;
  }
  return "broken";
}

/** Moves a ring on to what follows a block. */
export function advance(ring: RingState): void {
  ring.address += TRB_SIZE;
}
