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

/**
 * A store whose size can change: the file that a disk image lives in. A range beyond `size` may be neither read nor
 * written; whoever needs one asks for the size first.
 */
export interface ResizableStore extends BlockStore {
  /** Makes the store longer, by bytes that read as zeros, or cuts it. `size` follows when this is done. */
  resize(size: number): void | Promise<void>;
}

/**
 * Unpacks the compressed blocks of disk images. `data` may go on behind the end of the stream; what follows is ignored.
 * An answer that is not exactly `size` bytes long is an error, as is damaged data; never more memory is used for it.
 */
export interface Decompressor {
  /** A raw deflate stream (RFC 1951). */
  inflateRaw(data: Uint8Array, size: number): Uint8Array | Promise<Uint8Array>;
  /** A zlib stream (RFC 1950). */
  inflate(data: Uint8Array, size: number): Uint8Array | Promise<Uint8Array>;
  /** One Zstandard frame (RFC 8878), and nothing behind it. Absent where the host has no such decoder. */
  unzstd?(data: Uint8Array, size: number): Uint8Array | Promise<Uint8Array>;
}
