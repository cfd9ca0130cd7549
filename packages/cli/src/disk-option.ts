// SPDX-License-Identifier: Apache-2.0
import { openFileBlockStore, OverlayStore } from "@isola/host-node";
import type { BlockStore } from "@isola/ports";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** How a machine uses a disk file. */
export type DiskMode =
  /** Changes go to the file. */
  | "writable"
  /** The guest sees a disk that it cannot write. */
  | "readonly"
  /** The guest may write, and the changes are gone when the machine ends. */
  | "temporary";

export interface DiskOption {
  readonly path: string;
  readonly mode: DiskMode;
}

const FLAGS: readonly string[] = ["readonly", "temporary"] satisfies DiskMode[];

/** Reads `FILE`, `FILE,readonly` or `FILE,temporary`. */
export function parseDiskOption(text: string): DiskOption {
  const comma = text.lastIndexOf(",");
  if (comma < 0) return { path: text, mode: "writable" };
  const flag = text.slice(comma + 1);
  if (!FLAGS.includes(flag))
    throw new UsageError(
      `--disk: unknown flag "${flag}"${didYouMean(flag, FLAGS) || `; there are ${FLAGS.join(", ")}`}`,
    );
  return { path: text.slice(0, comma), mode: flag as DiskMode };
}

export function openDisk({ path, mode }: DiskOption): BlockStore {
  const store = openFileBlockStore({ path, readOnly: mode !== "writable" });
  return mode === "temporary" ? new OverlayStore(store) : store;
}

/** Opens all of them, or none: those already open are closed if one fails. */
export function openDisks(disks: readonly DiskOption[]): BlockStore[] {
  const open: BlockStore[] = [];
  try {
    for (const disk of disks) open.push(openDisk(disk));
    return open;
  } catch (error) {
    for (const store of open) void store.close();
    throw error;
  }
}
