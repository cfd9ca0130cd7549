// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "../byte-writer.js";
import type { AcpiConfig } from "./config.js";
import { acpiTables, type PlacedTable } from "./tables.js";

/**
 * What firmware gets that places ACPI tables itself: two files, and a script that says where to put them, which fields
 * are pointers, and which checksums follow (QEMU documentation, "ACPI table loader" interface of fw_cfg).
 */
export interface AcpiFiles {
  readonly rsdp: Uint8Array;
  readonly tables: Uint8Array;
  readonly script: Uint8Array;
}

export const RSDP_FILE = "etc/acpi/rsdp";
export const TABLES_FILE = "etc/acpi/tables";
export const SCRIPT_FILE = "etc/table-loader";

const enum Command {
  Allocate = 1,
  AddPointer = 2,
  AddChecksum = 3,
}
/** Where a file goes: anywhere below 4 GiB, or where a BIOS is searched for pointers. */
const enum Zone {
  High = 1,
  Bios = 2,
}
const COMMAND_BYTES = 128;
const NAME_BYTES = 56;
const TABLE_ALIGNMENT = 64;
const RSDP_ALIGNMENT = 16;
const CHECKSUM_AT = 9;
/** Of the first 20 bytes of the RSDP, and of all. */
const RSDP_CHECKSUMS = [8, 32] as const;

/** A field that holds the address of another table. */
interface Pointer {
  readonly offset: number;
  readonly size: 4 | 8;
}

/** Fields of a table that are addresses: those of the FADT (ACPI 6.5, table 5.9), and all entries of RSDT and XSDT. */
function pointersOf({ name, bytes }: PlacedTable): Pointer[] {
  if (name === "FACP")
    return [
      { offset: 36, size: 4 },
      { offset: 40, size: 4 },
      { offset: 132, size: 8 },
      { offset: 140, size: 8 },
    ];
  if (name !== "RSDT" && name !== "XSDT") return [];
  const size = name === "RSDT" ? 4 : 8;
  return Array.from({ length: (bytes.length - 36) / size }, (_, i) => ({ offset: 36 + i * size, size }));
}

function command(write: (w: ByteWriter) => void): Uint8Array {
  const w = new ByteWriter();
  write(w);
  return w.zeros(COMMAND_BYTES - w.length).finish();
}

function name(w: ByteWriter, file: string): ByteWriter {
  return w.text(file, NAME_BYTES, "\0");
}

function allocate(file: string, alignment: number, zone: Zone): Uint8Array {
  return command((w) => name(w.u32(Command.Allocate), file).u32(alignment).u8(zone));
}

function addPointer(file: string, { offset, size }: Pointer): Uint8Array {
  return command((w) =>
    name(name(w.u32(Command.AddPointer), file), TABLES_FILE)
      .u32(offset)
      .u8(size),
  );
}

function addChecksum(file: string, at: number, start: number, length: number): Uint8Array {
  return command((w) => name(w.u32(Command.AddChecksum), file).u32(at).u32(start).u32(length));
}

/** Builds the tables with addresses that count from the start of their file, and the script that makes them real. */
export function acpiFiles(config: AcpiConfig): AcpiFiles {
  // The RSDP comes first, at a distance that makes the others begin at 0.
  const [rsdp, ...placed] = acpiTables(config, -TABLE_ALIGNMENT);
  const tables = new Uint8Array(placed.reduce((end, { address, bytes }) => Math.max(end, address + bytes.length), 0));
  const script = [allocate(TABLES_FILE, TABLE_ALIGNMENT, Zone.High), allocate(RSDP_FILE, RSDP_ALIGNMENT, Zone.Bios)];
  for (const table of placed) {
    tables.set(table.bytes, table.address);
    const pointers = pointersOf(table);
    for (const { offset, size } of pointers)
      script.push(addPointer(TABLES_FILE, { offset: table.address + offset, size }));
    if (pointers.length === 0) continue;
    // Some firmware subtracts the sum from the field, some writes it there as if the field had been zero: so it is.
    tables[table.address + CHECKSUM_AT] = 0;
    script.push(addChecksum(TABLES_FILE, table.address + CHECKSUM_AT, table.address, table.bytes.length));
  }
  script.push(addPointer(RSDP_FILE, { offset: 16, size: 4 }), addPointer(RSDP_FILE, { offset: 24, size: 8 }));
  const [first, second] = RSDP_CHECKSUMS;
  script.push(addChecksum(RSDP_FILE, first, 0, 20), addChecksum(RSDP_FILE, second, 0, rsdp.bytes.length));
  for (const at of RSDP_CHECKSUMS) rsdp.bytes[at] = 0;
  return { rsdp: rsdp.bytes, tables, script: Uint8Array.from(script.flatMap((bytes) => [...bytes])) };
}
