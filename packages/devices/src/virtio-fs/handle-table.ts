// SPDX-License-Identifier: Apache-2.0
import { type DirectoryEntry, FileTreeError, type OpenFile } from "@isola/ports";
import { Errno } from "./fuse-abi.js";

/** What the guest has open: a file, or a directory with what was in it when it was opened. */
export type Handle =
  | { readonly kind: "file"; readonly file: OpenFile }
  | { readonly kind: "directory"; readonly entries: readonly DirectoryEntry[] };

/** Names in all open directories together. */
const MAX_ENTRIES = 1_000_000;

export class HandleTable {
  private readonly handles = new Map<number, Handle>();
  private next = 1;
  private entries = 0;

  /** @param limit most handles at once */
  constructor(private readonly limit: number) {}

  get size(): number {
    return this.handles.size;
  }

  /** Throws ENFILE if there are too many; the file is then closed. */
  add(handle: Handle): number {
    const more = handle.kind === "directory" ? handle.entries.length : 0;
    if (this.handles.size >= this.limit || this.entries + more > MAX_ENTRIES) {
      void closeHandle(handle);
      throw new FileTreeError(Errno.TooManyFiles);
    }
    this.entries += more;
    this.handles.set(this.next, handle);
    return this.next++;
  }

  /** Throws EBADF for what is not open, or no file. */
  file(number: number): OpenFile {
    const handle = this.handles.get(number);
    if (handle?.kind !== "file") throw new FileTreeError(Errno.BadHandle);
    return handle.file;
  }

  directory(number: number): readonly DirectoryEntry[] {
    const handle = this.handles.get(number);
    if (handle?.kind !== "directory") throw new FileTreeError(Errno.BadHandle);
    return handle.entries;
  }

  async remove(number: number): Promise<void> {
    const handle = this.handles.get(number);
    if (handle === undefined) return;
    this.handles.delete(number);
    if (handle.kind === "directory") this.entries -= handle.entries.length;
    await closeHandle(handle);
  }

  clear(): void {
    for (const handle of this.handles.values()) void closeHandle(handle);
    this.handles.clear();
    this.entries = 0;
  }
}

/** What goes wrong while a file is closed, nobody can be told any more. */
async function closeHandle(handle: Handle): Promise<void> {
  if (handle.kind === "directory") return;
  await handle.file.close().catch(() => {});
}
