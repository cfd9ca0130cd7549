// SPDX-License-Identifier: Apache-2.0
import { contentChunks } from "../tree/content-reader.js";
import { type FileTree, type TreeNode, fileTypeBits } from "../tree/file-tree.js";

/** Header of the "newc" form: magic, then 13 fields of 8 hexadecimal digits (initramfs buffer format, kernel docs). */
function header(fields: readonly number[], name: string): Uint8Array {
  const text = `070701${fields.map((field) => (field >>> 0).toString(16).padStart(8, "0")).join("")}${name}\0`;
  const bytes = Buffer.from(text, "utf8");
  return Buffer.concat([bytes, new Uint8Array(padding(bytes.length))]);
}

/** Bytes to the next multiple of four. */
function padding(length: number): number {
  return -length & 3;
}

function* walk(node: TreeNode, path: string): Generator<[string, TreeNode]> {
  yield [path || ".", node];
  if (node.kind !== "directory") return;
  for (const name of [...node.children.keys()].sort()) {
    const child = node.children.get(name);
    if (child) yield* walk(child, path ? `${path}/${name}` : name);
  }
}

/**
 * The tree as a cpio archive of the form that Linux unpacks as initramfs. Names are sorted and inode numbers are given
 * in that order, so equal trees give equal bytes. The data of a file with several names goes with its first name; the
 * kernel links the later ones, which carry none.
 */
export async function* writeCpio(tree: FileTree): AsyncGenerator<Uint8Array> {
  const links = tree.linkCounts();
  const inodes = new Map<TreeNode, number>();
  for (const [path, node] of walk(tree.root, "")) {
    const known = inodes.get(node);
    const inode = known ?? inodes.size + 1;
    inodes.set(node, inode);
    const target = node.kind === "symlink" ? Buffer.from(node.target, "utf8") : undefined;
    const size = known !== undefined ? 0 : node.kind === "file" ? node.content.length : (target?.length ?? 0);
    const device = node.kind === "device" ? node : { major: 0, minor: 0 };
    const nlink = node.kind === "directory" ? 2 : (links.get(node) ?? 1);
    const { mode, uid, gid, mtime } = node.meta;
    const name = Buffer.byteLength(path) + 1;
    yield header(
      [inode, fileTypeBits(node) | mode, uid, gid, nlink, mtime, size, 0, 0, device.major, device.minor, name, 0],
      path,
    );
    if (node.kind === "file" && known === undefined) yield* contentChunks(node.content);
    if (target) yield target;
    if (size > 0) yield new Uint8Array(padding(size));
  }
  const trailer = "TRAILER!!!";
  yield header([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, trailer.length + 1, 0], trailer);
}
