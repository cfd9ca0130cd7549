// SPDX-License-Identifier: Apache-2.0
// Recipes of media for guests.
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isoImage, type IsoFile } from "../iso-image.js";
import type { Architecture } from "../packages.js";
import type { Medium, Workshop } from "./guest.js";

/** A file of a package as it is. */
export function packaged(packageName: string, path: string): Medium {
  return async (workshop) => {
    const file = join(workshop.scratch, path.split("/").at(-1) ?? packageName);
    writeFileSync(file, await workshop.file(packageName, path));
    return file;
  };
}

/** What a boot loader is to start. */
export interface LinuxFiles {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

export type LinuxSource = (workshop: Workshop) => Promise<LinuxFiles>;

/** Kernel and initramfs of an image that can be pulled. */
export function pulled(reference: string): LinuxSource {
  return async (workshop) => {
    const image = await workshop.image(reference);
    return { kernel: readFileSync(image.get("kernel") ?? ""), initrd: readFileSync(image.get("initrd") ?? "") };
  };
}

/** The same from a package that has both as files. */
export function packagedLinux(packageName: string, kernel: string, initrd: string, of?: Architecture): LinuxSource {
  return async (workshop) => {
    const files = await workshop.files(packageName, [kernel, initrd], of);
    const bytes = (path: string) => files.get(path) ?? new Uint8Array();
    return { kernel: bytes(kernel), initrd: bytes(initrd) };
  };
}

const ISOLINUX = "usr/lib/ISOLINUX/isolinux.bin";
const LDLINUX = "usr/lib/syslinux/modules/bios/ldlinux.c32";

/** A CD from which ISOLINUX starts a kernel with this command line; `settings` are further lines of its configuration. */
export function isolinuxCd(source: LinuxSource, commandLine: string, settings: readonly string[] = []): Medium {
  return async (workshop) => {
    const { kernel, initrd } = await source(workshop);
    const config = [
      ...settings,
      "DEFAULT linux",
      "LABEL linux",
      "KERNEL /VMLINUZ",
      "INITRD /INITRD",
      `APPEND ${commandLine}`,
    ];
    const boot = "ISOLINUX/ISOLINUX.BIN";
    return writeIso(
      workshop,
      [
        { path: boot, bytes: await workshop.file("isolinux", ISOLINUX) },
        { path: "ISOLINUX/LDLINUX.C32", bytes: await workshop.file("syslinux-common", LDLINUX) },
        { path: "ISOLINUX/ISOLINUX.CFG", bytes: Buffer.from(`${config.join("\n")}\n`) },
        { path: "VMLINUZ", bytes: kernel },
        { path: "INITRD", bytes: initrd },
      ],
      { path: boot, table: true },
    );
  };
}

/** A CD with a kernel and an initramfs that boots nothing by itself. */
export function dataCd(source: LinuxSource): Medium {
  return async (workshop) => {
    const { kernel, initrd } = await source(workshop);
    return writeIso(
      workshop,
      [
        { path: "VMLINUZ", bytes: kernel },
        { path: "INITRD", bytes: initrd },
      ],
      { path: "", table: false },
    );
  };
}

function writeIso(workshop: Workshop, files: readonly IsoFile[], boot: { path: string; table: boolean }): string {
  const file = join(workshop.scratch, "linux.iso");
  writeFileSync(file, isoImage(files, boot));
  return file;
}

/** An empty raw disk, which takes no room until it is written to. */
export function emptyDisk(bytes: number): Medium {
  return async (workshop) => {
    const file = join(workshop.scratch, "disk.raw");
    const handle = openSync(file, "w");
    ftruncateSync(handle, bytes);
    closeSync(handle);
    return file;
  };
}
