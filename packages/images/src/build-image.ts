// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { writeCpio } from "./archive/cpio.js";
import { writeChunksAtomically } from "./cache/atomic-file.js";
import type { ArchiveSession } from "./debian/archive-session.js";
import type { PackageRecord } from "./debian/package-index.js";
import { buildRootTree } from "./disk/root-tree.js";
import { writeExt4 } from "./ext4/write-ext4.js";
import { lateParts } from "./guest-agent/image-agent.js";
import { archiveFailure } from "./host-error.js";
import { busyboxInitramfsTree } from "./initramfs/busybox-initramfs.js";
import { rootInitramfsTree } from "./initramfs/root-initramfs.js";
import { unpackBootParts } from "./kernel/unpack-boot-parts.js";
import type { ProgressListener } from "./progress.js";
import type { DiskRecipe, Recipe } from "./recipe/recipe.js";

/** Names of an image's files inside its directory. */
export const IMAGE_FILES = { kernel: "vmlinuz", initrd: "initrd.cpio", disk: "disk.img" } as const;

export interface BuildInput {
  readonly recipe: Recipe;
  readonly session: ArchiveSession;
  /** Packages of the root disk; none for an image that lives in its initramfs. */
  readonly packages: readonly PackageRecord[];
  /** Names the content; the disk's UUID is taken from it. */
  readonly key: string;
  /** An empty directory for the result. */
  readonly output: string;
  /** A directory for plain archives, removed by the caller afterwards. */
  readonly scratch: string;
  readonly signal?: AbortSignal;
  readonly progress: ProgressListener;
}

/** Downloads, unpacks and writes the files of an image; returns the kernel's release. */
export async function buildImage(input: BuildInput): Promise<string> {
  const { recipe, session, packages, output, scratch, signal, progress } = input;
  const kernelPackage = session.kernelPackage(recipe.kernelPackage);
  const busyboxPackage = session.require("busybox-static");
  const debs = await session.download([...new Set([kernelPackage, busyboxPackage, ...packages])]);
  const path = ({ name }: PackageRecord): string => debs.get(name) ?? "";
  const { kernel, busybox } = await unpackBootParts(path(kernelPackage), path(busyboxPackage), scratch, signal);
  progress({ step: "initrd", done: 0, total: 1 });
  const modules = await kernel.loadOrder(recipe.initrdModules);
  const late = await lateParts(recipe.architecture, kernel, modules);
  const initrd = recipe.disk ? rootInitramfsTree(busybox, modules) : busyboxInitramfsTree(busybox, modules, late);
  await writeChunksAtomically(join(output, IMAGE_FILES.initrd), writeCpio(initrd), signal);
  await writeChunksAtomically(join(output, IMAGE_FILES.kernel), [await kernel.imageBytes()], signal);
  progress({ step: "initrd", done: 1, total: 1 });
  if (recipe.disk) {
    const tree = await buildRootTree({
      recipe,
      disk: recipe.disk,
      packages,
      debs,
      kernel,
      aptSources: session.sourcesList(),
      scratch,
      onPackage: (done, total) => progress({ step: "unpack", done, total }),
      ...(signal ? { signal } : {}),
    });
    await writeDisk(input, recipe.disk, tree);
  }
  return kernel.release;
}

async function writeDisk(
  input: BuildInput,
  disk: DiskRecipe,
  tree: Awaited<ReturnType<typeof buildRootTree>>,
): Promise<void> {
  const { key, signal, progress } = input;
  const target = join(input.output, IMAGE_FILES.disk);
  // Version 8: made from a hash of our own (RFC 9562, section 5.8), so that equal images are equal bytes.
  const uuid = createHash("sha256").update(`${key} root`).digest().subarray(0, 16);
  uuid[6] = (uuid[6] & 0x0f) | 0x80;
  uuid[8] = (uuid[8] & 0x3f) | 0x80;
  let newest = 0;
  const visit = (node: typeof tree.root): void => {
    for (const child of node.children.values()) {
      newest = Math.max(newest, child.meta.mtime);
      if (child.kind === "directory") visit(child);
    }
  };
  visit(tree.root);
  let reported = 0;
  const onProgress = (done: number, total: number): void => {
    if (done - reported < 1 << 20 && done < total) return;
    reported = done;
    progress({ step: "disk", done, total });
  };
  const handle = await open(target, "wx+");
  try {
    await writeExt4(handle, tree, {
      size: disk.size,
      uuid,
      label: "isola-root",
      time: newest,
      onProgress,
      ...(signal ? { signal } : {}),
    });
    await handle.sync();
  } catch (error) {
    signal?.throwIfAborted();
    throw archiveFailure(error, target);
  } finally {
    await handle.close();
  }
}
