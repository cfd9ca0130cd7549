// SPDX-License-Identifier: Apache-2.0
/**
 * Where boot structures go in the first megabyte. No firmware code runs before a kernel that is booted directly, so
 * nothing else lives there; the guest may reuse all of it below {@link EBDA_START} once it has read what it wants.
 */

/** GDT, one page. */
export const BOOT_GDT = 0x1000;
/** Linux `boot_params`, Multiboot information or PVH start information: one page, then lists that it points to. */
export const BOOT_INFO = 0x7000;
/** Memory map and module list of Multiboot and PVH. */
export const BOOT_LISTS = 0x8000;
/** Top of the first stack, for protocols that want one. */
export const BOOT_STACK_TOP = 0x9000;
/** Identity page tables: PML4, PDPT, four page directories. */
export const BOOT_PAGE_TABLES = 0x9000;
/** Strings: the command line, and names of modules behind it. */
export const BOOT_STRINGS = 0x2_0000;
export const BOOT_STRINGS_END = 0x4_0000;

/** First byte that boot structures use, and the first behind them. */
export const BOOT_AREA_START = BOOT_GDT;
export const BOOT_AREA_END = BOOT_STRINGS_END;

/** End of conventional memory, where a BIOS keeps its extended data area. */
export const EBDA_START = 0x9_fc00;
/** Legacy video and ROM space: not RAM for the guest. */
export const LEGACY_HOLE_START = 0xa_0000;
/** ACPI tables; the RSDP stands at the very start, because guests search this range for it (ACPI 6.5, 5.2.5.1). */
export const ACPI_TABLES = 0xe_0000;
/** SMBIOS entry point; guests search 0xf0000-0xfffff for it (SMBIOS 3.6, 5.2). */
export const SMBIOS_TABLES = 0xf_0000;
export const HIGH_MEMORY = 0x10_0000;
