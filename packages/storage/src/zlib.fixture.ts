// SPDX-License-Identifier: Apache-2.0
import { inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { Decompressor } from "@isola/ports";

/** Node's decompression, for tests of this package, which cannot see the host's. */
export const zlib: Decompressor = {
  inflateRaw: (data, size) => inflateRawSync(data, { maxOutputLength: size }),
  inflate: (data, size) => inflateSync(data, { maxOutputLength: size }),
  unzstd: (data, size) => zstdDecompressSync(data, { maxOutputLength: size }),
};
