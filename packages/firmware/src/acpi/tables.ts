// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { GuestRam } from "@isola/memory";
import { ByteWriter } from "../byte-writer.js";
import { ACPI_TABLES, SMBIOS_TABLES } from "../low-memory.js";
import type { AcpiConfig } from "./config.js";
import { dsdtBody } from "./dsdt.js";
import { facs, FADT_REVISION, fadtBody } from "./fadt.js";
import { MADT_REVISION, madtBody } from "./madt.js";

const LENGTH_AT = 4;
const CHECKSUM_AT = 9;
const ALIGNMENT = 64;
const RSDP_BYTES = 36;
const HPET_CAPABILITIES = 0x8086_a201;
const OEM_ID = "ISOLA";
const OEM_TABLE_ID = "ISOLAVM";

/** A table with the header that all but the RSDP and the FACS share (ACPI 6.5, 5.2.6). */
function table(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const w = new ByteWriter().text(signature, 4).u32(0).u8(revision, 0);
  w.text(OEM_ID, 6).text(OEM_TABLE_ID, 8).u32(1).text("ISOL", 4).u32(1).append(body);
  return w.patchU32(LENGTH_AT, w.length).checksum(CHECKSUM_AT).finish();
}

function mcfg(ecam: number, lastBus: number): Uint8Array {
  return table("MCFG", 1, new ByteWriter().zeros(8).u64(ecam).u16(0).u8(0, lastBus).zeros(4).finish());
}

/** Capabilities as the timer's own register says them; a memory address of 64 bits; 100 ticks at least (HPET 1.0a, 3.2.4). */
function hpetTable(address: number): Uint8Array {
  const w = new ByteWriter().u32(HPET_CAPABILITIES).u8(0, 64, 0, 0).u64(address);
  return table("HPET", 1, w.u8(0).u16(100).u8(0).finish());
}

function pointers(addresses: readonly number[], width: 4 | 8): Uint8Array {
  const w = new ByteWriter();
  for (const address of addresses)
    if (width === 8) w.u64(address);
    else w.u32(address);
  return w.finish();
}

/** Root pointer (5.2.5.3): the first 20 bytes have a checksum of their own. */
function rsdp(rsdt: number, xsdt: number): Uint8Array {
  const w = new ByteWriter().text("RSD PTR ", 8).u8(0).text(OEM_ID, 6).u8(2).u32(rsdt);
  w.u32(RSDP_BYTES).u64(xsdt).u8(0, 0, 0, 0);
  return w.checksum(8, 0, 20).checksum(32).finish();
}

/** One finished table and where it belongs. */
export interface PlacedTable {
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Builds all tables for `config`, placed one after the other from `base`, the RSDP first. */
export function acpiTables(config: AcpiConfig, base: number): PlacedTable[] {
  const placed: PlacedTable[] = [];
  let next = base + ALIGNMENT;
  const place = (name: string, bytes: Uint8Array): number => {
    const address = next;
    placed.push({ name, address, bytes });
    next += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    return address;
  };
  const dsdt = place("DSDT", table("DSDT", 2, dsdtBody(config)));
  const control = place("FACS", facs());
  const listed = [
    place("FACP", table("FACP", FADT_REVISION, fadtBody(config, control, dsdt))),
    place("APIC", table("APIC", MADT_REVISION, madtBody(config))),
  ];
  const { pci, pc } = config;
  if (pci.ecam !== null) listed.push(place("MCFG", mcfg(pci.ecam, pci.lastBus)));
  if (pc !== undefined) listed.push(place("HPET", hpetTable(pc.hpet)));
  const rsdt = place("RSDT", table("RSDT", 1, pointers(listed, 4)));
  const xsdt = place("XSDT", table("XSDT", 1, pointers(listed, 8)));
  return [{ name: "RSDP", address: base, bytes: rsdp(rsdt, xsdt) }, ...placed];
}

/** Writes the tables into the BIOS area of `ram`, where guests search for them. Returns the address of the RSDP. */
export function writeAcpiTables(ram: GuestRam, config: AcpiConfig): number {
  for (const { name, address, bytes } of acpiTables(config, ACPI_TABLES)) {
    assert(address + bytes.length <= SMBIOS_TABLES, `ACPI table ${name} does not fit the BIOS area`);
    ram.write(address, bytes);
  }
  return ACPI_TABLES;
}
