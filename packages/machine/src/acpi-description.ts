// SPDX-License-Identifier: Apache-2.0
import { GPE_BLOCK_LENGTH, HPET_ADDRESS, PIIX4_SOFT_OFF, Pm, RESET_VALUE, SLEEP_TYPE_S5 } from "@isola/devices";
import type { AcpiConfig } from "@isola/firmware";
import { LOW_RAM_LIMIT } from "@isola/memory";
import type { MachineConfig } from "./config.js";
import {
  ECAM,
  IOAPIC_ADDRESS,
  IOAPIC_ID,
  LAPIC_ADDRESS,
  LAST_PCI_BUS,
  PCI_WINDOW_32,
  PCI_WINDOW_64,
  PortBase,
  pciWire,
  pciWireIrq,
  pciWirePin,
  SCI_IRQ,
  SERIAL_PORTS,
} from "./memory-layout.js";
import { LEVEL_IRQS, PC_WINDOW_64, pcWindow32, pirqIrq } from "./pc-layout.js";

/** What the ACPI tables of a `pc` say once firmware has put the power-management block at `powerPort`. */
export function pcAcpiDescription(
  { cpus, serialPorts, memory }: MachineConfig,
  floppy: boolean,
  powerPort: number,
): AcpiConfig {
  const common = acpiDescription(cpus, serialPorts, powerPort);
  const window32 = pcWindow32(Math.min(memory, LOW_RAM_LIMIT));
  return {
    ...common,
    power: { ...common.power, s5SleepType: PIIX4_SOFT_OFF },
    pci: { ...common.pci, ecam: null, window32, window64: PC_WINDOW_64, pinOf: pirqIrq, legacyIrqOf: pirqIrq },
    levelIrqs: LEVEL_IRQS,
    pc: { hpet: HPET_ADDRESS, floppy },
  };
}

/** What the ACPI tables of a `microvm` with these numbers of processors and serial ports say. */
export function acpiDescription(
  cpus: number,
  serialPorts: number,
  powerPort: number = PortBase.PowerManagement,
): AcpiConfig {
  return {
    cpus,
    localApicAddress: LAPIC_ADDRESS,
    ioApic: { id: IOAPIC_ID, address: IOAPIC_ADDRESS },
    power: {
      pm1Event: powerPort + Pm.Status,
      pm1Control: powerPort + Pm.Control,
      timer: powerPort + Pm.Timer,
      gpe0: { port: powerPort + Pm.GpeStatus, length: GPE_BLOCK_LENGTH },
      reset: { port: PortBase.ResetControl, value: RESET_VALUE },
      s5SleepType: SLEEP_TYPE_S5,
      sci: SCI_IRQ,
    },
    pci: {
      ecam: ECAM,
      lastBus: LAST_PCI_BUS,
      window32: PCI_WINDOW_32,
      window64: PCI_WINDOW_64,
      pinOf: (slot, pin) => pciWirePin(pciWire(slot, pin)),
      legacyIrqOf: (slot, pin) => pciWireIrq(pciWire(slot, pin)),
    },
    serial: SERIAL_PORTS.slice(0, serialPorts),
  };
}
