// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";

/** What a regular file holds: bytes in memory, or a range of a file on the host (an unpacked archive). */
export type FileContent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly length: number }
  | { readonly kind: "range"; readonly path: string; readonly offset: number; readonly length: number };

const CHUNK = 1 << 20;

/** Content from bytes, or from text as UTF-8. */
export function bytesContent(data: Uint8Array | string): FileContent {
  const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
  return { kind: "bytes", bytes, length: bytes.length };
}

/** The content in order, in pieces of at most 1 MiB. A file that became shorter meanwhile is an error. */
export async function* contentChunks(content: FileContent): AsyncGenerator<Uint8Array> {
  if (content.length === 0) return;
  if (content.kind === "bytes") {
    yield content.bytes;
    return;
  }
  const handle = await open(content.path, "r");
  try {
    for (let done = 0; done < content.length; ) {
      const buffer = new Uint8Array(Math.min(CHUNK, content.length - done));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, content.offset + done);
      if (bytesRead === 0) throw new Error(`${content.path} ended early while it was being read`);
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** The whole content; for small files only. */
export async function contentBytes(content: FileContent): Promise<Uint8Array> {
  if (content.kind === "bytes") return content.bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of contentChunks(content)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
