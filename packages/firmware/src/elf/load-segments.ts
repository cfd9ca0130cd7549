// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { type BootFile, memoryTooSmall, notBootable } from "../boot-image.js";
import { BOOT_AREA_END, BOOT_AREA_START } from "../low-memory.js";
import type { ElfFile } from "./elf-file.js";

/** Refuses a load range that is not RAM or would overwrite the boot structures. */
export function checkLoadRange(ram: GuestRam, file: BootFile, start: number, length: number): void {
  const range = `0x${start.toString(16)}-0x${(start + length).toString(16)}`;
  if (!Number.isSafeInteger(start + length)) throw notBootable(file, "has a load address that is no physical address");
  if (start < BOOT_AREA_END && start + length > BOOT_AREA_START)
    throw new OperatorError(
      "kernel-not-bootable",
      `${file.name} wants to be loaded to ${range}, where boot information goes; link it at 1 MiB or above`,
    );
  if (ram.offsetOf(start, length) >= 0) return;
  if (start + length <= 0xc000_0000) throw memoryTooSmall(file.name, start + length);
  throw notBootable(file, `wants to be loaded to ${range}, which is not RAM`);
}

/** Copies all segments to their physical addresses, zeroes what the file does not hold, returns the highest end. */
export function loadSegments(ram: GuestRam, file: BootFile, elf: ElfFile): number {
  if (elf.segments.length === 0) throw notBootable(file, "is an ELF file with nothing to load");
  let end = 0;
  for (const { physicalAddress, bytes, memorySize } of elf.segments) {
    checkLoadRange(ram, file, physicalAddress, memorySize);
    ram.write(physicalAddress, bytes);
    const rest = memorySize - bytes.length;
    // In pieces, so that a huge .bss does not need as much host memory again.
    for (let done = 0; done < rest; done += 0x10_0000)
      ram.write(physicalAddress + bytes.length + done, new Uint8Array(Math.min(0x10_0000, rest - done)));
    end = Math.max(end, physicalAddress + memorySize);
  }
  return end;
}
