// SPDX-License-Identifier: Apache-2.0
import type { FwCfg, Rtc } from "@isola/devices";
import { acpiFiles, firmwareMemoryMap, RSDP_FILE, SCRIPT_FILE, TABLES_FILE } from "@isola/firmware";
import { LOW_RAM_LIMIT } from "@isola/memory";
import { pcAcpiDescription } from "./acpi-description.js";
import type { BootDevice, MachineConfig } from "./config.js";

/** CMOS bytes in which firmware looks for the order of boot devices: second, first, and flags with the third. */
const BOOT_ORDER = 0x3d;
const BOOT_FLAGS = 0x38;
/** Flag: do not look for a signature on floppies, which many old ones lack. */
const NO_FLOPPY_CHECK = 1;
const BOOT_CODES: { readonly [K in BootDevice]: number } = { floppy: 1, disk: 2, cdrom: 3, network: 4 };

/** CMOS byte with the types of drives A (upper half) and B. */
const FLOPPY_TYPES = 0x10;

/**
 * What firmware asks for before it starts an operating system.
 * @param floppyTypes CMOS codes of the floppy drives
 */
export function addPcFirmwareFiles(
  device: FwCfg,
  rtc: Rtc,
  config: MachineConfig,
  floppyTypes: readonly number[],
): void {
  const [driveA = 0, driveB = 0] = floppyTypes;
  rtc.setCmos(FLOPPY_TYPES, (driveA << 4) | driveB);
  const low = Math.min(config.memory, LOW_RAM_LIMIT);
  device.addFile("etc/e820", firmwareMemoryMap(low, config.memory - low));
  const acpi = acpiFiles(pcAcpiDescription(config.cpus, config.serialPorts, floppyTypes.length > 0));
  device.addFile(RSDP_FILE, acpi.rsdp);
  device.addFile(TABLES_FILE, acpi.tables);
  device.addFile(SCRIPT_FILE, acpi.script);
  if (config.boot.kind !== "firmware") return;
  const [first = 0, second = 0, third = 0] = config.boot.order.map((name) => BOOT_CODES[name]);
  rtc.setCmos(BOOT_ORDER, first | (second << 4));
  rtc.setCmos(BOOT_FLAGS, NO_FLOPPY_CHECK | (third << 4));
}
