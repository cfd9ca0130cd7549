// SPDX-License-Identifier: Apache-2.0
import type { BlockStore, Decompressor, ResizableStore } from "@isola/ports";
import { unsupported } from "../image-error.js";
import { perform, type Steps } from "../steps.js";
import { ClusterMap } from "./cluster-map.js";
import { changeHeader } from "./commit.js";
import { CompressedClusters } from "./compressed-clusters.js";
import { Field } from "./format.js";
import { readHeader } from "./header.js";
import { type Qcow2Parts, Qcow2Store } from "./qcow2-store.js";
import { rebuildRefcounts } from "./repair.js";
import { loadL1, loadRefcounts } from "./tables-at-open.js";

export interface Qcow2Options {
  /** What messages call the image. */
  readonly name: string;
  readonly readOnly: boolean;
  /** The disk that shows where this image has nothing; it belongs to the image from now on. */
  readonly backing: BlockStore | null;
  /** Nobody will open the file again: tables are only written where memory is short. Default false. */
  readonly disposable?: boolean;
  /** Null if compressed clusters cannot be read. */
  readonly decompressor: Decompressor | null;
}

/**
 * Opens the disk in a qcow2 image. An image whose writer died is mended first, unless `readOnly`. Throws OperatorError
 * if the image is damaged or needs something that is not supported.
 */
export async function openQcow2(file: ResizableStore, options: Qcow2Options): Promise<Qcow2Store> {
  return new Qcow2Store(await perform(openParts(file, options)));
}

/** The parts of an image that is to be used. */
export function* openParts(
  file: ResizableStore,
  { name, readOnly, backing, decompressor, disposable = false }: Qcow2Options,
): Steps<Qcow2Parts> {
  let header = yield* readHeader(file, name);
  if (!readOnly) {
    if (header.corrupt)
      throw unsupported(name, 'is marked as corrupt; run "isola disk check --repair" on it, or use it read-only');
    if (header.dirty) {
      yield* rebuildRefcounts(file, name);
      header = yield* readHeader(file, name);
    }
    if (header.autoclear) {
      // Others keep things in the image, such as dirty bitmaps, that will be out of date from now on.
      yield* changeHeader(file, (view) => view.setBigUint64(Field.Autoclear, 0n));
      yield file.flush();
    }
  }
  const { geometry, version, size } = header;
  const l1 = yield* loadL1(file, header);
  return {
    file,
    name,
    version,
    geometry,
    size,
    readOnly,
    disposable,
    backing,
    map: new ClusterMap(file, name, geometry, l1, size, version),
    compressed: new CompressedClusters(file, name, geometry.clusterSize, header.compression, decompressor),
    refcounts: readOnly ? null : yield* loadRefcounts(file, name, header, l1),
  };
}
