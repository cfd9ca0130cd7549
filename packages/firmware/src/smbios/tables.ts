// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { ByteWriter } from "../byte-writer.js";
import { HIGH_MEMORY, SMBIOS_TABLES } from "../low-memory.js";
import type { SmbiosConfig } from "./config.js";
import { structuresOf } from "./structures.js";

const ENTRY_BYTES = 24;
const CHECKSUM_AT = 5;
const MAJOR = 3;
const MINOR = 6;
const TABLE_ALIGNMENT = 16;

/** What firmware gets that places SMBIOS structures itself: the entry point, and the structures behind each other. */
export interface SmbiosFiles {
  readonly anchor: Uint8Array;
  readonly tables: Uint8Array;
}

export const SMBIOS_ANCHOR_FILE = "etc/smbios/smbios-anchor";
export const SMBIOS_TABLES_FILE = "etc/smbios/smbios-tables";

/** The 64-bit entry point (SMBIOS 3.6, 5.2.2). */
function entryPoint(tableBytes: number, address: number): Uint8Array {
  const w = new ByteWriter().text("_SM3_", 5).u8(0, ENTRY_BYTES, MAJOR, MINOR, 0, 1, 0).u32(tableBytes).u64(address);
  return w.checksum(CHECKSUM_AT).finish();
}

function tablesOf(config: SmbiosConfig): Uint8Array {
  const w = new ByteWriter();
  for (const structure of structuresOf(config)) w.append(structure.finish());
  return w.finish();
}

/** The two files of fw_cfg. Firmware puts the address into the entry point, and makes its checksum right. */
export function smbiosFiles(config: SmbiosConfig): SmbiosFiles {
  const tables = tablesOf(config);
  return { anchor: entryPoint(tables.length, 0), tables };
}

/** Writes entry point and structures to where guests without UEFI search for them. */
export function writeSmbios(ram: GuestRam, config: SmbiosConfig): void {
  const tables = tablesOf(config);
  const address = SMBIOS_TABLES + Math.ceil(ENTRY_BYTES / TABLE_ALIGNMENT) * TABLE_ALIGNMENT;
  assert(address + tables.length <= HIGH_MEMORY, "the SMBIOS structures do not fit the BIOS area");
  ram.write(SMBIOS_TABLES, entryPoint(tables.length, address));
  ram.write(address, tables);
}
