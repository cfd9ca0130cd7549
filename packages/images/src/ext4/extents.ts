// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { Run } from "./block-allocator.js";
import { BLOCK_SIZE } from "./geometry.js";

const EXTENT_MAGIC = 0xf30a;
const ENTRY = 12;
/** An initialised extent covers at most this many blocks; longer lengths mark unwritten ones. */
const MAX_EXTENT = 32768;
const IN_INODE = 4;
const IN_BLOCK = (BLOCK_SIZE - ENTRY) / ENTRY;

interface Extent extends Run {
  /** Number of the first block within the file. */
  readonly logical: number;
}

function extentsOf(runs: readonly Run[]): Extent[] {
  const extents: Extent[] = [];
  let logical = 0;
  for (const run of runs) {
    for (let done = 0; done < run.length;) {
      const length = Math.min(MAX_EXTENT, run.length - done);
      extents.push({ logical, start: run.start + done, length });
      logical += length;
      done += length;
    }
  }
  return extents;
}

function header(view: DataView, entries: number, max: number, depth: number): void {
  view.setUint16(0, EXTENT_MAGIC, true);
  view.setUint16(2, entries, true);
  view.setUint16(4, max, true);
  view.setUint16(6, depth, true);
}

function leaf(view: DataView, extents: readonly Extent[], max: number): void {
  header(view, extents.length, max, 0);
  extents.forEach(({ logical, start, length }, i) => {
    const at = ENTRY * (i + 1);
    view.setUint32(at, logical, true);
    view.setUint16(at + 4, length, true);
    view.setUint32(at + 8, start, true);
  });
}

/** The mapping of a file: the 60 bytes of `i_block`, and the index blocks that a long one needs. */
export interface ExtentTree {
  readonly iBlock: Uint8Array;
  readonly leaves: readonly { readonly block: number; readonly bytes: Uint8Array }[];
}

/** Builds the extent tree for the runs of a file; `allocate` gives single blocks for leaves, up to four. */
export function buildExtentTree(runs: readonly Run[], allocate: () => number): ExtentTree {
  const extents = extentsOf(runs);
  const iBlock = new Uint8Array(60);
  const root = new DataView(iBlock.buffer);
  if (extents.length <= IN_INODE) {
    leaf(root, extents, IN_INODE);
    return { iBlock, leaves: [] };
  }
  assert(extents.length <= IN_INODE * IN_BLOCK, "a file in more than 1360 extents");
  const leaves: { block: number; bytes: Uint8Array }[] = [];
  for (let i = 0; i < extents.length; i += IN_BLOCK) {
    const part = extents.slice(i, i + IN_BLOCK);
    const bytes = new Uint8Array(BLOCK_SIZE);
    leaf(new DataView(bytes.buffer), part, IN_BLOCK);
    const block = allocate();
    const at = ENTRY * (leaves.length + 1);
    root.setUint32(at, part[0].logical, true);
    root.setUint32(at + 4, block, true);
    leaves.push({ block, bytes });
  }
  header(root, leaves.length, IN_INODE, 1);
  return { iBlock, leaves };
}
