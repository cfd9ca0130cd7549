// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { getU64, roundUp, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import { hostOffset } from "./cluster-map.js";
import { SECTOR } from "./format.js";
import type { Header } from "./header.js";
import { Refcounts } from "./refcounts.js";
import { Table } from "./table.js";

/** The L1 table, filled up to whole sectors. */
export function* loadL1(file: ResizableStore, { l1 }: Header): Steps<Table> {
  const bytes = new Uint8Array(roundUp(l1.entries * 8, SECTOR));
  yield* readClipped(file, l1.offset, bytes.subarray(0, l1.entries * 8));
  return new Table(l1.offset, bytes);
}

/** The allocator of an image, with its refcount table loaded. */
export function* loadRefcounts(file: ResizableStore, name: string, header: Header, l1: Table): Steps<Refcounts> {
  const { geometry, refcountTable } = header;
  const { clusterSize } = geometry;
  const bytes = new Uint8Array(refcountTable.clusters * clusterSize);
  yield* readClipped(file, refcountTable.offset, bytes);
  const reserved = new Set<number>([0]);
  const reserve = (offset: number, length: number) => {
    for (let at = offset; at < offset + length; at += clusterSize) reserved.add(at);
  };
  reserve(l1.offset, l1.bytes.length);
  reserve(refcountTable.offset, bytes.length);
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; at += 8) if (getU64(view, at) !== 0) reserved.add(getU64(view, at));
  for (let i = 0; i < header.l1.entries; i++) {
    const table = hostOffset(l1.view.getUint32(i * 8), l1.view.getUint32(i * 8 + 4));
    if (table !== 0) reserved.add(table);
  }
  return new Refcounts(file, name, geometry, new Table(refcountTable.offset, bytes), reserved);
}
