// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { type BootRequest, notBootable } from "../boot-image.js";
import type { BootState } from "../boot-state.js";
import type { ElfFile } from "../elf/elf-file.js";
import { loadSegments } from "../elf/load-segments.js";
import { placeModules, StringArea } from "../elf/place-modules.js";
import { protectedModeEntry } from "../entry-state.js";
import { BOOT_INFO, BOOT_LISTS } from "../low-memory.js";
import type { MemoryRange } from "../memory-map.js";

// Xen public headers: elfnote.h (XEN_ELFNOTE_PHYS32_ENTRY) and arch-x86/hvm/start_info.h.
const NOTE_OWNER = "Xen";
const NOTE_PHYS32_ENTRY = 18;
const START_MAGIC = 0x336e_c578;
const START_VERSION = 1;
const MODULE_BYTES = 32;
const MAP_ENTRY_BYTES = 24;

/** The 32-bit entry point of a PVH kernel, or -1 if the file has none. */
export function pvhEntry(elf: ElfFile): number {
  const note = elf.notes.find(({ name, type }) => name === NOTE_OWNER && type === NOTE_PHYS32_ENTRY);
  if (note === undefined || note.content.length < 4) return -1;
  return new DataView(note.content.buffer, note.content.byteOffset).getUint32(0, true);
}

/** Loads a PVH kernel with its modules and `hvm_start_info`. */
export function loadPvh(
  ram: GuestRam,
  request: BootRequest,
  elf: ElfFile,
  memoryMap: readonly MemoryRange[],
): BootState {
  const entry = pvhEntry(elf);
  if (entry < 0) throw notBootable(request.kernel, "has no PVH entry point");
  const end = loadSegments(ram, request.kernel, elf);
  const strings = new StringArea(ram);
  const commandLine = strings.place(request.commandLine);
  const modules = placeModules(ram, request.modules, end, strings);
  modules.forEach((module, i) => {
    const at = BOOT_LISTS + MODULE_BYTES * i;
    ram.setU64(at, BigInt(module.start));
    ram.setU64(at + 8, BigInt(module.end - module.start));
    ram.setU64(at + 16, BigInt(module.nameAddress));
    ram.setU64(at + 24, 0n);
  });
  const mapAddress = BOOT_LISTS + MODULE_BYTES * modules.length;
  memoryMap.forEach((range, i) => {
    const at = mapAddress + MAP_ENTRY_BYTES * i;
    ram.setU64(at, BigInt(range.start));
    ram.setU64(at + 8, BigInt(range.length));
    ram.setU64(at + 16, BigInt(range.kind));
  });
  ram.setU32(BOOT_INFO, START_MAGIC);
  ram.setU32(BOOT_INFO + 4, START_VERSION);
  ram.setU32(BOOT_INFO + 8, 0);
  ram.setU32(BOOT_INFO + 12, modules.length);
  ram.setU64(BOOT_INFO + 16, BigInt(modules.length > 0 ? BOOT_LISTS : 0));
  ram.setU64(BOOT_INFO + 24, BigInt(commandLine));
  ram.setU64(BOOT_INFO + 32, BigInt(request.rsdp));
  ram.setU64(BOOT_INFO + 40, BigInt(mapAddress));
  ram.setU64(BOOT_INFO + 48, BigInt(memoryMap.length));
  return protectedModeEntry(ram, entry, { rbx: BOOT_INFO });
}
