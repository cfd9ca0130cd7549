// SPDX-License-Identifier: Apache-2.0
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "@isola/base";
import type { BlockStore } from "@isola/ports";
import { createQcow2, type DiskFormat, type ImageFile, type ImageHost, openImage, openQcow2 } from "@isola/storage";
import { hostDecompressor } from "./decompressor.js";
import { openFileStore, scratchStore } from "./file-store.js";
import { openUrlStore } from "./url-store.js";

/** How a machine uses a disk image. */
export type DiskMode =
  /** Changes go to the image. */
  | "writable"
  /** The guest sees a disk that it cannot write. */
  | "readonly"
  /** The guest may write, and the changes are gone when the disk is closed. */
  | "temporary";

export interface DiskImageOptions {
  /** Path of a file, or address on a web server. */
  readonly path: string;
  readonly mode: DiskMode;
  /** Format of the image; if it is not given, the first bytes tell. */
  readonly format?: DiskFormat;
}

const WEB = /^https?:\/\//i;
/** `scheme:`, of more than one letter, since one alone is a drive of Windows. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i;

/** Opens the file of an image by its path, or its address on a web server. Throws OperatorError. */
export async function openImageFile(path: string, readOnly: boolean): Promise<ImageFile> {
  if (WEB.test(path)) {
    if (!readOnly)
      throw new OperatorError(
        "read-only",
        `${withoutPassword(path)} is on a web server and cannot be written; use it as readonly or temporary`,
      );
    return { name: withoutPassword(path), store: await openUrlStore(path) };
  }
  const store = openFileStore({ path, readOnly });
  // Not the target of a symbolic link: names in the image start from where the link is, as with QEMU.
  return { name: resolve(path), store };
}

/** What images need of Node: the files that they are based on, and decompression. */
export const nodeImageHost: ImageHost = {
  decompressor: hostDecompressor,
  open: async (reference, from) => openImageFile(locate(reference, from), true),
};

/**
 * Where a file is that the image `from` refers to. An image from a web server may only refer to what lies on the same
 * server: it must not have this host read its own files, or other servers, for the guest.
 */
function locate(reference: string, from: string): string {
  if (WEB.test(from)) {
    const target = new URL(reference, from);
    if (target.origin === new URL(from).origin) return target.href;
    throw new OperatorError("disk-chain", `${from} is based on ${reference}, which is not on the same server`);
  }
  if (WEB.test(reference)) return reference;
  if (/^file:\/\//i.test(reference)) return fileURLToPath(reference);
  const path = reference.replace(/^file:/i, "");
  const scheme = SCHEME.exec(path)?.[1];
  if (scheme !== undefined)
    throw new OperatorError("disk-chain", `${from} is based on ${reference}, and "${scheme}:" is not supported`);
  return resolve(dirname(from), path);
}

function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = "";
    parsed.password = "";
    return parsed.href;
  } catch (cause) {
    throw new OperatorError("http-error", `"${url}" is no address`, { cause });
  }
}

/**
 * Opens the disk in an image, with everything that the image is based on. Only the image itself is ever written, and is
 * locked unless it is not. Throws OperatorError.
 */
export async function openDiskImage({ path, mode, format }: DiskImageOptions): Promise<BlockStore> {
  const readOnly = mode !== "writable";
  const file = await openImageFile(path, readOnly);
  const { store } = await openImage(file, {
    readOnly,
    host: nodeImageHost,
    ...(format === undefined ? {} : { format }),
  });
  return mode === "temporary" ? temporaryDisk(store) : store;
}

/**
 * A writable disk over one that must not change. Changes go to an unnamed scratch file in the system's temporary
 * folder, which is gone when the disk is closed, so a flush has nothing to do. `base` belongs to the disk.
 */
export async function temporaryDisk(base: BlockStore): Promise<BlockStore> {
  try {
    const scratch = scratchStore();
    await createQcow2(scratch, { size: base.size });
    const use = { name: "the temporary disk", readOnly: false, disposable: true, decompressor: null };
    return await openQcow2(scratch, { ...use, backing: base });
  } catch (error) {
    await base.close();
    throw error;
  }
}
