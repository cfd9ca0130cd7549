// SPDX-License-Identifier: Apache-2.0
import { rmSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { createFileStore, nodeImageHost, openImageFile } from "@isola/host-node";
import type { ResizableStore } from "@isola/ports";
import { createQcow2, openImage, type Qcow2Creation } from "@isola/storage";
import type { CommandLine } from "../../command-line.js";
import { parseDiskFormat } from "../../disk-option.js";
import { parseSize } from "../../size.js";
import { UsageError } from "../../usage-error.js";
import { type DiskAction, FORMAT_OPTION } from "./action.js";

/** Formats that can be written. */
export type NewFormat = "raw" | "qcow2";

export const NEW_IMAGE_OPTIONS = {
  ...FORMAT_OPTION,
  cluster: { value: "SIZE", help: "cluster size of a new qcow2 image, 512 to 2M (default 64K)" },
  force: { help: "overwrite what is there" },
} as const;

export function newFormat(line: CommandLine): NewFormat {
  const format = parseDiskFormat(line.get("format") ?? "qcow2", "--format");
  if (format === "raw" || format === "qcow2") return format;
  throw new UsageError(`--format: ${format} images cannot be written; there are qcow2 and raw`);
}

/** log2 of the cluster size that was asked for. */
function clusterBits(line: CommandLine): number | undefined {
  const text = line.get("cluster");
  if (text === undefined) return undefined;
  // A bare number counts bytes here: clusters may be as small as 512.
  const bits = Math.log2(/^\d+$/.test(text) ? Number(text) : parseSize(text, "--cluster"));
  if (!Number.isInteger(bits) || bits < 9 || bits > 21)
    throw new UsageError(`--cluster: "${text}" is not a power of two from 512 to 2M`);
  return bits;
}

/** Makes the file of an image and gives it its format; if `fill` fails, it is gone again. */
export async function makeImage(
  path: string,
  line: CommandLine,
  creation: Qcow2Creation,
  fill: (store: ResizableStore) => Promise<void>,
): Promise<void> {
  const format = newFormat(line);
  const bits = clusterBits(line);
  if (bits !== undefined && format === "raw") throw new UsageError("--cluster is for qcow2 images");
  const store = createFileStore(path, line.has("force"));
  try {
    await store.resize(0);
    if (format === "qcow2")
      await createQcow2(store, { ...creation, ...(bits === undefined ? {} : { clusterBits: bits }) });
    else await store.resize(creation.size);
    await fill(store);
    store.close();
  } catch (error) {
    store.close();
    rmSync(path, { force: true });
    throw error;
  }
}

/** How an image in `folder` is to call the one that it is based on. */
function nameFrom(path: string, image: string): string {
  if (/^https?:/i.test(path) || isAbsolute(path)) return path;
  return relative(dirname(resolve(image)), resolve(path));
}

export const create: DiskAction = {
  name: "create",
  synopsis: "FILE [SIZE]",
  least: 1,
  most: 2,
  options: {
    ...NEW_IMAGE_OPTIONS,
    backing: { value: "FILE", help: "the new image holds only what differs from this one, which must not change" },
    "backing-format": { value: "FORMAT", help: "format of that image; if it is not given, its first bytes tell" },
  },
  async run([path, sizeText], line) {
    const backing = line.get("backing");
    const size = sizeText === undefined ? undefined : parseSize(sizeText, "SIZE");
    if (backing === undefined) {
      if (line.has("backing-format")) throw new UsageError("--backing-format needs --backing");
      if (size === undefined) throw new UsageError("disk create takes a size, such as 10G, or --backing");
      await makeImage(path, line, { size }, () => Promise.resolve());
      return 0;
    }
    if (newFormat(line) !== "qcow2") throw new UsageError("--backing is for qcow2 images");
    const said = line.get("backing-format");
    const file = await openImageFile(backing, true);
    const options = { readOnly: true, host: nodeImageHost };
    const format = said === undefined ? {} : { format: parseDiskFormat(said, "--backing-format") };
    const base = await openImage(file, { ...options, ...format });
    await base.store.close();
    // QEMU's name of the format.
    const label = base.format === "vhd" ? "vpc" : base.format === "iso" ? "raw" : base.format;
    const creation = { size: size ?? base.store.size, backing: { name: nameFrom(backing, path), format: label } };
    await makeImage(path, line, creation, () => Promise.resolve());
    return 0;
  },
};
