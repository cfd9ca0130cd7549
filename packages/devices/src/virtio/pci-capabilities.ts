// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler } from "@isola/memory";
import { partOf } from "../access-width.js";
import type { PciFunction } from "../pci/function.js";
import { CapabilityId } from "../pci/registers.js";
import { Cap, CapType, COMMON_LENGTH, NOTIFY_MULTIPLIER, Region, REGION_BAR, REGION_SIZE } from "./registers.js";

/** Adds the vendor capabilities that tell a driver where the structures are (4.1.4). */
export function addVirtioCapabilities(pci: PciFunction, region: IoHandler): void {
  addStructure(pci, CapType.Common, 16, Region.Common, COMMON_LENGTH);
  const notify = addStructure(pci, CapType.Notify, 20, Region.Notify, Region.Span);
  pci.config.set32(notify + Cap.NotifyMultiplier, NOTIFY_MULTIPLIER);
  addStructure(pci, CapType.Isr, 16, Region.Isr, 1);
  addStructure(pci, CapType.Device, 16, Region.Device, Region.Span);
  addAccessWindow(pci, region);
}

function addStructure(pci: PciFunction, type: CapType, length: number, offset: number, span: number): number {
  const at = pci.addCapability(CapabilityId.Vendor, length);
  const c = pci.config;
  c.set8(at + Cap.Length, length);
  c.set8(at + Cap.Type, type);
  c.set8(at + Cap.Bar, REGION_BAR);
  c.set32(at + Cap.Offset, offset);
  c.set32(at + Cap.RegionLength, span);
  return at;
}

/** The window through which firmware without memory-mapped I/O reaches the region (4.1.4.9). */
function addAccessWindow(pci: PciFunction, region: IoHandler): void {
  const at = pci.addCapability(CapabilityId.Vendor, 20);
  const c = pci.config;
  c.set8(at + Cap.Length, 20);
  c.set8(at + Cap.Type, CapType.PciAccess);
  c.set8(at + Cap.Bar, 0, 0xff);
  c.set32(at + Cap.Offset, 0, 0xffff_ffff);
  c.set32(at + Cap.RegionLength, 0, 0xffff_ffff);
  c.set32(at + Cap.AccessData, 0, 0xffff_ffff);

  /** Width of the access that the window describes, or 0 if it describes none. */
  const width = (): AccessSize | 0 => {
    const offset = c.get32(at + Cap.Offset);
    const length = c.get32(at + Cap.RegionLength);
    if (c.get8(at + Cap.Bar) !== REGION_BAR || (length !== 1 && length !== 2 && length !== 4)) return 0;
    return offset % length === 0 && offset + length <= REGION_SIZE ? length : 0;
  };
  c.hook({
    start: at + Cap.AccessData,
    length: 4,
    beforeRead: () => {
      const size = width();
      if (size !== 0) c.put32(at + Cap.AccessData, region.read(c.get32(at + Cap.Offset), size));
    },
    afterWrite: () => {
      const size = width();
      if (size === 0) return;
      region.write(c.get32(at + Cap.Offset), size, partOf(c.get32(at + Cap.AccessData), 0, size));
    },
  });
}
