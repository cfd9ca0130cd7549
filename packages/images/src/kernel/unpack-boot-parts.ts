// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { DebArchive } from "../debian/deb-archive.js";
import { archiveFailure } from "../host-error.js";
import type { FileContent } from "../tree/content.js";
import { FileTree } from "../tree/file-tree.js";
import { addTar } from "../tree/tar-tree.js";
import { KernelPackage } from "./kernel-package.js";

/** What every initramfs needs beside its script. Contents lie in the scratch directory that they were unpacked to. */
export interface BootParts {
  readonly kernel: KernelPackage;
  readonly busybox: FileContent;
}

async function unpack(deb: string, target: string, signal?: AbortSignal): Promise<void> {
  try {
    await (await DebArchive.open(deb)).unpackData(target, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw archiveFailure(error, deb);
  }
}

/** Unpacks a kernel package and a static busybox. */
export async function unpackBootParts(
  kernelDeb: string,
  busyboxDeb: string,
  scratch: string,
  signal?: AbortSignal,
): Promise<BootParts> {
  const kernelTar = join(scratch, "kernel.tar");
  const busyboxTar = join(scratch, "busybox.tar");
  await unpack(kernelDeb, kernelTar, signal);
  await unpack(busyboxDeb, busyboxTar, signal);
  const tree = new FileTree();
  try {
    await addTar(tree, busyboxTar);
    const busybox = tree.resolve("bin/busybox") ?? tree.resolve("usr/bin/busybox");
    if (busybox?.kind !== "file") {
      throw new OperatorError("BUSYBOX_MISSING", `${busyboxDeb} holds no /bin/busybox: check the mirror`);
    }
    return { kernel: await KernelPackage.read(kernelTar), busybox: busybox.content };
  } catch (error) {
    throw archiveFailure(error, `${kernelDeb} or ${busyboxDeb}`);
  }
}
