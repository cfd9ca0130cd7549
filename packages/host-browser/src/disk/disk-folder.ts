// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { browserError } from "../host-error.js";
import type { AccessHandle } from "./access-handle.js";
import { AccessStore } from "./access-store.js";

const DISKS = "isola-disks";
/** Compiled guest code. */
export const CODE_FOLDER = "isola-code";
const SCRATCH = "scratch-";
const ATTEMPTS = 15;
const PAUSE_MS = 200;

/** The part of a file of the origin's private file system that only workers have. */
interface WorkerFile {
  createSyncAccessHandle(): Promise<AccessHandle>;
}

/** A disk in the browser's storage. */
export interface StoredFile {
  readonly name: string;
  /** Bytes that it takes. */
  readonly size: number;
}

/**
 * The files of this site's disks in the origin private file system, which a page keeps from one visit to the next. One
 * tab at a time has a file open.
 */
export class DiskFolder {
  private constructor(private readonly folder: FileSystemDirectoryHandle) {}

  /**
   * Opens the folder, and deletes scratch files that a tab has left behind. Rejects with an OperatorError.
   * @param name another folder, for files that are no disks
   */
  static async open(name = DISKS): Promise<DiskFolder> {
    try {
      const root = await navigator.storage.getDirectory();
      const folder = new DiskFolder(await root.getDirectoryHandle(name, { create: true }));
      await folder.sweep();
      return folder;
    } catch (error) {
      throw browserError("use the browser's storage", error);
    }
  }

  /** Opens a file, which is empty if it is new. Rejects with an OperatorError, for example if another tab has it open. */
  async openFile(name: string): Promise<AccessStore> {
    return new AccessStore(`the disk "${name}"`, await this.access(name));
  }

  /** An empty file that is gone when it is closed. */
  async scratch(): Promise<AccessStore> {
    const name = `${SCRATCH}${crypto.randomUUID()}`;
    return new AccessStore("the temporary disk", await this.access(name), () => this.remove(name));
  }

  /** Deletes a file; one that is not there is no error. */
  async remove(name: string): Promise<void> {
    try {
      await this.folder.removeEntry(name);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "NotFoundError")
        throw browserError(`delete the disk "${name}"`, error);
    }
  }

  /** A look at a file's contents, for downloads. */
  async file(name: string): Promise<File> {
    try {
      return await (await this.folder.getFileHandle(name)).getFile();
    } catch (error) {
      throw browserError(`read the disk "${name}"`, error);
    }
  }

  async list(): Promise<StoredFile[]> {
    const files: StoredFile[] = [];
    for await (const [name, handle] of this.folder.entries())
      if (handle.kind === "file" && !name.startsWith(SCRATCH))
        files.push({ name, size: (await (handle as FileSystemFileHandle).getFile()).size });
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private async access(name: string): Promise<AccessHandle> {
    if (!/^[\w.-]{1,120}$/.test(name)) throw new OperatorError("bad-disk-name", `"${name}" cannot be a disk's name`);
    for (let attempt = 1; ; attempt++) {
      try {
        const file = await this.folder.getFileHandle(name, { create: true });
        return await (file as unknown as WorkerFile).createSyncAccessHandle();
      } catch (error) {
        const busy = error instanceof Error && error.name === "NoModificationAllowedError";
        if (!busy || attempt === ATTEMPTS) throw browserError(`open the disk "${name}"`, error);
        // A page that was just reloaded has not let go of it yet.
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  private async sweep(): Promise<void> {
    const stale: string[] = [];
    for await (const name of this.folder.keys()) if (name.startsWith(SCRATCH)) stale.push(name);
    // One that another tab uses cannot be deleted, and that is as it should be.
    for (const name of stale) await this.folder.removeEntry(name).catch(() => {});
  }
}
