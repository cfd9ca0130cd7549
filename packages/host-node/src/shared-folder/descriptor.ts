// SPDX-License-Identifier: Apache-2.0
import { close, open } from "node:fs";
import { promisify } from "node:util";
import { FileTreeError } from "@isola/ports";

const openFile = promisify(open);
const EIO = 5;
const EBADF = 9;

/** The error number of a failed system call: Linux's own, since there is no other host for this. */
export function treeError(error: unknown): FileTreeError {
  if (error instanceof FileTreeError) return error;
  const number = (error as NodeJS.ErrnoException | null)?.errno;
  return new FileTreeError(typeof number === "number" && number < 0 ? -number : EIO);
}

/**
 * A file descriptor that is closed when nobody uses it any more. A number that is closed under an operation which is still
 * under way could stand for another file of this process when the operation gets there.
 */
export class Descriptor {
  private users = 0;
  private closing = false;
  private closed: Promise<void> | null = null;
  private tellClosed: () => void = () => {};

  private constructor(private readonly number: number) {}

  /** Throws FileTreeError. */
  static async open(path: string | Buffer, flags: number, mode?: number): Promise<Descriptor> {
    try {
      return new Descriptor(await openFile(path, flags, mode));
    } catch (error) {
      throw treeError(error);
    }
  }

  /** Does something with the descriptor while it cannot be closed. Rejects with FileTreeError. */
  async use<T>(task: (fd: number) => Promise<T>): Promise<T> {
    if (this.closing) throw new FileTreeError(EBADF);
    this.users++;
    try {
      return await task(this.number);
    } catch (error) {
      throw treeError(error);
    } finally {
      this.users--;
      if (this.closing && this.users === 0) this.closeNow();
    }
  }

  /** Resolves when it is closed, which may have to wait for operations under way. */
  close(): Promise<void> {
    if (this.closed !== null) return this.closed;
    this.closed = new Promise((resolve) => (this.tellClosed = resolve));
    this.closing = true;
    if (this.users === 0) this.closeNow();
    return this.closed;
  }

  private closeNow(): void {
    close(this.number, () => this.tellClosed());
  }
}
