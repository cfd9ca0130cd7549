// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { type BootFile, type BootRequest, notBootable } from "./boot-image.js";
import type { BootState } from "./boot-state.js";
import { isElf, readElf } from "./elf/elf-file.js";
import { loadLinux } from "./linux/load.js";
import { hasSetupHeader } from "./linux/setup-header.js";
import type { MemoryRange } from "./memory-map.js";
import { findMultibootHeader } from "./multiboot/header.js";
import { loadMultiboot } from "./multiboot/load.js";
import { loadPvh, pvhEntry } from "./pvh/load.js";

/** Beginnings of files that people mistake for kernels. */
const LOOKALIKES: readonly { readonly at: number; readonly magic: readonly number[]; readonly what: string }[] = [
  { at: 0, magic: [0x1f, 0x8b], what: "is gzip-compressed; decompress it first" },
  { at: 0, magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], what: "is xz-compressed; decompress it first" },
  { at: 0, magic: [0x28, 0xb5, 0x2f, 0xfd], what: "is zstd-compressed; decompress it first" },
  { at: 0, magic: [0x30, 0x37, 0x30, 0x37, 0x30], what: "is a cpio archive; is it the initial RAM disk?" },
  { at: 0, magic: [0x51, 0x46, 0x49, 0xfb], what: "is a qcow2 disk image, not a kernel" },
  { at: 0x38, magic: [0x41, 0x52, 0x4d, 0x64], what: "is a Linux kernel for arm64; an x86 kernel is needed" },
];

function refuse(file: BootFile): never {
  const { bytes } = file;
  if (bytes.length === 0) throw notBootable(file, "is empty");
  const found = LOOKALIKES.find(({ at, magic }) => magic.every((byte, i) => bytes[at + i] === byte));
  if (found !== undefined) throw notBootable(file, found.what);
  if (isElf(bytes)) throw notBootable(file, "is an ELF file with neither a PVH note nor a Multiboot header");
  throw notBootable(file, "is not a kernel that can be booted: no bzImage, Multiboot or PVH header was found");
}

/**
 * Recognises the kernel's format (bzImage, Multiboot 1, PVH), loads it with its modules into guest memory, and returns
 * the state in which the first processor enters it. Throws OperatorError if the file is none of these or is damaged.
 */
export function loadKernel(ram: GuestRam, request: BootRequest, memoryMap: readonly MemoryRange[]): BootState {
  const { kernel } = request;
  if (hasSetupHeader(kernel.bytes)) return loadLinux(ram, request, memoryMap);
  const multiboot = findMultibootHeader(kernel);
  if (multiboot !== null) return loadMultiboot(ram, request, multiboot, memoryMap);
  if (isElf(kernel.bytes)) {
    const elf = readElf(kernel);
    if (pvhEntry(elf) >= 0) return loadPvh(ram, request, elf, memoryMap);
  }
  return refuse(kernel);
}
