// SPDX-License-Identifier: Apache-2.0
// Disks from which UEFI boots.
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Extent, type FatFile, layOutGpt, writeFat } from "../../../packages/images/src/index.js";
import { isoImage } from "../iso-image.js";
import type { Medium, Workshop } from "./guest.js";
import type { LinuxSource } from "./media.js";

const DISK = "5d4e3b1a-0000-4000-8000-000000000001";
const SYSTEM_PARTITION = "5d4e3b1a-0000-4000-8000-000000000002";
const ROOT_PARTITION = "5d4e3b1a-0000-4000-8000-000000000003";
const FIRST_SECTOR = 2048;
const COPY_BYTES = 1 << 20;

const GRUB = "usr/lib/grub/x86_64-efi/monolithic/grubx64.efi";

/** What the EFI system partition of a disk has in it. */
export type SystemFiles = (workshop: Workshop) => Promise<readonly FatFile[]>;

/** Files of Debian packages by their path on the partition. */
export function packagedEfi(
  files: Readonly<Record<string, readonly [packageName: string, path: string]>>,
): SystemFiles {
  return (workshop) =>
    Promise.all(
      Object.entries(files).map(async ([path, [packageName, source]]) => ({
        path,
        bytes: await workshop.file(packageName, source),
      })),
    );
}

/** Kernel and initramfs of an image that `isola pull` makes. */
export function imageLinux(reference: string): LinuxSource {
  return async (workshop) => {
    const image = await workshop.image(reference);
    return { kernel: readFileSync(image.get("kernel") ?? ""), initrd: readFileSync(image.get("initrd") ?? "") };
  };
}

/** GRUB as the program that firmware looks for, which starts a kernel with this command line. */
export function grubWithLinux(source: LinuxSource, commandLine: string): SystemFiles {
  return async (workshop) => {
    const { kernel, initrd } = await source(workshop);
    const config = ["echo GRUB starts Linux", `linux /VMLINUZ ${commandLine}`, "initrd /INITRD", "boot", ""];
    return [
      { path: "EFI/BOOT/BOOTX64.EFI", bytes: await workshop.file("grub-efi-amd64-bin", GRUB) },
      { path: "EFI/DEBIAN/GRUB.CFG", bytes: Buffer.from(config.join("\n")) },
      { path: "VMLINUZ", bytes: kernel },
      { path: "INITRD", bytes: initrd },
    ];
  };
}

/** A disk with a GUID partition table and one partition, that of the firmware. */
export function efiDisk(system: SystemFiles): Medium {
  return async (workshop) => writeGptDisk(workshop, await system(workshop), null);
}

/** A CD that UEFI boots: its partition is a file in the boot catalogue. */
export function efiCd(system: SystemFiles): Medium {
  return async (workshop) => {
    const { size, extents } = writeFat(await system(workshop), "ESP");
    const volume = new Uint8Array(size);
    for (const { offset, bytes } of extents) volume.set(bytes, offset);
    const path = join(workshop.scratch, "efi.iso");
    writeFileSync(path, isoImage([{ path: "EFI.IMG", bytes: volume }], { path: "EFI.IMG", table: false, uefi: true }));
    return path;
  };
}

/** A disk whose second partition is the root disk of an image that can be pulled. */
export function efiDiskWithRoot(system: SystemFiles, reference: string): Medium {
  return async (workshop) => {
    const image = await workshop.image(reference);
    return writeGptDisk(workshop, await system(workshop), image.get("disk") ?? "");
  };
}

function writeGptDisk(workshop: Workshop, files: readonly FatFile[], root: string | null): string {
  const path = join(workshop.scratch, "gpt.raw");
  const system = writeFat(files, "ESP", FIRST_SECTOR);
  const { size, starts, extents } = layOutGpt(DISK, [
    { type: "efiSystem", name: "EFI system", guid: SYSTEM_PARTITION, size: system.size },
    ...(root === null
      ? []
      : [{ type: "linux", name: "root", guid: ROOT_PARTITION, size: statSync(root).size } as const]),
  ]);
  const disk = openSync(path, "wx");
  try {
    ftruncateSync(disk, size);
    const put = (list: readonly Extent[], base: number): void => {
      for (const { offset, bytes } of list) writeSync(disk, bytes, 0, bytes.length, base + offset);
    };
    put(extents, 0);
    put(system.extents, starts[0] ?? 0);
    if (root !== null) copySparse(root, disk, starts[1] ?? 0);
  } finally {
    closeSync(disk);
  }
  return path;
}

/** What is zero stays a hole. */
function copySparse(source: string, target: number, base: number): void {
  const file = openSync(source, "r");
  const buffer = Buffer.alloc(COPY_BYTES);
  try {
    for (let at = 0; ;) {
      const count = readSync(file, buffer, 0, COPY_BYTES, at);
      if (count === 0) return;
      const bytes = buffer.subarray(0, count);
      if (bytes.some((byte) => byte !== 0)) writeSync(target, bytes, 0, count, base + at);
      at += count;
    }
  } finally {
    closeSync(file);
  }
}
