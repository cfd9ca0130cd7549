// SPDX-License-Identifier: Apache-2.0
import { ArchiveError } from "./byte-source.js";

/** NAME_MAX and PATH_MAX of Linux: longer names cannot exist on the guest's disk. */
const NAME_MAX = 255;
const PATH_MAX = 4096;

/**
 * The components of a member's path, relative to the root of the tree that is being filled. An archive is hostile:
 * absolute paths, `..` and NUL are refused. The root itself (`./`) gives an empty array.
 */
export function memberPathComponents(path: string): string[] {
  if (path.startsWith("/")) throw new ArchiveError(`absolute path ${JSON.stringify(path)}`);
  if (path.length > PATH_MAX) throw new ArchiveError(`path of ${path.length} characters`);
  const components = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of components) {
    if (part === "..") throw new ArchiveError(`path with "..": ${JSON.stringify(path)}`);
    if (part.includes("\0")) throw new ArchiveError(`path with NUL: ${JSON.stringify(path)}`);
    if (Buffer.byteLength(part) > NAME_MAX) throw new ArchiveError(`name too long: ${JSON.stringify(part)}`);
  }
  return components;
}
