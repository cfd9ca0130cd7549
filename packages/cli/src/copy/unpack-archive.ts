// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Unpack } from "tar/unpack";

/** Not the bits that give a program another user's rights: it is the guest who wrote it. */
const PERMISSIONS = 0o777;
const KINDS = new Set(["File", "OldFile", "ContiguousFile", "Directory", "SymbolicLink", "Link"]);

/**
 * Unpacks a tar archive of a guest, which may be hostile, into an empty directory, with permissions and times. Names and
 * hard links that lead elsewhere are errors, symbolic links are made and never followed, and what is no file, directory
 * or link is left out. Resolves with what went wrong, or null.
 */
export async function unpackArchive(archive: Readable, into: string): Promise<Error | null> {
  const unpack = new Unpack({
    cwd: into,
    strict: true,
    preserveOwner: false,
    chmod: true,
    processUmask: 0,
    filter: (_path, entry) => "type" in entry && KINDS.has(entry.type),
    onReadEntry: (entry) => {
      entry.mode = (entry.mode ?? 0) & PERMISSIONS;
    },
  });
  try {
    // It is a writable stream in all that matters here, of a class that Node's types do not know.
    await pipeline(archive, unpack as unknown as NodeJS.WritableStream);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
