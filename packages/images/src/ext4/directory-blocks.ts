// SPDX-License-Identifier: Apache-2.0
import { BLOCK_SIZE } from "./geometry.js";

/** `file_type` of a directory entry. */
export const enum FileType {
  Regular = 1,
  Directory = 2,
  Char = 3,
  Block = 4,
  Fifo = 5,
  Symlink = 7,
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
  readonly type: FileType;
}

function recordLength(nameLength: number): number {
  return (8 + nameLength + 3) & ~3;
}

/** How many blocks a directory with these names takes, "." and ".." included. */
export function directoryBlockCount(names: Iterable<string>): number {
  let blocks = 1;
  let used = recordLength(1) + recordLength(2);
  for (const name of names) {
    const length = recordLength(Buffer.byteLength(name));
    if (used + length > BLOCK_SIZE) {
      blocks++;
      used = 0;
    }
    used += length;
  }
  return blocks;
}

/**
 * A linear directory: records follow each other, none crosses a block, the last of a block reaches to its end. It is
 * padded with empty blocks to `minimumBlocks`.
 */
export function directoryBlocks(entries: readonly DirectoryEntry[], minimumBlocks = 1): Uint8Array {
  const count = Math.max(directoryBlockCount(entries.slice(2).map(({ name }) => name)), minimumBlocks);
  const bytes = new Uint8Array(count * BLOCK_SIZE);
  const view = new DataView(bytes.buffer);
  let block = 0;
  let used = 0;
  let last = -1;
  const closeBlock = (): void => {
    const start = block * BLOCK_SIZE;
    if (last < 0) view.setUint16(start + 4, BLOCK_SIZE, true);
    else view.setUint16(last + 4, start + BLOCK_SIZE - last, true);
    block++;
    used = 0;
    last = -1;
  };
  for (const { name, inode, type } of entries) {
    const encoded = Buffer.from(name, "utf8");
    const length = recordLength(encoded.length);
    if (used + length > BLOCK_SIZE) closeBlock();
    last = block * BLOCK_SIZE + used;
    view.setUint32(last, inode, true);
    view.setUint16(last + 4, length, true);
    view.setUint8(last + 6, encoded.length);
    view.setUint8(last + 7, type);
    bytes.set(encoded, last + 8);
    used += length;
  }
  while (block < count) closeBlock();
  return bytes;
}
