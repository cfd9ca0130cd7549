// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readHeader } from "../qcow2/header.js";
import { Compression } from "../qcow2/format.js";
import { readSnapshots } from "../qcow2/snapshots.js";
import { perform, type Steps } from "../steps.js";

/** A state of the disk inside the image. */
export interface SnapshotInfo {
  readonly id: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly created: number;
}

/** What a qcow2 image says of itself. */
export interface Qcow2Info {
  readonly version: number;
  /** Bytes of the disk. */
  readonly size: number;
  readonly clusterSize: number;
  readonly refcountBits: number;
  readonly compression: "deflate" | "zstd";
  readonly backing: { readonly name: string; readonly format: string | null } | null;
  readonly snapshots: readonly SnapshotInfo[];
  /** Its writer did not close it. */
  readonly dirty: boolean;
  /** Somebody found it damaged. */
  readonly corrupt: boolean;
}

/** Reads the header and the list of snapshots of a qcow2 image. Throws OperatorError if they make no sense. */
export async function qcow2Info(file: BlockStore, name: string): Promise<Qcow2Info> {
  return await perform(read(file, name));
}

function* read(file: BlockStore, name: string): Steps<Qcow2Info> {
  const header = yield* readHeader(file, name);
  const { snapshots } = yield* readSnapshots(file, name, header);
  const { version, size, geometry, backing, dirty, corrupt } = header;
  return {
    version,
    size,
    clusterSize: geometry.clusterSize,
    refcountBits: 2 ** geometry.refcountOrder,
    compression: header.compression === Compression.Zstd ? "zstd" : "deflate",
    backing,
    snapshots: snapshots.map(({ id, name: title, created }) => ({ id, name: title, created })),
    dirty,
    corrupt,
  };
}
