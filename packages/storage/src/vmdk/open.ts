// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { damaged } from "../image-error.js";
import type { ImageFile, ImageHost } from "../image/image-host.js";
import { type Locate, MappedStore } from "../mapped-store.js";
import { perform, type Steps } from "../steps.js";
import { decodeText } from "../text.js";
import { type Descriptor, parseDescriptor } from "./descriptor.js";
import { SparseExtent } from "./sparse-extent.js";

const MAX_DESCRIPTOR_BYTES = 1 << 20;

/** A part of the disk. */
interface Part {
  readonly start: number;
  readonly size: number;
  readonly content: SparseExtent | { readonly file: BlockStore; readonly offset: number } | null;
}

/** Opens the parent of a disk, by the name that its descriptor has. */
export type OpenParent = (reference: string) => Promise<BlockStore>;

/**
 * Opens a VMDK for reading: a sparse or stream-optimised file with its descriptor inside, or a descriptor that names
 * flat, sparse and empty extents. `opened` collects the stores of further files,
 * for the caller to close if this fails; `openParent` adds what it opens.
 */
export async function openVmdk(
  file: ImageFile,
  host: ImageHost,
  openParent: OpenParent,
  opened: BlockStore[],
): Promise<BlockStore> {
  const { name, store } = file;
  const magic = new Uint8Array(4);
  await perform(readClipped(store, 0, magic));
  const parts: Part[] = [];
  let descriptor: Descriptor | null = null;
  if (decodeText(magic) === "KDMV") {
    const extent = await perform(SparseExtent.open(store, name, host.decompressor));
    const text = decodeText(await perform(extent.descriptor()));
    if (text !== "") descriptor = parseDescriptor(name, text);
    parts.push({ start: 0, size: extent.capacity, content: extent });
  } else {
    const text = new Uint8Array(Math.min(store.size, MAX_DESCRIPTOR_BYTES));
    await perform(readClipped(store, 0, text));
    descriptor = parseDescriptor(name, decodeText(text));
    await openExtents(descriptor, file, host, parts, opened);
  }
  const parent = descriptor === null || descriptor.parent === null ? null : await openParent(descriptor.parent);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (!Number.isSafeInteger(size)) throw damaged(name, "its disk is larger than any");
  return new MappedStore(name, size, locateIn(name, parts, parent), [store, ...opened]);
}

async function openExtents(
  { extents }: Descriptor,
  file: ImageFile,
  host: ImageHost,
  parts: Part[],
  opened: BlockStore[],
): Promise<void> {
  let start = 0;
  for (const { type, size, file: reference, offset } of extents) {
    let content: Part["content"] = null;
    if (type !== "zero") {
      const extent = await host.open(reference, file.name);
      opened.push(extent.store);
      if (type === "flat") content = { file: extent.store, offset };
      else content = await perform(SparseExtent.open(extent.store, extent.name, host.decompressor));
      if (type === "flat" && offset + size > extent.store.size)
        throw damaged(extent.name, `it has ${extent.store.size} bytes, and ${file.name} wants ${offset + size}`);
    }
    parts.push({ start, size, content });
    start += size;
  }
}

function locateIn(name: string, parts: readonly Part[], parent: BlockStore | null): Locate {
  return function* locate(
    offset,
    length,
  ): Steps<{ from: Uint8Array | BlockStore | null; offset: number; length: number }> {
    const part = parts.findLast(({ start, size }) => start <= offset && size > 0);
    if (part === undefined) throw damaged(name, `nothing has byte ${offset}`);
    const within = offset - part.start;
    const most = Math.min(length, part.size - within);
    if (part.content === null) return { from: null, offset: 0, length: most };
    if (!(part.content instanceof SparseExtent))
      return { from: part.content.file, offset: part.content.offset + within, length: most };
    const piece = yield* part.content.locate(within, most);
    if (piece.from !== undefined) return piece;
    return { from: parent, offset, length: piece.length };
  };
}
