// SPDX-License-Identifier: Apache-2.0
import {
  type Aml,
  argument,
  device,
  eisaId,
  encode,
  giveBack,
  integer,
  method,
  named,
  pack,
  path,
  scope,
  store,
  when,
} from "./aml.js";
import type { AcpiConfig } from "./config.js";
import {
  busNumbers,
  dmaChannel,
  fixedMemory,
  ioPorts,
  ioWindow,
  isaInterrupt,
  memoryWindow32,
  memoryWindow64,
  type Resource,
  resourceTemplate,
} from "./resources.js";

const PCI_SLOTS = 32;
const PINS = 4;
const BUS_CONFIG_BYTES = 0x10_0000;
const ANY_FUNCTION = 0xffff;
const RTC_IRQ = 8;
const HPET_BYTES = 0x400;

/** Interrupt routing of bus 0: one entry for each slot and pin (ACPI 6.5, 6.2.13). */
function routing(interruptOf: (slot: number, pin: number) => number): Aml {
  const entries: Aml[] = [];
  for (let slot = 0; slot < PCI_SLOTS; slot++)
    for (let pin = 0; pin < PINS; pin++)
      entries.push(
        pack(integer(slot * 0x1_0000 + ANY_FUNCTION), integer(pin), integer(0), integer(interruptOf(slot, pin))),
      );
  return pack(...entries);
}

function hostBridge({ pci }: AcpiConfig): Aml {
  return device(
    "PCI0",
    // With memory-mapped configuration space the bridge is one of PCI Express.
    ...(pci.ecam === null
      ? [named("_HID", eisaId("PNP0A03"))]
      : [named("_HID", eisaId("PNP0A08")), named("_CID", eisaId("PNP0A03"))]),
    named("_UID", integer(0)),
    named("_SEG", integer(0)),
    named("_BBN", integer(0)),
    named(
      "_CRS",
      resourceTemplate(
        busNumbers(0, pci.lastBus),
        ioPorts(0xcf8, 8),
        ioWindow(0, 0xcf7),
        ioWindow(0xd00, 0xffff),
        memoryWindow32(pci.window32.start, pci.window32.length),
        memoryWindow64(pci.window64.start, pci.window64.length),
      ),
    ),
    named("APRT", routing(pci.pinOf)),
    named("PPRT", routing(pci.legacyIrqOf)),
    method("_PRT", 0, when(path("PICF"), [giveBack(path("APRT"))], [giveBack(path("PPRT"))])),
  );
}

/** Guests use ECAM only if a motherboard device claims it (PCI Firmware 3.3, 4.1.2). */
function motherboard({ pci, power }: AcpiConfig): Aml {
  return device(
    "MBRD",
    named("_HID", eisaId("PNP0C02")),
    named("_UID", integer(1)),
    named(
      "_CRS",
      resourceTemplate(
        ...(pci.ecam === null ? [] : [fixedMemory(pci.ecam, (pci.lastBus + 1) * BUS_CONFIG_BYTES)]),
        ioPorts(power.pm1Event, 4),
        ioPorts(power.pm1Control, 2),
        ioPorts(power.timer, 4),
        ioPorts(power.gpe0.port, power.gpe0.length),
      ),
    ),
  );
}

function serialPort({ port, irq }: AcpiConfig["serial"][number], index: number): Aml {
  return device(
    `COM${index + 1}`,
    named("_HID", eisaId("PNP0501")),
    named("_UID", integer(index + 1)),
    named("_CRS", resourceTemplate(ioPorts(port, 8), isaInterrupt(irq))),
  );
}

function realTimeClock(): Aml {
  return device(
    "RTC0",
    named("_HID", eisaId("PNP0B00")),
    named("_CRS", resourceTemplate(ioPorts(0x70, 2), isaInterrupt(RTC_IRQ))),
  );
}

/** Keyboard, mouse, DMA controller, floppy controller, speaker and event timer of a classic PC. */
function classicDevices({ hpet, floppy }: NonNullable<AcpiConfig["pc"]>): Aml[] {
  const resources = (...list: readonly Resource[]): Aml => named("_CRS", resourceTemplate(...list));
  const devices = [
    device("KBD0", named("_HID", eisaId("PNP0303")), resources(ioPorts(0x60, 1), ioPorts(0x64, 1), isaInterrupt(1))),
    device("MOU0", named("_HID", eisaId("PNP0F13")), resources(isaInterrupt(12))),
    device(
      "DMA0",
      named("_HID", eisaId("PNP0200")),
      resources(ioPorts(0, 16), ioPorts(0x81, 15), ioPorts(0xc0, 32), dmaChannel(4)),
    ),
    device("SPKR", named("_HID", eisaId("PNP0800")), resources(ioPorts(0x61, 1))),
    device("HPET", named("_HID", eisaId("PNP0103")), resources(fixedMemory(hpet, HPET_BYTES))),
  ];
  if (!floppy) return devices;
  const ports = [ioPorts(0x3f2, 4), ioPorts(0x3f7, 1)];
  return [
    ...devices,
    device("FDC0", named("_HID", eisaId("PNP0700")), resources(...ports, isaInterrupt(6), dmaChannel(2))),
  ];
}

/** Body of the DSDT: what cannot be found by probing. The power button is a fixed one and needs no device. */
export function dsdtBody(config: AcpiConfig): Uint8Array {
  const s5 = integer(config.power.s5SleepType);
  return encode(
    named("PICF", integer(0)),
    // A guest calls this with 1 when it uses IOAPICs (ACPI 6.5, 5.8.1).
    method("_PIC", 1, store(argument(0), path("PICF"))),
    named("_S5", pack(s5, s5, integer(0), integer(0))),
    scope(
      "\\_SB",
      hostBridge(config),
      motherboard(config),
      ...config.serial.map(serialPort),
      realTimeClock(),
      ...(config.pc === undefined ? [] : classicDevices(config.pc)),
    ),
  );
}
