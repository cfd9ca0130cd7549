// SPDX-License-Identifier: Apache-2.0
import { lstatSync, lutimesSync, symlinkSync } from "node:fs";
import { join, posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Unpack } from "tar/unpack";

/** Not the bits that give a program another user's rights: it is the guest who wrote it. */
const PERMISSIONS = 0o777;
const KINDS = new Set(["File", "OldFile", "ContiguousFile", "Directory", "Link"]);

interface ArchivedLink {
  readonly path: string;
  readonly target: string;
  readonly modified: Date;
}

/** Whether a path is one of names only, without a way up or to the root. */
function isInside(path: string): boolean {
  return path !== "" && !posix.isAbsolute(path) && !path.split("/").includes("..");
}

/** Makes a link as it is written, unless the way to its name leads over another link. */
function makeLink(into: string, { path, target, modified }: ArchivedLink): void {
  if (!isInside(path)) throw new Error(`${path} leads elsewhere`);
  const parts = posix.normalize(path).replace(/\/$/, "").split("/");
  for (let i = 1; i < parts.length; i++)
    if (!lstatSync(join(into, ...parts.slice(0, i))).isDirectory()) throw new Error(`${path} leads over a link`);
  const place = join(into, ...parts);
  symlinkSync(target, place);
  lutimesSync(place, modified, modified);
}

/**
 * Unpacks a tar archive of a guest, which may be hostile, into an empty directory, with permissions and times. Names and
 * hard links that lead elsewhere are errors, and what is no file, directory or link is left out. Symbolic links may lead
 * anywhere: they are made when everything else is there, so that nothing is written through one. Resolves with what went
 * wrong, or null.
 */
export async function unpackArchive(archive: Readable, into: string): Promise<Error | null> {
  const links: ArchivedLink[] = [];
  const unpack = new Unpack({
    cwd: into,
    strict: true,
    preserveOwner: false,
    chmod: true,
    processUmask: 0,
    filter(path, entry) {
      if (!("type" in entry)) return false;
      if (entry.type === "SymbolicLink")
        links.push({ path, target: entry.linkpath ?? "", modified: entry.mtime ?? new Date(0) });
      return KINDS.has(entry.type);
    },
    onReadEntry: (entry) => {
      entry.mode = (entry.mode ?? 0) & PERMISSIONS;
    },
  });
  try {
    // It is a writable stream in all that matters here, of a class that Node's types do not know.
    await pipeline(archive, unpack as unknown as NodeJS.WritableStream);
    for (const link of links) makeLink(into, link);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
