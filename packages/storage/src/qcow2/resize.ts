// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { roundUp, setU64 } from "../integers.js";
import { perform, type Steps } from "../steps.js";
import { changeHeader, commit } from "./commit.js";
import { Field, MAX_L1_BYTES, SECTOR } from "./format.js";
import { readHeader } from "./header.js";
import { openParts, type Qcow2Options } from "./open.js";
import { type Qcow2Parts, Qcow2Store } from "./qcow2-store.js";
import type { Refcounts } from "./refcounts.js";
import { Table } from "./table.js";

/**
 * Changes the size of the disk in an image that nobody uses, to whole sectors; new bytes read as zeros. What lies behind
 * a smaller size is lost. The file and the backing disk are closed in any case. Throws OperatorError.
 */
export async function resizeQcow2(
  file: ResizableStore,
  size: number,
  options: Omit<Qcow2Options, "readOnly">,
): Promise<void> {
  await perform(resize(file, roundUp(size, SECTOR), { ...options, readOnly: false }));
}

function* resize(file: ResizableStore, size: number, options: Qcow2Options): Steps<void> {
  const parts = yield* openParts(file, options);
  let store = new Qcow2Store(parts);
  try {
    const header = yield* readHeader(file, options.name);
    const old = header.size;
    if (size < old) {
      if (header.snapshots.count > 0)
        throw new OperatorError("disk-size", `${options.name} has snapshots, so it cannot become smaller`);
      // The rest of the last cluster too: if the disk grows again, it has to be zeros there.
      yield store.zero(size, old - size);
      yield store.flush();
      yield* changeHeader(file, (view) => setU64(view, Field.Size, size));
      yield file.flush();
      return;
    }
    if (parts.refcounts !== null) yield* grow(parts, header.l1.entries, size, parts.refcounts);
    const { backing } = options;
    if (backing === null || backing.size <= old) return;
    store = new Qcow2Store({ ...parts, size });
    yield store.zero(old, Math.min(size, backing.size) - old);
  } finally {
    yield store.close();
  }
}

/** Makes room for more L2 tables, and then says that the disk is larger. */
function* grow(parts: Qcow2Parts, entries: number, size: number, refcounts: Refcounts): Steps<void> {
  const { file, geometry, map, name } = parts;
  const needed = geometry.l1EntriesFor(size);
  if (needed * 8 > MAX_L1_BYTES || !Number.isSafeInteger(size))
    throw new OperatorError("disk-size", `${name} cannot have ${size} bytes with clusters of ${geometry.clusterSize}`);
  const old = map.l1Table;
  if (needed > entries) {
    const place = yield* refcounts.allocateAll(geometry.clusters(needed * 8));
    const bytes = new Uint8Array(roundUp(needed * 8, SECTOR));
    bytes.set(old.bytes.subarray(0, entries * 8));
    const larger = new Table(place.offset, bytes);
    larger.touchAll();
    map.replaceL1(larger);
    yield* commit(file, map, refcounts);
  }
  yield* changeHeader(file, (view) => {
    setU64(view, Field.Size, size);
    if (needed <= entries) return;
    setU64(view, Field.L1Offset, map.l1Table.offset);
    view.setUint32(Field.L1Entries, needed);
  });
  yield file.flush();
  if (needed > entries && entries > 0) refcounts.releaseLater(old.offset, entries * 8);
}
