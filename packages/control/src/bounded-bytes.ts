// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";

/** All that a stream brings; rejects with what `tooLong` makes as soon as that is more than `max` bytes. */
export async function boundedBytes(stream: Readable, max: number, tooLong: () => Error): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > max) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
