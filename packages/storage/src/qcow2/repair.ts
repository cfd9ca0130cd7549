// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { setU64 } from "../integers.js";
import { perform, type Steps } from "../steps.js";
import { Complaints, eachCopiedFlag } from "./check.js";
import { changeHeader } from "./commit.js";
import { Field, Incompatible } from "./format.js";
import { readHeader } from "./header.js";
import { RefcountField } from "./refcount-field.js";
import { writeRefcounts } from "./refcount-writer.js";
import { ReferenceWalk } from "./reference-walk.js";

/**
 * Counts all references of a qcow2 image anew and stores them: leaks and wrong refcounts are gone then, and the marks
 * "dirty" and "corrupt" too. Throws OperatorError if tables lead outside the file; then nothing has been changed.
 */
export async function repairQcow2(file: ResizableStore, name: string): Promise<void> {
  await perform(rebuildRefcounts(file, name));
}

/** As `repairQcow2`, for images that are about to be opened. */
export function* rebuildRefcounts(file: ResizableStore, name: string): Steps<void> {
  const header = yield* readHeader(file, name);
  const { geometry } = header;
  const complaints = new Complaints();
  const { counts } = yield* new ReferenceWalk(file, name, header, complaints.add).walk();
  if (complaints.count > 0)
    throw new OperatorError("disk-damaged", `${name} cannot be repaired: ${complaints.messages[0]}`);
  const { max } = new RefcountField(geometry.refcountOrder);
  for (const cluster of counts.counted())
    if (counts.get(cluster) > max)
      throw new OperatorError("disk-damaged", `${name} cannot be repaired: cluster ${cluster} has too many users`);
  // Flags first: refcounts do not depend on them, and a power cut in between leaves an image that is no worse.
  yield* eachCopiedFlag(file, header, counts, () => true);
  // The new refcounts go behind the file, so that the old ones stay as they are until the header refers to the new.
  const start = Math.max(counts.end, geometry.clusters(file.size));
  const table = yield* writeRefcounts(file, geometry, counts, start);
  yield file.flush();
  yield* changeHeader(file, (view) => {
    setU64(view, Field.RefcountTableOffset, table.offset);
    view.setUint32(Field.RefcountTableClusters, table.clusters);
    if (header.version === 2) return;
    const features = view.getUint32(Field.Incompatible + 4);
    view.setUint32(Field.Incompatible + 4, (features & ~(Incompatible.Dirty | Incompatible.Corrupt)) >>> 0);
  });
  yield file.flush();
}
