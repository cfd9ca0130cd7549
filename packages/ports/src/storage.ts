// SPDX-License-Identifier: Apache-2.0

/**
 * A flat array of bytes that survives the machine: a disk image, an overlay, a remote file.
 *
 * Operations may finish at once (return nothing) or later (return a promise). A rejected promise or a thrown error is
 * an I/O error of this request only. The caller keeps ranges inside `size` and does not touch `buffer` until done.
 */
export interface BlockStore {
  /** Size in bytes. */
  readonly size: number;
  readonly readOnly: boolean;
  read(offset: number, buffer: Uint8Array): void | Promise<void>;
  write(offset: number, buffer: Uint8Array): void | Promise<void>;
  /** Resolves once everything written before is on stable storage. */
  flush(): void | Promise<void>;
  /** Tells that a range is no longer needed; it reads as zeros or as before. */
  discard?(offset: number, length: number): void | Promise<void>;
  close(): void | Promise<void>;
}
