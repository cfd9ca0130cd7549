// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { BLOCK_SIZE, INODE_SIZE } from "./geometry.js";

const MAGIC = 0xea020000;
const BLOCK_HEADER = 32;
/** Name prefixes that are stored as a number, longest first where one contains another. */
const PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["user.", 1],
  ["trusted.", 4],
  ["security.", 6],
  ["system.", 7],
];

/** Attribute bytes of one inode: `inline` goes behind its fixed part, `block` into a block of its own. */
export interface EncodedXattrs {
  readonly inline?: Uint8Array;
  readonly block?: Uint8Array;
}

interface Attribute {
  readonly index: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

function compare(a: Attribute, b: Attribute): number {
  return a.index - b.index || a.name.length - b.name.length || Buffer.compare(a.name, b.name);
}

/** `ext4_xattr_hash_entry`: rotate by 5 over the name, by 16 over the value's words. */
function entryHash(name: Uint8Array, value: Uint8Array): number {
  let hash = 0;
  // The kernel reads the name as signed char on x86.
  for (const byte of name) hash = ((hash << 5) ^ (hash >>> 27) ^ ((byte << 24) >> 24)) >>> 0;
  const padded = new DataView(new ArrayBuffer((value.length + 3) & ~3));
  value.forEach((byte, i) => padded.setUint8(i, byte));
  for (let i = 0; i < padded.byteLength; i += 4) {
    hash = ((hash << 16) ^ (hash >>> 16) ^ padded.getUint32(i, true)) >>> 0;
  }
  return hash;
}

/** Entries grow from the front, values from the back; undefined if they do not fit `room` bytes. */
function layOut(
  attributes: readonly Attribute[],
  room: number,
  valueBase: number,
  hashed: boolean,
): Uint8Array | undefined {
  const bytes = new Uint8Array(room);
  const view = new DataView(bytes.buffer);
  let entry = 0;
  let end = room;
  for (const { index, name, value } of attributes) {
    const entrySize = (16 + name.length + 3) & ~3;
    end -= (value.length + 3) & ~3;
    // Four zero bytes end the list of entries.
    if (entry + entrySize + 4 > end) return undefined;
    view.setUint8(entry, name.length);
    view.setUint8(entry + 1, index);
    view.setUint16(entry + 2, valueBase + end, true);
    view.setUint32(entry + 8, value.length, true);
    if (hashed) view.setUint32(entry + 12, entryHash(name, value), true);
    bytes.set(name, entry + 16);
    bytes.set(value, end);
    entry += entrySize;
  }
  return bytes;
}

/** Encodes the attributes of one inode whose fixed part ends at `inodeUsed` bytes. Too many are an OperatorError. */
export function encodeXattrs(xattrs: ReadonlyMap<string, Uint8Array>, inodeUsed: number, path: string): EncodedXattrs {
  if (xattrs.size === 0) return {};
  const attributes = [...xattrs].map(([key, value]): Attribute => {
    const found = PREFIXES.find(([prefix]) => key.startsWith(prefix));
    if (!found) throw new OperatorError("XATTR_INVALID", `${path}: extended attribute ${key} has no known name space`);
    return { index: found[1], name: Buffer.from(key.slice(found[0].length), "utf8"), value };
  });
  attributes.sort(compare);
  // In the inode, value offsets count from the first entry, behind the magic number.
  const inline = layOut(attributes, INODE_SIZE - inodeUsed - 4, 0, false);
  if (inline) {
    const bytes = new Uint8Array(4 + inline.length);
    new DataView(bytes.buffer).setUint32(0, MAGIC, true);
    bytes.set(inline, 4);
    return { inline: bytes };
  }
  const body = layOut(attributes, BLOCK_SIZE - BLOCK_HEADER, BLOCK_HEADER, true);
  if (!body) throw new OperatorError("XATTR_INVALID", `${path}: extended attributes of more than one block`);
  const block = new Uint8Array(BLOCK_SIZE);
  const view = new DataView(block.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 1, true); // h_refcount
  view.setUint32(8, 1, true); // h_blocks
  let hash = 0;
  for (const { name, value } of attributes) hash = ((hash << 16) ^ (hash >>> 16) ^ entryHash(name, value)) >>> 0;
  view.setUint32(12, hash, true);
  block.set(body, BLOCK_HEADER);
  return { block };
}
