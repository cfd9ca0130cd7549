// SPDX-License-Identifier: Apache-2.0
/** Where a block of a region goes on. */
export type Edge =
  /** At another block of the region. */
  | { readonly kind: "block"; readonly index: number }
  /** Out of the region, through a link slot of the block's last record. */
  | { readonly kind: "link" }
  /** Out of the region, by looking the target up. */
  | { readonly kind: "lookup" };

/** A decoded block as part of a region. */
export interface RegionBlock {
  /** Its number in the region. */
  readonly index: number;
  /** Address of the block's header. */
  readonly address: number;
  /** Address of its first record. */
  readonly head: number;
  /** Frame of RAM that holds its code, and the one with the rest of an instruction that straddles two pages, or -1. */
  readonly frame: number;
  readonly secondFrame: number;
  /** Bytes from the virtual page of the region's first block to this one's: a multiple of the page size. */
  readonly delta: number;
  /** Records including the head. */
  readonly records: number;
  /** Of the direct jump at its end, or of falling through; null if it ends otherwise. */
  taken: Edge | null;
  notTaken: Edge | null;
  /** Blocks to which an indirect jump at the end is likely to go: behind calls in the region, or where it went last. */
  readonly guesses: number[];
}

/** Blocks that are compiled into one function. */
export interface Region {
  readonly blocks: readonly RegionBlock[];
  /** Blocks at which other code may come in; the first is the one that became hot. */
  readonly entries: readonly number[];
  /** Mode key under which all blocks were decoded. */
  readonly mode: number;
}

/** All blocks that may follow `block` inside its region. */
export function successorsOf(block: RegionBlock): number[] {
  const next = new Set(block.guesses);
  if (block.taken?.kind === "block") next.add(block.taken.index);
  if (block.notTaken?.kind === "block") next.add(block.notTaken.index);
  return [...next];
}
