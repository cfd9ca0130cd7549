// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { hostError } from "../host-error.js";

/**
 * Makes the file `target` appear whole or not at all: `fill` writes to a temporary file beside it, which is flushed and
 * renamed when `fill` succeeds and removed when it does not.
 */
export async function writeAtomically(target: string, fill: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = `${target}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    await mkdir(dirname(target), { recursive: true });
    const handle = await open(temporary, "wx");
    try {
      await fill(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw hostError(error, target);
  }
}

/** Writes chunks one after the other to `target`, atomically. */
export async function writeChunksAtomically(
  target: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  await writeAtomically(target, async (handle) => {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await handle.writeFile(chunk);
    }
  });
}
