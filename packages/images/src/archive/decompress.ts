// SPDX-License-Identifier: Apache-2.0
import { Readable, Transform } from "node:stream";
import type { ReadableStream as WebStream } from "node:stream/web";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { XzReadableStream } from "xz-decompress";
import { ArchiveError } from "./byte-source.js";

export type Compression = "none" | "gz" | "xz" | "zst";

/** The compression that a file name's last extension tells (`data.tar.xz` -> `xz`), undefined for an unknown one. */
export function compressionOf(name: string): Compression | undefined {
  if (name.endsWith(".xz")) return "xz";
  if (name.endsWith(".gz")) return "gz";
  if (name.endsWith(".zst")) return "zst";
  return name.endsWith(".tar") || !name.includes(".") ? "none" : undefined;
}

/** Refuses to expand beyond `limit` bytes: a small download must not be able to fill the host's disk. */
function bounded(limit: number): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done): void {
      total += chunk.length;
      if (total > limit) done(new ArchiveError(`expands to more than ${limit} bytes`));
      else done(null, chunk);
    },
  });
}

/** The plain bytes of `input`; an error of either side destroys the other. Damaged input fails as ArchiveError. */
export function decompressed(input: Readable, compression: Compression, limit: number): Readable {
  const output = bounded(limit);
  const fail = (cause: Error): void => {
    output.destroy(
      cause instanceof ArchiveError ? cause : new ArchiveError(`cannot expand: ${cause.message}`, { cause }),
    );
  };
  let plain: Readable = input;
  if (compression === "xz") {
    const web = Readable.toWeb(input) as unknown as ReadableStream<Uint8Array>;
    plain = Readable.fromWeb(new XzReadableStream(web) as unknown as WebStream<Uint8Array>);
  } else if (compression !== "none") {
    const codec = compression === "gz" ? createGunzip() : createZstdDecompress();
    input.on("error", (error) => codec.destroy(error));
    codec.on("close", () => input.destroy());
    plain = input.pipe(codec);
  }
  plain.on("error", fail);
  output.on("close", () => plain.destroy());
  return plain.pipe(output);
}
