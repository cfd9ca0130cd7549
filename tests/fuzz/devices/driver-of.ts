// SPDX-License-Identifier: Apache-2.0
import { Ac97Driver } from "./ac97-driver.js";
import { AhciDriver } from "./ahci-driver.js";
import type { Driver, DriverTools } from "./driver.js";
import { E1000Driver } from "./e1000-driver.js";
import { FloppyDriver } from "./floppy-driver.js";
import { CONSOLE_ADDRESS } from "./fuzzed-machine.js";
import { FwCfgDriver } from "./fw-cfg-driver.js";
import { I8042Driver } from "./i8042-driver.js";
import { IdeDriver } from "./ide-driver.js";
import { NvmeDriver } from "./nvme-driver.js";
import type { PciSlot } from "./pci-slot.js";
import { Rtl8139Driver } from "./rtl8139-driver.js";
import { VgaDriver } from "./vga-driver.js";
import { VirtioDriver } from "./virtio-driver.js";
import { XhciDriver } from "./xhci-driver.js";

const VIRTIO_VENDOR = 0x1af4;
const REALTEK = 0x10ec;

/** The driver of a PCI function whose regions are at `bars`; null for one that makes no requests. */
export function driverOfFunction(slot: PciSlot, bars: readonly number[], tools: DriverTools): Driver | null {
  if (slot.vendor === VIRTIO_VENDOR) return new VirtioDriver(tools, bars[4] ?? 0);
  switch (slot.classCode >> 8) {
    case 0x0101:
      return new IdeDriver(tools, bars[4] ?? 0);
    case 0x0106:
      return new AhciDriver(tools, bars[5] ?? 0);
    case 0x0108:
      return new NvmeDriver(tools, bars[0] ?? 0);
    case 0x0200:
      if (slot.vendor === REALTEK) return new Rtl8139Driver(tools, bars[1] ?? 0);
      return new E1000Driver(tools, bars[0] ?? 0);
    case 0x0401:
      return new Ac97Driver(tools, bars[0] ?? 0, bars[1] ?? 0);
    case 0x0c03:
      return new XhciDriver(tools, bars[0] ?? 0);
    default:
      return null;
  }
}

/** The driver of a device that is no PCI function, by the name under which its accesses are counted. */
export function driverOfDevice(name: string, tools: DriverTools): Driver | null {
  switch (name) {
    case "virtio-console":
      return new VirtioDriver(tools, CONSOLE_ADDRESS);
    case "floppy":
    case "dma8237":
      return new FloppyDriver(tools);
    case "vga":
      return new VgaDriver(tools);
    case "i8042":
      return new I8042Driver(tools);
    case "fw-cfg":
      return new FwCfgDriver(tools);
    default:
      return null;
  }
}
