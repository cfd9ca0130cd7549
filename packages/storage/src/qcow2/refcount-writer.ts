// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { divideUp, setU64, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import type { Geometry } from "./geometry.js";
import { RefcountField } from "./refcount-field.js";
import type { ReferenceCounts } from "./reference-counts.js";

/** A refcount table in the file. */
export interface RefcountTablePlace {
  readonly offset: number;
  readonly clusters: number;
}

/**
 * Writes a complete refcount table with its blocks from cluster `start` on, behind all that is counted, and counts its
 * own clusters too. Nothing refers to it yet.
 */
export function* writeRefcounts(
  file: ResizableStore,
  geometry: Geometry,
  counts: ReferenceCounts,
  start: number,
): Steps<RefcountTablePlace> {
  const { blockEntries, clusterSize } = geometry;
  const wanted = new Set<number>();
  for (const cluster of counts.counted()) wanted.add(Math.floor(cluster / blockEntries));
  // The table and its blocks need refcounts themselves, which may need more blocks, and so on.
  let tableClusters = 0;
  for (let known = -1; known !== wanted.size + tableClusters;) {
    known = wanted.size + tableClusters;
    for (let cluster = start; cluster < start + known; cluster++) wanted.add(Math.floor(cluster / blockEntries));
    // What comes behind the last cluster that is used has the highest refcount of all.
    const highest = Math.floor((start + known) / blockEntries);
    tableClusters = divideUp((highest + 1) * 8, clusterSize);
  }
  for (let i = 0; i < wanted.size + tableClusters; i++) counts.add(start + i);
  const end = (start + wanted.size + tableClusters) * clusterSize;
  if (file.size < end) yield file.resize(end);
  const table = new Uint8Array(tableClusters * clusterSize);
  const field = new RefcountField(geometry.refcountOrder);
  let place = start + tableClusters;
  for (const index of wanted) {
    const block = new Uint8Array(clusterSize);
    for (let i = 0; i < blockEntries; i++) {
      const count = counts.get(index * blockEntries + i);
      if (count > 0) field.set(viewOf(block), i, Math.min(count, field.max));
    }
    yield file.write(place * clusterSize, block);
    setU64(viewOf(table), index * 8, place * clusterSize);
    place++;
  }
  yield file.write(start * clusterSize, table);
  return { offset: start * clusterSize, clusters: tableClusters };
}
