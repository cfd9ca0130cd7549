// SPDX-License-Identifier: Apache-2.0
import { inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { Decompressor } from "@isola/ports";

function whole(size: number, data: Uint8Array): Uint8Array {
  if (data.length !== size) throw new RangeError(`${data.length} bytes come out, not ${size}`);
  return data;
}

/** Node's zlib. It stops at the end of a deflate stream, and never makes more than it is allowed to. */
export const hostDecompressor: Decompressor = {
  inflateRaw: (data, size) => whole(size, inflateRawSync(data, { maxOutputLength: size })),
  inflate: (data, size) => whole(size, inflateSync(data, { maxOutputLength: size })),
  unzstd: (data, size) => whole(size, zstdDecompressSync(data, { maxOutputLength: size })),
};
