// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { BOOT_INFO } from "../low-memory.js";
import type { MemoryRange } from "../memory-map.js";
import { Header, type SetupHeader } from "./setup-header.js";

// Fields of boot_params outside the setup header (Documentation/arch/x86/zero-page.rst).
const RSDP_ADDRESS = 0x070;
const E820_ENTRIES = 0x1e8;
const E820_TABLE = 0x2d0;
const E820_ENTRY_BYTES = 20;
const E820_MAX = 128;
/** type_of_loader: "undefined". */
const LOADER_UNDEFINED = 0xff;

export interface BootParams {
  readonly header: SetupHeader;
  readonly memoryMap: readonly MemoryRange[];
  readonly commandLineAddress: number;
  /** Initial RAM disk; length 0 for none. */
  readonly initrd: { readonly start: number; readonly length: number };
  readonly rsdp: number;
}

/** Writes the zero page and returns its address. */
export function writeBootParams(ram: GuestRam, params: BootParams): number {
  const at = BOOT_INFO;
  ram.write(at, new Uint8Array(4096));
  ram.write(at + Header.SetupSectors, params.header.raw);
  ram.setU8(at + Header.LoaderType, LOADER_UNDEFINED);
  ram.setU32(at + Header.Code32Start, params.header.loadAddress);
  ram.setU32(at + Header.RamdiskImage, params.initrd.start);
  ram.setU32(at + Header.RamdiskSize, params.initrd.length);
  ram.setU32(at + Header.CommandLine, params.commandLineAddress);
  ram.setU64(at + RSDP_ADDRESS, BigInt(params.rsdp));
  const map = params.memoryMap.slice(0, E820_MAX);
  ram.setU8(at + E820_ENTRIES, map.length);
  map.forEach((range, i) => {
    const entry = at + E820_TABLE + E820_ENTRY_BYTES * i;
    ram.setU64(entry, BigInt(range.start));
    ram.setU64(entry + 8, BigInt(range.length));
    ram.setU32(entry + 16, range.kind);
  });
  return at;
}
