// SPDX-License-Identifier: Apache-2.0
import { type FwCfg, FwCfgKey, type Rtc } from "@isola/devices";
import {
  acpiFiles,
  firmwareMemoryMap,
  RSDP_FILE,
  SCRIPT_FILE,
  SMBIOS_ANCHOR_FILE,
  SMBIOS_TABLES_FILE,
  smbiosFiles,
  TABLES_FILE,
} from "@isola/firmware";
import { LOW_RAM_LIMIT } from "@isola/memory";
import { pcAcpiDescription } from "./acpi-description.js";
import { LAST_SLOT } from "./board.js";
import { BOOT_ORDER_FILE, bootOrder } from "./boot-order.js";
import type { BootDevice, MachineConfig } from "./config.js";
import { PortBase } from "./memory-layout.js";
import { smbiosDescription } from "./smbios-description.js";

/** CMOS bytes in which firmware looks for the order of boot devices: second, first, and flags with the third. */
const BOOT_ORDER = 0x3d;
const BOOT_FLAGS = 0x38;
/** Flag: do not look for a signature on floppies, which many old ones lack. */
const NO_FLOPPY_CHECK = 1;
const BOOT_CODES: { readonly [K in BootDevice]: number } = { floppy: 1, disk: 2, cdrom: 3, network: 4 };

/** CMOS byte with the types of drives A (upper half) and B. */
const FLOPPY_TYPES = 0x10;

/** CMOS words with the amount of RAM, low byte first: two of the PC/AT, and two that firmware of virtual boards has added. */
const MEMORY_WORDS = {
  /** KiB below 640 KiB. */
  base: 0x15,
  /** KiB from 1 MiB on, twice. */
  extended: 0x17,
  extendedAgain: 0x30,
  /** Units of 64 KiB from 16 MiB on. */
  above16M: 0x34,
  /** Units of 64 KiB from 4 GiB on; a third byte follows. */
  above4G: 0x5b,
} as const;
const KIB = 1 << 10;
const MIB = 1 << 20;

function setMemorySize(rtc: Rtc, low: number, high: number): void {
  const set = (at: number, value: number): void => {
    const limited = Math.min(Math.max(value, 0), 0xffff);
    rtc.setCmos(at, limited);
    rtc.setCmos(at + 1, limited >> 8);
  };
  set(MEMORY_WORDS.base, 640);
  set(MEMORY_WORDS.extended, (low - MIB) / KIB);
  set(MEMORY_WORDS.extendedAgain, (low - MIB) / KIB);
  set(MEMORY_WORDS.above16M, (low - 16 * MIB) / (64 * KIB));
  set(MEMORY_WORDS.above4G, (high / (64 * KIB)) & 0xffff);
  rtc.setCmos(MEMORY_WORDS.above4G + 2, high / (64 * KIB * 0x1_0000));
}

/** What firmware of a `pc` asks for before it starts an operating system. */
export class PcFirmwareFiles {
  private readonly tablesKey: number;

  /** @param floppyTypes CMOS codes of the floppy drives */
  constructor(
    private readonly device: FwCfg,
    rtc: Rtc,
    private readonly config: MachineConfig,
    private readonly floppyTypes: readonly number[],
  ) {
    const [driveA = 0, driveB = 0] = floppyTypes;
    rtc.setCmos(FLOPPY_TYPES, (driveA << 4) | driveB);
    const low = Math.min(config.memory, LOW_RAM_LIMIT);
    setMemorySize(rtc, low, config.memory - low);
    device.addFile("etc/e820", firmwareMemoryMap(low, config.memory - low));
    const acpi = this.acpi(PortBase.PowerManagement);
    device.addFile(RSDP_FILE, acpi.rsdp);
    this.tablesKey = device.addFile(TABLES_FILE, acpi.tables);
    device.addFile(SCRIPT_FILE, acpi.script);
    const description = smbiosDescription(config);
    const smbios = smbiosFiles(description);
    device.addFile(SMBIOS_ANCHOR_FILE, smbios.anchor);
    device.addFile(SMBIOS_TABLES_FILE, smbios.tables);
    if (description.uuid !== null) device.set(FwCfgKey.uuid, description.uuid);
    if (config.boot.kind !== "firmware") return;
    const { order } = config.boot;
    const [first = 0, second = 0, third = 0] = order.map((name) => BOOT_CODES[name]);
    rtc.setCmos(BOOT_ORDER, first | (second << 4));
    rtc.setCmos(BOOT_FLAGS, NO_FLOPPY_CHECK | (third << 4));
    device.addFile(BOOT_ORDER_FILE, bootOrder(order, config, LAST_SLOT));
  }

  /** Firmware has put the power-management block at `port`, so that is what the tables have to say. */
  powerPlaced(port: number): void {
    this.device.replaceFile(this.tablesKey, this.acpi(port).tables);
  }

  private acpi(powerPort: number) {
    return acpiFiles(pcAcpiDescription(this.config, this.floppyTypes.length > 0, powerPort));
  }
}
