// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { type BootFile, type BootRequest, FileReader, notBootable } from "../boot-image.js";
import type { BootState } from "../boot-state.js";
import { type ElfFile, isElf, readElf } from "../elf/elf-file.js";
import { checkLoadRange, loadSegments } from "../elf/load-segments.js";
import { type PlacedModule, placeModules, StringArea } from "../elf/place-modules.js";
import { protectedModeEntry } from "../entry-state.js";
import { BOOT_INFO, BOOT_LISTS, EBDA_START, HIGH_MEMORY } from "../low-memory.js";
import type { MemoryRange } from "../memory-map.js";
import type { LoadAddresses, MultibootHeader } from "./header.js";

const BOOTLOADER_MAGIC = 0x2bad_b002;
const LOADER_NAME = "isola";

// Multiboot information, section 3.3: bits of `flags` and offsets of fields.
const HAS_MEMORY = 1 << 0;
const HAS_COMMAND_LINE = 1 << 2;
const HAS_MODULES = 1 << 3;
const HAS_MEMORY_MAP = 1 << 6;
const HAS_LOADER_NAME = 1 << 9;
const enum Info {
  Flags = 0,
  MemoryLower = 4,
  MemoryUpper = 8,
  CommandLine = 16,
  ModuleCount = 20,
  ModuleList = 24,
  MapLength = 44,
  MapAddress = 48,
  LoaderName = 64,
}
const INFO_BYTES = 116;
const MODULE_BYTES = 16;
const MAP_ENTRY_BYTES = 24;

interface Loaded {
  readonly entry: number;
  readonly end: number;
}

function loadFlat(ram: GuestRam, file: BootFile, addresses: LoadAddresses): Loaded {
  const { start, loadEnd, bssEnd, entry, fileOffset } = addresses;
  checkLoadRange(ram, file, start, bssEnd - start);
  ram.write(start, new FileReader(file).slice(fileOffset, loadEnd - start, "the Multiboot image"));
  ram.write(loadEnd, new Uint8Array(bssEnd - loadEnd));
  return { entry, end: bssEnd };
}

/** The entry point is a virtual address; kernels that are linked high want the physical address behind it. */
function physicalEntry(elf: ElfFile): number {
  const segment = elf.segments.find(
    ({ virtualAddress, memorySize }) => elf.entry >= virtualAddress && elf.entry < virtualAddress + memorySize,
  );
  return segment === undefined ? elf.entry : elf.entry - segment.virtualAddress + segment.physicalAddress;
}

function loadImage(ram: GuestRam, file: BootFile, header: MultibootHeader): Loaded {
  if (header.addresses !== null) return loadFlat(ram, file, header.addresses);
  if (!isElf(file.bytes)) throw notBootable(file, "has a Multiboot header without load addresses and is no ELF file");
  const elf = readElf(file);
  const entry = physicalEntry(elf);
  if (entry > 0xffff_ffff) throw notBootable(file, "has an entry point above 4 GiB, which Multiboot cannot call");
  return { entry, end: loadSegments(ram, file, elf) };
}

function writeLists(ram: GuestRam, modules: readonly PlacedModule[], memoryMap: readonly MemoryRange[]): number {
  modules.forEach((module, i) => {
    const at = BOOT_LISTS + MODULE_BYTES * i;
    ram.setU32(at, module.start);
    ram.setU32(at + 4, module.end);
    ram.setU32(at + 8, module.nameAddress);
    ram.setU32(at + 12, 0);
  });
  const mapAddress = BOOT_LISTS + MODULE_BYTES * modules.length;
  memoryMap.forEach((range, i) => {
    const at = mapAddress + MAP_ENTRY_BYTES * i;
    ram.setU32(at, MAP_ENTRY_BYTES - 4);
    ram.setU64(at + 4, BigInt(range.start));
    ram.setU64(at + 12, BigInt(range.length));
    ram.setU32(at + 20, range.kind);
  });
  return mapAddress;
}

/**
 * Loads a Multiboot 1 kernel with its modules and information. The command line that the kernel sees begins with the
 * kernel's own name, as GRUB and others do it.
 */
export function loadMultiboot(
  ram: GuestRam,
  request: BootRequest,
  header: MultibootHeader,
  memoryMap: readonly MemoryRange[],
): BootState {
  const { entry, end } = loadImage(ram, request.kernel, header);
  const strings = new StringArea(ram);
  const modules = placeModules(ram, request.modules, end, strings);
  const mapAddress = writeLists(ram, modules, memoryMap);
  ram.write(BOOT_INFO, new Uint8Array(INFO_BYTES));
  const fields: readonly (readonly [Info, number])[] = [
    [Info.Flags, HAS_MEMORY | HAS_COMMAND_LINE | HAS_MODULES | HAS_MEMORY_MAP | HAS_LOADER_NAME],
    [Info.MemoryLower, Math.floor(EBDA_START / 1024)],
    [Info.MemoryUpper, (ram.lowSize - HIGH_MEMORY) / 1024],
    [Info.CommandLine, strings.place(`${request.kernel.name} ${request.commandLine}`.trimEnd())],
    [Info.ModuleCount, modules.length],
    [Info.ModuleList, BOOT_LISTS],
    [Info.MapLength, memoryMap.length * MAP_ENTRY_BYTES],
    [Info.MapAddress, mapAddress],
    [Info.LoaderName, strings.place(LOADER_NAME)],
  ];
  for (const [offset, value] of fields) ram.setU32(BOOT_INFO + offset, value);
  return protectedModeEntry(ram, entry, { rax: BOOTLOADER_MAGIC, rbx: BOOT_INFO });
}
