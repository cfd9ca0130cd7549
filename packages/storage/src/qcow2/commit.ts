// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { setU64, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import type { ClusterMap } from "./cluster-map.js";
import { Field, SECTOR } from "./format.js";
import type { Refcounts } from "./refcounts.js";

/** Changes fields of the header, which all lie in its first sector, so that a power cut leaves the old or the new. */
export function* changeHeader(file: ResizableStore, change: (view: DataView) => void): Steps<void> {
  const sector = new Uint8Array(SECTOR);
  yield file.read(0, sector);
  change(viewOf(sector));
  yield file.write(0, sector);
}

/**
 * Makes everything durable in an order that leaves a sound image whenever the power fails. Tables in memory run ahead
 * of those in the file; between two commits only data, in clusters that nothing in the file refers to, is written.
 *
 * 1. refcount blocks and new L2 tables; at worst their clusters are lost (leaked)
 * 2. the refcount table, which refers to new blocks
 * 3. the L1 table and changed L2 tables, which refer to new data and to new L2 tables
 * 4. only now are clusters given back that were replaced
 */
export function* commit(file: ResizableStore, map: ClusterMap, refcounts: Refcounts): Steps<void> {
  yield* refcounts.writeBlocks();
  yield* map.writeFresh();
  yield file.flush();
  if (refcounts.tableDirty || refcounts.tableMoved) {
    if (refcounts.tableMoved) {
      yield* changeHeader(file, (view) => {
        setU64(view, Field.RefcountTableOffset, refcounts.tableOffset);
        view.setUint32(Field.RefcountTableClusters, refcounts.tableClusters);
      });
    } else {
      yield* refcounts.writeTable();
    }
    yield file.flush();
    refcounts.tableSettled();
  }
  if (map.dirty) {
    yield* map.writeLinks();
    yield file.flush();
  }
  yield* refcounts.releaseDoomed();
}
