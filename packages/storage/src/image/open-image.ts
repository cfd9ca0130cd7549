// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { BlockStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { readOnlyImage, unsupported } from "../image-error.js";
import { readHeader } from "../qcow2/header.js";
import { openQcow2 } from "../qcow2/open.js";
import { perform } from "../steps.js";
import { openVhd } from "../vhd/open.js";
import { openVhdx } from "../vhdx/open.js";
import { openVmdk } from "../vmdk/open.js";
import { GuardedRaw } from "./guarded-raw.js";
import type { ImageFile, ImageHost } from "./image-host.js";
import { DISK_FORMATS, type DiskFormat, probe, PROBE_LENGTH, type Probed } from "./probe.js";

const SECTOR = 512;
const CD_SECTOR = 2048;
/** Images that show through each other; more are a mistake, or an attack. */
const MAX_CHAIN = 64;

export interface OpenImageOptions {
  /** The file's format. Without it the first bytes tell, and a raw disk is guarded against becoming something else. */
  readonly format?: DiskFormat;
  readonly readOnly: boolean;
  readonly host: ImageHost;
}

/** A disk, and what it was opened as. */
export interface OpenedImage {
  readonly store: BlockStore;
  readonly format: DiskFormat;
}

/** Tells the format of an image by its first bytes (see `probe`). */
export async function probeFile(store: BlockStore): Promise<Probed> {
  const head = new Uint8Array(PROBE_LENGTH);
  await perform(readClipped(store, 0, head));
  return probe(head);
}

/**
 * Opens the disk in an image, with all images that it is based on. The file belongs to the disk; if this fails, it is
 * closed. Throws OperatorError for damaged images, for formats that are not supported, and for chains that are broken
 * or lead back to themselves.
 */
export function openImage(file: ImageFile, options: OpenImageOptions): Promise<OpenedImage> {
  return openInChain(file, options, []);
}

async function openInChain(file: ImageFile, options: OpenImageOptions, above: readonly string[]): Promise<OpenedImage> {
  const opened: BlockStore[] = [];
  try {
    if (above.includes(file.name))
      throw new OperatorError("disk-chain", `${file.name} is based on itself, by way of ${above.at(-1)}`);
    if (above.length >= MAX_CHAIN)
      throw new OperatorError("disk-chain", `${above[0]} is based on more than ${MAX_CHAIN} images`);
    const probed = options.format === undefined ? await probeFile(file.store) : null;
    const format = options.format ?? probed?.format ?? null;
    if (format === null)
      throw unsupported(file.name, `is a ${probed?.label} image, which is not supported; convert it first`);
    if (!DISK_FORMATS.includes(format)) throw unsupported(file.name, `is said to be "${format}", which is no format`);
    const base: OpenBase = async (reference, baseFormat) => {
      const store = await openBase(reference, baseFormat, options.host, [...above, file.name]);
      opened.push(store);
      return store;
    };
    const store = await openAs(format, file, options, base, opened);
    const guarded = probed !== null && format === "raw" && !store.readOnly;
    return { store: guarded ? new GuardedRaw(store, file.name) : store, format };
  } catch (error) {
    for (const store of opened) await store.close();
    await file.store.close();
    throw error;
  }
}

/** Opens the image that the last of `above` is based on. */
async function openBase(
  reference: string,
  format: DiskFormat | null,
  host: ImageHost,
  above: readonly string[],
): Promise<BlockStore> {
  const file = await host.open(reference, above.at(-1) ?? "");
  const options = { host, readOnly: true, ...(format === null ? {} : { format }) };
  return (await openInChain(file, options, above)).store;
}

/** Opens the disk that shows through a qcow2 image; null if it stands alone. */
export async function openBacking(
  { name }: ImageFile,
  backing: { readonly name: string; readonly format: string | null } | null,
  host: ImageHost,
): Promise<BlockStore | null> {
  return backing === null ? null : openBase(backing.name, formatNamed(backing), host, [name]);
}

type OpenBase = (reference: string, format: DiskFormat | null) => Promise<BlockStore>;

async function openAs(
  format: DiskFormat,
  file: ImageFile,
  { readOnly, host }: OpenImageOptions,
  base: OpenBase,
  opened: BlockStore[],
): Promise<BlockStore> {
  const openParent = (reference: string) => base(reference, null);
  switch (format) {
    case "qcow2": {
      const header = await perform(readHeader(file.store, file.name));
      const backing = header.backing === null ? null : await base(header.backing.name, formatNamed(header.backing));
      return openQcow2(file.store, { name: file.name, readOnly, backing, decompressor: host.decompressor });
    }
    case "vmdk":
      refuseWriting(file.name, "VMDK", readOnly);
      return openVmdk(file, host, openParent, opened);
    case "vhd":
      refuseWriting(file.name, "VHD", readOnly);
      return openVhd(file, openParent);
    case "vhdx":
      refuseWriting(file.name, "VHDX", readOnly);
      return openVhdx(file);
    case "iso":
      refuseWriting(file.name, "ISO", readOnly);
      checkSectors(file, CD_SECTOR);
      return file.store;
    case "raw":
      checkSectors(file, SECTOR);
      return file.store;
  }
}

function formatNamed({ name, format }: { readonly name: string; readonly format: string | null }): DiskFormat | null {
  if (format === null) return null;
  // QEMU calls the older of Microsoft's formats by the name of the program that had it first.
  const known = format === "vpc" ? "vhd" : DISK_FORMATS.find((one) => one === format);
  if (known === undefined)
    throw new OperatorError(
      "disk-unsupported",
      `${name} is a ${format} image, which is not supported; convert it first`,
    );
  return known;
}

function refuseWriting(name: string, label: string, readOnly: boolean): void {
  if (!readOnly)
    throw new OperatorError(
      "disk-format",
      `${readOnlyImage(name).message}: ${label} images cannot be written; use it as readonly or temporary, or convert it`,
    );
}

function checkSectors({ name, store }: ImageFile, sector: number): void {
  if (store.size === 0 || store.size % sector !== 0)
    throw new OperatorError(
      "disk-format",
      `${name} has ${store.size} bytes, which is not a whole number of ${sector}-byte sectors; is it truncated?`,
    );
}
