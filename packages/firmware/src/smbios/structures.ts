// SPDX-License-Identifier: Apache-2.0
import type { CacheConfig, SmbiosConfig } from "./config.js";
import { Structure } from "./structure.js";

const MANUFACTURER = "Isola";
const KIB = 1024;
const MIB = KIB * KIB;
const FOUR_GIB = 0x1_0000_0000;
/** Values that many fields have in common. */
const OTHER = 1;
const UNKNOWN = 2;
const SAFE = 3;
const NO_HANDLE = 0xffff;
const NO_ERROR_HANDLE = 0xfffe;

/** Handles: the type in the upper byte, as most firmware has them. */
const Handle = {
  firmware: 0x0000,
  system: 0x0100,
  chassis: 0x0300,
  processor: 0x0400,
  cache: 0x0700,
  memoryArray: 0x1000,
  memoryDevice: 0x1100,
  mappedMemory: 0x1300,
  boot: 0x2000,
  end: 0x7f00,
} as const;

/** Type 0 (SMBIOS 3.6, 7.1): no ROM, characteristics unknown, ACPI, and a virtual machine. */
function firmware(): Structure {
  const s = new Structure(0, Handle.firmware).text(MANUFACTURER).text("1.0").u16(0xf000).text("01/01/2024");
  return s
    .u8(0)
    .u64(1 << 3)
    .u8(1 << 0, 1 << 4, 1, 0, 0xff, 0xff)
    .u16(0);
}

/** The bytes of a UUID as structures have them: the first three fields are little endian (7.2.1). */
function uuidField(uuid: Uint8Array | null): number[] {
  const [a, b, c, d, e, f, g, h, ...rest] = uuid ?? new Uint8Array(16);
  return [d, c, b, a, f, e, h, g, ...rest];
}

/** Type 1 (7.2); a UUID of zeros says that there is none. */
function system({ product, uuid }: SmbiosConfig): Structure {
  const POWER_SWITCH = 6;
  const s = new Structure(1, Handle.system).text(MANUFACTURER).text(product).text("1").text("");
  return s.append(uuidField(uuid)).u8(POWER_SWITCH).text("").text("");
}

/** Type 3 (7.4). The asset tag is where an owner writes the name of a machine. */
function chassis({ name }: SmbiosConfig): Structure {
  const s = new Structure(3, Handle.chassis)
    .text(MANUFACTURER)
    .u8(OTHER)
    .text("1")
    .text("")
    .text(name ?? "");
  return s.u8(SAFE, SAFE, SAFE, UNKNOWN).u32(0).u8(0, 0, 0, 0).text("");
}

/** Type 4 (7.5): one package with all processors as its cores. */
function processor({ cpus, processor: { signature, features, brand }, megahertz, caches }: SmbiosConfig): Structure {
  const CENTRAL = 3;
  const FAMILY_OTHER = 1;
  const ENABLED_SOCKET = 0x41;
  const handleOf = (level: number): number => {
    const index = caches.findIndex((one) => one.level === level);
    return index < 0 ? NO_HANDLE : Handle.cache + index;
  };
  const s = new Structure(4, Handle.processor).text("CPU 0").u8(CENTRAL, FAMILY_OTHER).text(MANUFACTURER);
  s.u32(signature, features).text(brand).u8(0).u16(0, megahertz, megahertz).u8(ENABLED_SOCKET, OTHER);
  s.u16(handleOf(1), handleOf(2), handleOf(3)).text("").text("").text("");
  const count = Math.min(cpus, 0xff);
  // 64-bit capable, with cores, no-execute protection and enhanced virtualization left out.
  s.u8(count, count, count)
    .u16((1 << 2) | (cpus > 1 ? 1 << 3 : 0) | (1 << 5))
    .u16(FAMILY_OTHER);
  return s.u16(cpus, cpus, cpus);
}

/** Type 7 (7.8): on, internal, write-back. */
function cache({ level, kind, kibibytes, ways }: CacheConfig, index: number): Structure {
  const WRITE_BACK = 1 << 8;
  const ENABLED = 1 << 7;
  const SRAM_UNKNOWN = 1 << 1;
  const NO_CORRECTION = 3;
  const TYPES = { instruction: 3, data: 4, unified: 5 } as const;
  const ASSOCIATIVITY = { 8: 7, 16: 8 } as const;
  const s = new Structure(7, Handle.cache + index).text(`L${level} ${kind}`).u16(WRITE_BACK | ENABLED | (level - 1));
  s.u16(kibibytes, kibibytes, SRAM_UNKNOWN, SRAM_UNKNOWN).u8(0, NO_CORRECTION, TYPES[kind], ASSOCIATIVITY[ways]);
  return s.u32(kibibytes, kibibytes);
}

/** Type 16 (7.17): as much as there is, on the system board, without error correction. */
function memoryArray(bytes: number): Structure {
  const SYSTEM_BOARD = 3;
  const SYSTEM_MEMORY = 3;
  const NO_CORRECTION = 3;
  const LIMIT = 0x8000_0000;
  const s = new Structure(16, Handle.memoryArray).u8(SYSTEM_BOARD, SYSTEM_MEMORY, NO_CORRECTION);
  const fits = bytes / KIB < LIMIT;
  return s
    .u32(fits ? bytes / KIB : LIMIT)
    .u16(NO_ERROR_HANDLE, 1)
    .u64(fits ? 0 : bytes);
}

/** Type 17 (7.18): all RAM is one module. */
function memoryDevice(bytes: number): Structure {
  const DIMM = 9;
  const RAM = 7;
  const EXTENDED = 0x7fff;
  const s = new Structure(17, Handle.memoryDevice).u16(Handle.memoryArray, NO_ERROR_HANDLE);
  const mebibytes = bytes / MIB;
  const fits = mebibytes < EXTENDED;
  s.u16(0xffff, 0xffff, fits ? mebibytes : EXTENDED)
    .u8(DIMM, 0)
    .text("DIMM 0")
    .text("")
    .u8(RAM)
    .u16(1 << OTHER);
  s.u16(0)
    .text(MANUFACTURER)
    .text("")
    .text("")
    .text("")
    .u8(0)
    .u32(fits ? 0 : mebibytes);
  return s.u16(0, 0, 0, 0);
}

/** Type 19 (7.20): addresses of RAM, in KiB where they fit, the last one included. */
function mappedMemory(start: number, bytes: number, index: number): Structure {
  const end = start + bytes;
  const s = new Structure(19, Handle.mappedMemory + index);
  if (end / KIB <= 0xffff_ffff)
    s.u32(start / KIB, end / KIB - 1)
      .u16(Handle.memoryArray)
      .u8(1)
      .u64(0, 0);
  else
    s.u32(0xffff_ffff, 0xffff_ffff)
      .u16(Handle.memoryArray)
      .u8(1)
      .u64(start, end - 1);
  return s;
}

/** Type 32 (7.33): no errors. */
function bootInformation(): Structure {
  return new Structure(32, Handle.boot).u8(0, 0, 0, 0, 0, 0, 0);
}

/** All structures of a machine, the end of the table included. */
export function structuresOf(config: SmbiosConfig): Structure[] {
  const { low, high } = config.memory;
  return [
    ...(config.describeFirmware ? [firmware()] : []),
    system(config),
    chassis(config),
    processor(config),
    ...config.caches.map(cache),
    memoryArray(low + high),
    memoryDevice(low + high),
    mappedMemory(0, low, 0),
    ...(high > 0 ? [mappedMemory(FOUR_GIB, high, 1)] : []),
    bootInformation(),
    new Structure(127, Handle.end),
  ];
}
