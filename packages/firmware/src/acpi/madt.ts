// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "../byte-writer.js";
import type { AcpiConfig } from "./config.js";

export const MADT_REVISION = 5;
/** There is an 8259 pair as well (ACPI 6.5, table 5.20). */
const PCAT_COMPAT = 1;
const ENABLED = 1;
const FIRST_X2APIC_ID = 255;
const PIT_GSI = 2;
/** Active high, level triggered. */
const LEVEL_HIGH = 0x0d;
const ALL_PROCESSORS = 0xff;
const ALL_PROCESSOR_UIDS = 0xffff_ffff;
const NMI_PIN = 1;

/** Everything of the MADT behind the common header (5.2.12). */
export function madtBody({ cpus, localApicAddress, ioApic, power, levelIrqs = [] }: AcpiConfig): Uint8Array {
  const w = new ByteWriter().u32(localApicAddress).u32(PCAT_COMPAT);
  for (let id = 0; id < cpus; id++) {
    if (id < FIRST_X2APIC_ID) w.u8(0, 8, id, id).u32(ENABLED);
    else w.u8(9, 16, 0, 0).u32(id).u32(ENABLED).u32(id);
  }
  w.u8(1, 12, ioApic.id, 0).u32(ioApic.address).u32(0);
  // IRQ 0 of the timer arrives at pin 2, where the 8259's output is on older boards.
  w.u8(2, 10, 0, 0).u32(PIT_GSI).u16(0);
  for (const irq of [power.sci, ...levelIrqs.filter((other) => other !== power.sci)])
    w.u8(2, 10, 0, irq).u32(irq).u16(LEVEL_HIGH);
  w.u8(4, 6, ALL_PROCESSORS).u16(0).u8(NMI_PIN);
  if (cpus > FIRST_X2APIC_ID) w.u8(10, 12).u16(0).u32(ALL_PROCESSOR_UIDS).u8(NMI_PIN, 0, 0, 0);
  return w.finish();
}
