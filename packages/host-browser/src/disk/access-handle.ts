// SPDX-License-Identifier: Apache-2.0

/** A file of the origin's private file system that a worker has open for itself (File System, 2.6). All calls block. */
export interface AccessHandle {
  /** Returns how many bytes were read: fewer than asked for at the end of the file. */
  read(buffer: Uint8Array, options: { at: number }): number;
  /** Returns how many bytes were written. */
  write(buffer: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  getSize(): number;
  flush(): void;
  close(): void;
}
