// SPDX-License-Identifier: Apache-2.0
import type { Decompressor } from "@isola/ports";

/** Exactly `size` bytes of what `data` unpacks to, and no more memory than that and a piece. */
async function unpack(data: Uint8Array, size: number, format: "deflate" | "deflate-raw"): Promise<Uint8Array> {
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  // What is wrong with the data is told to the reader.
  void writer.write(Uint8Array.from(data)).catch(() => {});
  void writer.close().catch(() => {});
  const reader = stream.readable.getReader();
  const result = new Uint8Array(size);
  let done = 0;
  try {
    while (done < size) {
      const piece = await reader.read();
      if (piece.value === undefined) throw new RangeError(`${done} bytes come out, not ${size}`);
      if (done + piece.value.length > size) throw new RangeError(`more than ${size} bytes come out`);
      result.set(piece.value, done);
      done += piece.value.length;
    }
    // Browsers complain of what follows the end of the stream, which is no error here.
    const rest = await reader.read().catch(() => null);
    if (rest?.value !== undefined) throw new RangeError(`more than ${size} bytes come out`);
    return result;
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** The browser's own decompression, which knows deflate only. */
export const hostDecompressor: Decompressor = {
  inflateRaw: (data, size) => unpack(data, size, "deflate-raw"),
  inflate: (data, size) => unpack(data, size, "deflate"),
};
