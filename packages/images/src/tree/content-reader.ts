// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from "node:fs/promises";
import type { FileContent } from "./content.js";

const CHUNK = 1 << 20;
const MAX_OPEN = 64;

/** Reads many contents out of few archives; keeps the archives open that were used last. */
export class ContentReader {
  private readonly handles = new Map<string, FileHandle>();

  /** The content in order, in pieces of at most 1 MiB. A file that became shorter meanwhile is an error. */
  async *chunks(content: FileContent): AsyncGenerator<Uint8Array> {
    if (content.kind === "bytes") {
      if (content.length > 0) yield content.bytes;
      return;
    }
    for (let done = 0; done < content.length;) {
      const handle = await this.handle(content.path);
      const buffer = new Uint8Array(Math.min(CHUNK, content.length - done));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, content.offset + done);
      if (bytesRead === 0) throw new Error(`${content.path} ended early while it was being read`);
      yield buffer.subarray(0, bytesRead);
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    for (const handle of this.handles.values()) await handle.close();
    this.handles.clear();
  }

  private async handle(path: string): Promise<FileHandle> {
    const known = this.handles.get(path);
    if (known) {
      this.handles.delete(path);
      this.handles.set(path, known);
      return known;
    }
    const [oldest] = this.handles;
    if (oldest && this.handles.size >= MAX_OPEN) {
      this.handles.delete(oldest[0]);
      await oldest[1].close();
    }
    const handle = await open(path, "r");
    this.handles.set(path, handle);
    return handle;
  }
}

/** One content in pieces of at most 1 MiB. */
export async function* contentChunks(content: FileContent): AsyncGenerator<Uint8Array> {
  const reader = new ContentReader();
  try {
    yield* reader.chunks(content);
  } finally {
    await reader.close();
  }
}

/** The whole of one content; for small files only. */
export async function contentBytes(content: FileContent): Promise<Uint8Array> {
  if (content.kind === "bytes") return content.bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of contentChunks(content)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
