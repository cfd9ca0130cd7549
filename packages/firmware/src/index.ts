// SPDX-License-Identifier: Apache-2.0
export type { AcpiConfig, Window } from "./acpi/config.js";
export { writeAcpiTables } from "./acpi/tables.js";
export type { BootFile, BootRequest } from "./boot-image.js";
export * from "./boot-state.js";
export * from "./flat.js";
export * from "./load-kernel.js";
export { ACPI_TABLES, SMBIOS_TABLES } from "./low-memory.js";
export * from "./memory-map.js";
export { type AcpiFiles, acpiFiles, RSDP_FILE, SCRIPT_FILE, TABLES_FILE } from "./acpi/table-loader.js";
export type { CacheConfig, SmbiosConfig } from "./smbios/config.js";
export { SMBIOS_ANCHOR_FILE, SMBIOS_TABLES_FILE, type SmbiosFiles, smbiosFiles, writeSmbios } from "./smbios/tables.js";
