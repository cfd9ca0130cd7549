// SPDX-License-Identifier: Apache-2.0
import { XHCI_PORTS_OF_KIND } from "@isola/devices";
import type { BootDevice, MachineConfig } from "./config.js";
import { CHIPSET_SLOT, ChipsetFunction, FIRST_FREE_SLOT } from "./pc-layout.js";

/** fw_cfg file with the order in which firmware tries devices. */
export const BOOT_ORDER_FILE = "bootorder";

const ROOT = "/pci@i0cf8";

function slot(number: number): string {
  return number.toString(16);
}

/** Drives of one kind on the IDE channels, in order. */
function ideDrives({ ide }: MachineConfig, kind: "disk" | "cdrom"): string[] {
  const chip = `${ROOT}/ide@${CHIPSET_SLOT},${ChipsetFunction.Ide}`;
  return ide.flatMap((drive, unit) => (drive?.kind === kind ? [`${chip}/drive@${unit >> 1}/disk@${unit & 1}`] : []));
}

function sataDrives({ disks, nvme, sata }: MachineConfig, kind: "disk" | "cdrom"): string[] {
  const controller = `${ROOT}/pci8086,2922@${slot(FIRST_FREE_SLOT + disks.length + nvme.length)}`;
  return sata.flatMap((drive, port) => (drive.kind === kind ? [`${controller}/drive@${slot(port)}/disk@0`] : []));
}

/** USB disks. OVMF counts all ports of their controller, SeaBIOS those of their speed: so each has two lines. */
function usbDisks({ disks, nvme, sata, usb }: MachineConfig): string[] {
  const before = disks.length + nvme.length + Math.min(sata.length, 1);
  const controller = `${ROOT}/usb@${slot(FIRST_FREE_SLOT + before)}`;
  const count = usb.filter(({ kind }) => kind === "disk").length;
  return Array.from({ length: count }, (_, i) => [XHCI_PORTS_OF_KIND + 1 + i, 1 + i])
    .flat()
    .map((port) => `${controller}/storage@${port.toString(16)}/channel@0/disk@0,0`);
}

function pathsOf(device: BootDevice, config: MachineConfig, lastSlot: number): string[] {
  const { disks, nvme, floppies, networks } = config;
  switch (device) {
    case "disk":
      return [
        ...ideDrives(config, "disk"),
        ...disks.map((_, i) => `${ROOT}/scsi@${slot(FIRST_FREE_SLOT + i)}/disk@0,0`),
        ...nvme.map((_, i) => `${ROOT}/pci8086,5845@${slot(FIRST_FREE_SLOT + disks.length + i)}/namespace@1,0`),
        ...sataDrives(config, "disk"),
        ...usbDisks(config),
      ];
    case "cdrom":
      return [...ideDrives(config, "cdrom"), ...sataDrives(config, "cdrom")];
    case "floppy":
      return floppies.flatMap((name, i) => (name === null ? [] : [`${ROOT}/isa@1/fdc@03f0/floppy@${i}`]));
    default:
      return networks.map((_, i) => `${ROOT}/ethernet@${slot(lastSlot - i)}/ethernet-phy@0`);
  }
}

/**
 * The devices of a `pc` that firmware may boot from, in the order of the configuration: a line each with its path, as
 * QEMU builds it after IEEE 1275 (QEMU documentation, "bootindex"), and a zero at the end.
 * @param lastSlot PCI slot of the first network card; the others are below it
 */
export function bootOrder(order: readonly BootDevice[], config: MachineConfig, lastSlot: number): Uint8Array {
  const lines = order.flatMap((device) => pathsOf(device, config, lastSlot)).join("\n");
  return Uint8Array.from({ length: lines.length + 1 }, (_, i) => (i < lines.length ? lines.charCodeAt(i) : 0));
}
