// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { getU64, viewOf } from "../integers.js";
import { perform, type Steps } from "../steps.js";
import { hostOffset } from "./cluster-map.js";
import { COMPRESSED, COPIED } from "./format.js";
import { type Header, readHeader } from "./header.js";
import { RefcountField } from "./refcount-field.js";
import type { ReferenceCounts } from "./reference-counts.js";
import { ReferenceWalk } from "./reference-walk.js";

const MAX_MESSAGES = 50;

/** What a check of an image found. */
export interface ImageCheck {
  /** Things that contradict each other, by which data may get lost. */
  readonly damages: number;
  /** Clusters that count as used, and that nothing uses. They waste space and do no harm. */
  readonly leaks: number;
  /** The first of the damages, one line each. */
  readonly messages: readonly string[];
  /** The writer did not close the image; refcounts may be out of date, which is no damage. */
  readonly dirty: boolean;
  /** Clusters of the disk, and how many of them have data, and of these how many are compressed. */
  readonly clusters: number;
  readonly allocated: number;
  readonly compressed: number;
  /** End of the last cluster in use, in bytes of the file. */
  readonly end: number;
}

/** Collects complaints; counts all and keeps the first. */
export class Complaints {
  readonly messages: string[] = [];
  count = 0;
  readonly add = (what: string): void => {
    this.count++;
    if (this.messages.length < MAX_MESSAGES) this.messages.push(what);
  };
}

/** Compares a qcow2 image with itself. Throws OperatorError if it cannot even be opened. */
export async function checkQcow2(file: BlockStore, name: string): Promise<ImageCheck> {
  return await perform(check(file, name));
}

function* check(file: BlockStore, name: string): Steps<ImageCheck> {
  const header = yield* readHeader(file, name);
  const complaints = new Complaints();
  const walk = new ReferenceWalk(file, name, header, complaints.add);
  const { counts, allocated, compressed } = yield* walk.walk();
  const stored = yield* readStoredRefcounts(file, header, walk, complaints);
  let leaks = 0;
  for (const cluster of new Set([...stored.keys(), ...counts.counted()])) {
    const has = stored.get(cluster) ?? 0;
    const needs = counts.get(cluster);
    if (has > needs) leaks++;
    else if (has < needs && !header.dirty) complaints.add(`cluster ${cluster} has refcount ${has} and ${needs} users`);
  }
  if (!header.dirty) yield* checkCopied(file, header, counts, complaints);
  if (header.corrupt) complaints.add("the image is marked as corrupt");
  const { clusterSize } = header.geometry;
  return {
    damages: complaints.count,
    leaks,
    messages: complaints.messages,
    dirty: header.dirty,
    clusters: header.geometry.clusters(header.size),
    allocated,
    compressed,
    end: Math.max(counts.end, ...[...stored.keys()].slice(-1).map((cluster) => cluster + 1)) * clusterSize,
  };
}

/** Refcounts above zero in the file, by cluster, in ascending order. Counts table and blocks as used. */
function* readStoredRefcounts(
  file: BlockStore,
  { geometry, refcountTable }: Header,
  walk: ReferenceWalk,
  complaints: Complaints,
): Steps<Map<number, number>> {
  const { clusterSize, blockEntries } = geometry;
  const field = new RefcountField(geometry.refcountOrder);
  const stored = new Map<number, number>();
  const table = new Uint8Array(refcountTable.clusters * clusterSize);
  walk.range("the refcount table", refcountTable.offset, table.length);
  yield* readClipped(file, refcountTable.offset, table);
  const block = new Uint8Array(clusterSize);
  const seen = new Set<number>();
  for (let i = 0; i * 8 < table.length; i++) {
    const offset = getU64(viewOf(table), i * 8);
    if (offset === 0) continue;
    if (offset % clusterSize !== 0 || seen.has(offset)) complaints.add(`refcount block ${i} is at ${offset}`);
    else if (walk.range(`refcount block ${i}`, offset, clusterSize)) {
      seen.add(offset);
      yield* readClipped(file, offset, block);
      for (let j = 0; j < blockEntries; j++) {
        const count = field.get(viewOf(block), j);
        if (count > 0) stored.set(i * blockEntries + j, count);
      }
    }
  }
  return stored;
}

/** The flag that a cluster has one user must be right in the tables of the present disk. */
function* checkCopied(file: BlockStore, header: Header, counts: ReferenceCounts, complaints: Complaints): Steps<void> {
  yield* eachCopiedFlag(file, header, counts, (what) => {
    complaints.add(`${what} has a wrong flag for "used once"`);
    return false;
  });
}

/**
 * Calls `wrong` for every entry of the L1 and L2 tables of the present disk whose flag says something else than
 * `counts`; where that returns true, the flag is changed in the file.
 */
export function* eachCopiedFlag(
  file: BlockStore,
  header: Header,
  counts: ReferenceCounts,
  wrong: (what: string) => boolean,
): Steps<void> {
  const { clusterSize } = header.geometry;
  const l1 = new Uint8Array(header.l1.entries * 8);
  yield* readClipped(file, header.l1.offset, l1);
  const l2 = new Uint8Array(clusterSize);
  const seen = new Set<number>();
  const fix = (bytes: Uint8Array, what: string) => fixFlags(bytes, header, counts, what, wrong);
  for (let i = 0; i < header.l1.entries; i++) {
    const at = hostOffset(viewOf(l1).getUint32(i * 8), viewOf(l1).getUint32(i * 8 + 4));
    if (at === 0 || at % clusterSize !== 0 || at >= file.size || seen.has(at)) continue;
    seen.add(at);
    yield* readClipped(file, at, l2);
    if (fix(l2, `entry of L2 table ${i}`)) yield file.write(at, l2);
  }
  if (fix(l1, "entry of the L1 table")) yield file.write(header.l1.offset, l1);
}

function fixFlags(
  bytes: Uint8Array,
  { geometry }: Header,
  counts: ReferenceCounts,
  what: string,
  wrong: (what: string) => boolean,
): boolean {
  const view = viewOf(bytes);
  let changed = false;
  for (let at = 0; at < bytes.length; at += 8) {
    const high = view.getUint32(at);
    const host = hostOffset(high, view.getUint32(at + 4));
    if ((high & COMPRESSED) !== 0 || host === 0 || host % geometry.clusterSize !== 0) continue;
    const once = counts.get(host / geometry.clusterSize) === 1;
    if (once === ((high & COPIED) !== 0) || !wrong(`${what} ${at / 8}`)) continue;
    view.setUint32(at, (high ^ COPIED) >>> 0);
    changed = true;
  }
  return changed;
}
