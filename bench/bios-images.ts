// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ProgressListener, readPackageFiles } from "@isola/images";
import type { BiosImages } from "./contenders/v86.js";

const BIOS = "usr/share/seabios/bios.bin";
const VGA_BIOS = "usr/share/seabios/vgabios-stdvga.bin";

/** Writes the 128 KiB SeaBIOS and a VGA BIOS of Debian's seabios package to `build/bench` of the checkout. */
export async function biosImages(root: string, progress: ProgressListener, signal: AbortSignal): Promise<BiosImages> {
  const output = join(root, "build", "bench");
  await mkdir(output, { recursive: true });
  const images = { bios: join(output, "seabios.bin"), vgaBios: join(output, "vgabios.bin") };
  const { files } = await readPackageFiles({ packageName: "seabios", paths: [BIOS, VGA_BIOS], progress, signal });
  await writeFile(images.bios, files.get(BIOS) ?? "");
  await writeFile(images.vgaBios, files.get(VGA_BIOS) ?? "");
  return images;
}
