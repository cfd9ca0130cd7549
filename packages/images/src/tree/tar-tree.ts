// SPDX-License-Identifier: Apache-2.0
import { FileSource } from "../archive/byte-source.js";
import { readTar } from "../archive/tar.js";
import type { FileTree } from "./file-tree.js";

/**
 * Adds the members of the plain tar archive at `path` to `tree`, as extracting it onto a disk would. File contents stay
 * in the archive, so it must live as long as the tree. Returns the paths in the order of the archive, with a leading
 * slash and `/.` for the root, which is the form of dpkg's `.list` files.
 */
export async function addTar(tree: FileTree, path: string, keep?: (path: string) => boolean): Promise<string[]> {
  const paths: string[] = [];
  const source = await FileSource.open(path);
  try {
    for await (const entry of readTar(source)) {
      const plain = entry.path.replace(/^(?:\.\/)+/, "").replace(/\/+$/, "");
      paths.push(plain === "" || plain === "." ? "/." : `/${plain}`);
      if (keep && !keep(`/${plain}`)) continue;
      const meta = { mode: entry.mode, uid: entry.uid, gid: entry.gid, mtime: entry.mtime, xattrs: entry.xattrs };
      switch (entry.kind) {
        case "directory":
          tree.directory(plain, meta);
          break;
        case "file":
          tree.file(plain, { kind: "range", path, offset: entry.bodyOffset, length: entry.size }, meta);
          break;
        case "symlink":
          tree.symlink(plain, entry.linkPath, meta);
          break;
        case "hardlink":
          tree.hardLink(plain, entry.linkPath);
          break;
        default:
          tree.device(plain, entry.kind, entry.major, entry.minor, meta);
      }
    }
  } finally {
    await source.close();
  }
  return paths;
}
