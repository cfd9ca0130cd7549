// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { resizeQcow2 } from "../qcow2/resize.js";
import type { ImageFile, ImageHost } from "./image-host.js";
import { qcow2Info } from "./image-info.js";
import { openBacking, probeFile } from "./open-image.js";
import type { DiskFormat } from "./probe.js";

const SECTOR = 512;

export interface ResizeOptions {
  /** Format of the image; if it is not given, the first bytes tell. */
  readonly format?: DiskFormat;
  /** The disk may become smaller, by which its end is lost. */
  readonly shrink: boolean;
  readonly host: ImageHost;
}

/**
 * Changes the size of the disk in a raw or qcow2 image that nobody uses. The file is closed in any case. Throws
 * OperatorError.
 */
export async function resizeImage(file: ImageFile, size: number, options: ResizeOptions): Promise<void> {
  const { name, store } = file;
  try {
    const probed = options.format === undefined ? await probeFile(store) : null;
    const format = options.format ?? probed?.format;
    if (size <= 0 || size % SECTOR !== 0)
      throw new OperatorError("disk-size", `a disk of ${size} bytes is not a whole number of ${SECTOR}-byte sectors`);
    if (format === "raw") await resizeRaw(name, store, size, options.shrink);
    else if (format === "qcow2") await resizeInQcow2(file, size, options);
    else throw new OperatorError("disk-format", `${name}: only raw and qcow2 images can be resized; convert it first`);
  } finally {
    await store.close();
  }
}

function refuseLoss(name: string, old: number, size: number, shrink: boolean): void {
  if (size < old && !shrink)
    throw new OperatorError(
      "disk-size",
      `${name} has ${old} bytes; to cut off its end, which is lost then, say --shrink`,
    );
}

async function resizeRaw(name: string, store: ResizableStore, size: number, shrink: boolean): Promise<void> {
  refuseLoss(name, store.size, size, shrink);
  await store.resize(size);
  await store.flush();
}

async function resizeInQcow2(file: ImageFile, size: number, { host, shrink }: ResizeOptions): Promise<void> {
  const info = await qcow2Info(file.store, file.name);
  refuseLoss(file.name, info.size, size, shrink);
  const backing = await openBacking(file, info.backing, host);
  await resizeQcow2(file.store, size, { name: file.name, backing, decompressor: host.decompressor });
}
