// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { BlockStore, ResizableStore } from "@isola/ports";
import { copyDisk, type CopyProgress, createQcow2, openImage, openQcow2, qcow2Info } from "@isola/storage";
import { hostDecompressor } from "../decompressor.js";
import { openUrlStore } from "../http/url-store.js";
import { BlobStore } from "./blob-store.js";
import type { DiskFolder } from "./disk-folder.js";
import type { DiskSource, ImageSource } from "./disk-source.js";

/** An image may refer to others by name, and in a browser there is no place where they could be. */
const host = {
  decompressor: hostDecompressor,
  open: (reference: string, from: string): never => {
    throw new OperatorError("disk-chain", `${from} is based on ${reference}; flatten the image first`);
  },
};

/** Opens the disk in an image, of whatever format, for reading. Rejects with an OperatorError. */
export async function openImageSource(source: ImageSource): Promise<BlockStore> {
  const file =
    source.kind === "url"
      ? { name: source.url, store: await openUrlStore(source.url) }
      : { name: source.name, store: new BlobStore(source.name, source.file) };
  return (await openImage(file, { readOnly: true, host })).store;
}

/** Whether nothing was ever written to the file's beginning; of a new image the header comes last. */
async function isBlank(file: ResizableStore): Promise<boolean> {
  const head = new Uint8Array(Math.min(4, file.size));
  await file.read(0, head);
  return head.every((byte) => byte === 0);
}

function nameOf(source: ImageSource): string {
  return source.kind === "url" ? source.url : source.name;
}

/** Opens a writable image; `file` and `backing` belong to it, also if this fails. */
async function openWritable(file: ResizableStore, name: string, backing: BlockStore | null, disposable = false) {
  try {
    return await openQcow2(file, { name, readOnly: false, disposable, backing, decompressor: hostDecompressor });
  } catch (error) {
    await file.close();
    await backing?.close();
    throw error;
  }
}

/** A disk whose changes are gone when it is closed. `base` belongs to it. */
async function temporaryDisk(base: BlockStore, folder: DiskFolder): Promise<BlockStore> {
  let file: ResizableStore;
  try {
    file = await folder.scratch();
    await createQcow2(file, { size: base.size });
  } catch (error) {
    await base.close();
    throw error;
  }
  return openWritable(file, "the temporary disk", base, true);
}

/** A new image that stands for itself, in place of whatever has that name. */
async function newDisk(name: string, size: number, folder: DiskFolder): Promise<BlockStore> {
  await folder.remove(name);
  const file = await folder.openFile(name);
  await createQcow2(file, { size });
  return openWritable(file, `the disk "${name}"`, null);
}

/** A disk that stays: an image in the browser's storage which remembers what it is based on. */
async function keptDisk(source: DiskSource & { readonly kind: "kept" }, folder: DiskFolder): Promise<BlockStore> {
  const { name, base, size } = source;
  const file = await folder.openFile(name);
  let backing: BlockStore | null = null;
  try {
    if (await isBlank(file)) {
      backing = base === null ? null : await openImageSource(base);
      const based = base === null ? {} : { backing: { name: nameOf(base), format: "raw" } };
      await createQcow2(file, { size: backing?.size ?? size, ...based });
    } else {
      // One that was imported stands for itself, whatever the machine's disks usually begin with.
      const info = await qcow2Info(file, name);
      if (info.backing !== null) {
        if (base === null || nameOf(base) !== info.backing.name)
          throw new OperatorError("disk-base", `the disk "${name}" holds changes to ${info.backing.name}: choose that`);
        backing = await openImageSource(base);
      }
    }
  } catch (error) {
    await file.close();
    await backing?.close();
    throw error;
  }
  return openWritable(file, `the disk "${name}"`, backing);
}

/** Opens a disk of a machine. Rejects with an OperatorError. */
export async function openDisk(source: DiskSource, folder: DiskFolder): Promise<BlockStore> {
  if (source.kind === "kept") return keptDisk(source, folder);
  const base = await openImageSource(source.base);
  return source.kind === "readonly" ? base : temporaryDisk(base, folder);
}

/** Makes `name` an image that holds what `from` holds. `from` belongs to it, also if this fails. */
async function copyToNewDisk(
  from: BlockStore,
  name: string,
  folder: DiskFolder,
  onProgress: CopyProgress,
): Promise<void> {
  try {
    const to = await newDisk(name, from.size, folder);
    try {
      await copyDisk(from, to, onProgress);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

/**
 * Writes the whole of a disk that no machine uses into the file `target` of the folder, as a qcow2 image that stands for
 * itself.
 */
export async function exportDisk(
  source: DiskSource,
  folder: DiskFolder,
  target: string,
  onProgress: CopyProgress,
): Promise<void> {
  await copyToNewDisk(await openDisk(source, folder), target, folder, onProgress);
}

/** Makes the kept disk `name` hold what an image holds; its size is that of the image. */
export async function importDisk(
  name: string,
  image: ImageSource,
  folder: DiskFolder,
  onProgress: CopyProgress,
): Promise<void> {
  await copyToNewDisk(await openImageSource(image), name, folder, onProgress);
}
