// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged } from "../image-error.js";
import { getU64, viewOf } from "../integers.js";
import type { Steps } from "../steps.js";
import { decodeText } from "../text.js";
import { MAX_SNAPSHOT_TABLE_BYTES } from "./format.js";
import type { Header } from "./header.js";

/** A state of the disk that is kept inside the image. */
export interface Snapshot {
  readonly id: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Bytes of a machine's state that is kept with it, or 0. */
  readonly stateSize: number;
  readonly l1Offset: number;
  readonly l1Entries: number;
}

export interface SnapshotTable {
  readonly snapshots: readonly Snapshot[];
  readonly bytes: number;
}

/** An entry without its variable part. */
const FIXED = 40;

/** Reads the snapshot table, which may be empty. */
export function* readSnapshots(file: BlockStore, name: string, header: Header): Steps<SnapshotTable> {
  const { offset, count } = header.snapshots;
  const snapshots: Snapshot[] = [];
  if (count === 0) return { snapshots, bytes: 0 };
  const table = new Uint8Array(Math.max(0, Math.min(MAX_SNAPSHOT_TABLE_BYTES, file.size - offset)));
  yield* readClipped(file, offset, table);
  const view = viewOf(table);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + FIXED > table.length) throw damaged(name, "its snapshot table ends too early");
    const idLength = view.getUint16(at + 12);
    const nameLength = view.getUint16(at + 14);
    const extra = view.getUint32(at + 36);
    const text = at + FIXED + extra;
    const end = text + idLength + nameLength;
    if (end > table.length) throw damaged(name, "its snapshot table ends too early");
    snapshots.push({
      id: decodeText(table.subarray(text, text + idLength)),
      name: decodeText(table.subarray(text + idLength, end)),
      created: view.getUint32(at + 16),
      stateSize: extra >= 8 ? getU64(view, at + FIXED) : view.getUint32(at + 32),
      l1Offset: getU64(view, at),
      l1Entries: view.getUint32(at + 8),
    });
    at = Math.ceil(end / 8) * 8;
  }
  return { snapshots, bytes: Math.min(at, table.length) };
}
