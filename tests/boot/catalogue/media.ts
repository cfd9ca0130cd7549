// SPDX-License-Identifier: Apache-2.0
// Recipes of media for guests.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Skip } from "../check.js";
import { isoImage, type IsoFile } from "../iso-image.js";
import type { Architecture } from "../packages.js";
import type { Medium, Workshop } from "./guest.js";

function written(workshop: Workshop, name: string, bytes: Uint8Array): string {
  const file = join(workshop.scratch, name);
  writeFileSync(file, bytes);
  return file;
}

/** A file of a package as it is. */
export function packaged(packageName: string, path: string): Medium {
  return async (workshop) => {
    return written(workshop, path.split("/").at(-1) ?? packageName, await workshop.file(packageName, path));
  };
}

/** What a boot loader is to start. */
export interface LinuxFiles {
  readonly kernel: Uint8Array;
  readonly initrd: Uint8Array;
}

export type LinuxSource = (workshop: Workshop) => Promise<LinuxFiles>;

/** A kernel package of Debian's, and an initramfs with a busybox shell and virtio drivers for it. */
export function busyboxLinux(kernelPackage: string, of: Architecture = "amd64"): LinuxSource {
  return async (workshop) => {
    const { kernel, initrd } = await workshop.busybox(kernelPackage, of);
    return { kernel: readFileSync(kernel), initrd: readFileSync(initrd) };
  };
}

/** The kernel alone, to be booted directly. */
export function kernelOf(source: LinuxSource): Medium {
  return async (workshop) => written(workshop, "vmlinuz", (await source(workshop)).kernel);
}

/** The initramfs alone. */
export function initrdOf(source: LinuxSource): Medium {
  return async (workshop) => written(workshop, "initrd", (await source(workshop)).initrd);
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
const BOOT_FILE = "ISOLINUX/ISOLINUX.BIN";

async function isolinuxFiles(workshop: Workshop, config: readonly string[]): Promise<IsoFile[]> {
  return [
    { path: BOOT_FILE, bytes: await workshop.file("isolinux", ISOLINUX) },
    { path: "ISOLINUX/LDLINUX.C32", bytes: await workshop.file("syslinux-common", LDLINUX) },
    { path: "ISOLINUX/ISOLINUX.CFG", bytes: Buffer.from(`${config.join("\n")}\n`) },
  ];
}

function linuxFiles({ kernel, initrd }: LinuxFiles): IsoFile[] {
  return [
    { path: "VMLINUZ", bytes: kernel },
    { path: "INITRD", bytes: initrd },
  ];
}

function entry(title: string, commandLine: string): string[] {
  return ["LABEL linux", `MENU LABEL ${title}`, "KERNEL /VMLINUZ", "INITRD /INITRD", `APPEND ${commandLine}`];
}

/** A CD from which ISOLINUX starts a kernel with this command line; `settings` are further lines of its configuration. */
export function isolinuxCd(source: LinuxSource, commandLine: string, settings: readonly string[] = []): Medium {
  return async (workshop) => {
    const loader = await isolinuxFiles(workshop, [...settings, "DEFAULT linux", ...entry("Linux", commandLine)]);
    return writeIso(workshop, [...loader, ...linuxFiles(await source(workshop))], { path: BOOT_FILE, table: true });
  };
}

/** Where a package keeps the parts of a boot menu in graphics. */
export interface MenuParts {
  readonly packageName: string;
  readonly directory: string;
  readonly of: Architecture;
}

/** Its parts by their names on the CD. */
const MENU_FILES = ["vesamenu.c32", "libcom32.c32", "libutil.c32", "stdmenu.cfg", "splash.png"];

/** A CD with ISOLINUX's menu in graphics, as installers have it, and one entry. */
export function isolinuxMenuCd(source: LinuxSource, parts: MenuParts, title: string, commandLine: string): Medium {
  return async (workshop) => {
    const settings = ["UI vesamenu.c32", "INCLUDE stdmenu.cfg", "MENU BACKGROUND splash.png", `MENU TITLE ${title}`];
    const config = [...settings, ...entry("^Graphical install", commandLine)];
    const loader = await isolinuxFiles(workshop, config);
    const paths = MENU_FILES.map((name) => `${parts.directory}/${name}`);
    const files = await workshop.files(parts.packageName, paths, parts.of);
    const menu = MENU_FILES.map((name) => ({
      path: `ISOLINUX/${name.toUpperCase()}`,
      bytes: files.get(`${parts.directory}/${name}`) ?? new Uint8Array(),
    }));
    const linux = linuxFiles(await source(workshop));
    return writeIso(workshop, [...loader, ...menu, ...linux], { path: BOOT_FILE, table: true });
  };
}

/** A CD with a kernel and an initramfs that boots nothing by itself. */
export function dataCd(source: LinuxSource): Medium {
  return async (workshop) => {
    return writeIso(workshop, linuxFiles(await source(workshop)), { path: "", table: false });
  };
}

function writeIso(workshop: Workshop, files: readonly IsoFile[], boot: { path: string; table: boolean }): string {
  return written(workshop, "linux.iso", isoImage(files, boot));
}

/** An empty qcow2 image; `size` as for `isola disk create`. */
export function qcow2Disk(size: string): Medium {
  return async (workshop) => {
    const file = join(workshop.scratch, "disk.qcow2");
    await workshop.isola(["disk", "create", file, size]);
    return file;
  };
}

/** Where media that outlive their run are. */
export const KEPT = "build/kept-media";

/** A qcow2 image over a disk that the guest `maker` keeps; Skip before it has run. */
export function overKept(name: string, maker: string): Medium {
  return async (workshop) => {
    const base = join(workshop.root, KEPT, name);
    if (!existsSync(base)) throw new Skip(`there is no ${KEPT}/${name}: npm run guests -- ${maker}`);
    const file = join(workshop.scratch, name);
    await workshop.isola(["disk", "create", file, "--backing", base]);
    return file;
  };
}
