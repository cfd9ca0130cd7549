// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { roundUp, setU64, viewOf } from "../integers.js";
import { perform, type Steps } from "../steps.js";
import { encodeText } from "../text.js";
import {
  DEFAULT_CLUSTER_BITS,
  Extension,
  Field,
  FULL_HEADER_LENGTH,
  MAGIC,
  MAX_BACKING_NAME,
  MAX_CLUSTER_BITS,
  MAX_L1_BYTES,
  MIN_CLUSTER_BITS,
  SECTOR,
  V2_HEADER_LENGTH,
} from "./format.js";
import { Geometry } from "./geometry.js";
import { ReferenceCounts } from "./reference-counts.js";
import { writeRefcounts } from "./refcount-writer.js";

export interface Qcow2Creation {
  /** Size of the disk in bytes; it is rounded up to whole sectors of 512. */
  readonly size: number;
  /** log2 of the cluster size, 9 to 21; default 16, which is 64 KiB. */
  readonly clusterBits?: number;
  /** log2 of the width of a refcount, 0 to 6; default 4, which is 16 bits. */
  readonly refcountOrder?: number;
  /** The format's version; default 3. */
  readonly version?: 2 | 3;
  /** The image whose contents show where this one has none, by a name that is looked up from the image's own place. */
  readonly backing?: { readonly name: string; readonly format: string };
}

/** Makes an empty image in `file`, whose contents are lost. Throws OperatorError for what the format cannot hold. */
export async function createQcow2(file: ResizableStore, creation: Qcow2Creation): Promise<void> {
  await perform(create(file, creation));
}

function* create(file: ResizableStore, creation: Qcow2Creation): Steps<void> {
  const { clusterBits = DEFAULT_CLUSTER_BITS, refcountOrder = 4, version = 3 } = creation;
  if (clusterBits < MIN_CLUSTER_BITS || clusterBits > MAX_CLUSTER_BITS)
    throw new OperatorError("disk-size", `clusters of 2^${clusterBits} bytes: there are 2^9 to 2^21`);
  const geometry = new Geometry(clusterBits, version === 2 ? 4 : refcountOrder);
  const size = roundUp(creation.size, SECTOR);
  const l1Entries = geometry.l1EntriesFor(size);
  if (!Number.isSafeInteger(size) || l1Entries * 8 > MAX_L1_BYTES)
    throw new OperatorError(
      "disk-size",
      `a disk of ${creation.size} bytes is too large for clusters of ${geometry.clusterSize}; use larger clusters`,
    );
  const { clusterSize } = geometry;
  const l1Clusters = Math.max(1, geometry.clusters(l1Entries * 8));
  const counts = new ReferenceCounts();
  for (let cluster = 0; cluster <= l1Clusters; cluster++) counts.add(cluster);
  yield file.resize(0);
  yield file.resize((1 + l1Clusters) * clusterSize);
  const table = yield* writeRefcounts(file, geometry, counts, 1 + l1Clusters);
  const header = new Uint8Array(clusterSize);
  const view = viewOf(header);
  view.setUint32(Field.Magic, MAGIC);
  view.setUint32(Field.Version, version);
  view.setUint32(Field.ClusterBits, clusterBits);
  setU64(view, Field.Size, size);
  view.setUint32(Field.L1Entries, l1Entries);
  setU64(view, Field.L1Offset, clusterSize);
  setU64(view, Field.RefcountTableOffset, table.offset);
  view.setUint32(Field.RefcountTableClusters, table.clusters);
  if (version === 3) {
    view.setUint32(Field.RefcountOrder, refcountOrder);
    view.setUint32(Field.HeaderLength, FULL_HEADER_LENGTH);
  }
  const extensions = version === 3 ? FULL_HEADER_LENGTH : V2_HEADER_LENGTH;
  if (creation.backing !== undefined) putBacking(header, extensions, creation.backing);
  yield file.flush();
  yield file.write(0, header);
  yield file.flush();
}

function putBacking(header: Uint8Array, at: number, backing: { readonly name: string; readonly format: string }): void {
  const view = viewOf(header);
  const format = encodeText(backing.format);
  const name = encodeText(backing.name);
  const end = at + 8 + roundUp(format.length, 8) + 8;
  if (name.length > MAX_BACKING_NAME || end + name.length > header.length)
    throw new OperatorError("disk-backing", `the name of the backing file is too long: ${backing.name}`);
  view.setUint32(at, Extension.BackingFormat);
  view.setUint32(at + 4, format.length);
  header.set(format, at + 8);
  // An extension of type 0 and length 0 ends the list.
  header.set(name, end);
  setU64(view, Field.BackingOffset, end);
  view.setUint32(Field.BackingLength, name.length);
}
