// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { AcpiConfig } from "./config.js";
import { acpiFiles } from "./table-loader.js";

const config: AcpiConfig = {
  cpus: 2,
  localApicAddress: 0xfee0_0000,
  ioApic: { id: 0, address: 0xfec0_0000 },
  power: {
    pm1Event: 0x600,
    pm1Control: 0x604,
    timer: 0x608,
    gpe0: { port: 0x610, length: 4 },
    reset: { port: 0xcf9, value: 6 },
    s5SleepType: 5,
    sci: 9,
  },
  pci: {
    ecam: null,
    lastBus: 0,
    window32: { start: 0xc000_0000, length: 0x1000_0000 },
    window64: { start: 0x80_0000_0000, length: 0x80_0000_0000 },
    pinOf: () => 10,
    legacyIrqOf: () => 10,
  },
  levelIrqs: [5, 9, 10, 11],
  pc: { hpet: 0xfed0_0000, floppy: true },
  serial: [{ port: 0x3f8, irq: 4 }],
};

const HIGH = 0x7ff0_0000;
const LOW = 0xf_5000;

/** What firmware makes of a checksum field: SeaBIOS subtracts the sum from it, OVMF puts the negated sum there. */
type Arithmetic = "subtract" | "assign";

/** Carries out a script as firmware does. */
function load({ rsdp, tables, script }: ReturnType<typeof acpiFiles>, arithmetic: Arithmetic) {
  const files: Record<string, { bytes: Uint8Array; at: number }> = {
    "etc/acpi/rsdp": { bytes: rsdp.slice(), at: LOW },
    "etc/acpi/tables": { bytes: tables.slice(), at: HIGH },
  };
  const text = (at: number): string => String.fromCharCode(...script.subarray(at, at + 56)).replace(/\0.*$/, "");
  const view = new DataView(script.buffer);
  for (let at = 0; at < script.length; at += 128) {
    const file = files[text(at + 4)]!;
    const data = new DataView(file.bytes.buffer);
    const kind = view.getUint32(at, true);
    if (kind === 2) {
      const from = files[text(at + 60)]!;
      const offset = view.getUint32(at + 116, true);
      if (script[at + 120] === 8) data.setBigUint64(offset, data.getBigUint64(offset, true) + BigInt(from.at), true);
      else data.setUint32(offset, data.getUint32(offset, true) + from.at, true);
    } else if (kind === 3) {
      const [offset, start, length] = [60, 64, 68].map((field) => view.getUint32(at + field, true)) as [
        number,
        number,
        number,
      ];
      const sum = file.bytes.subarray(start, start + length).reduce((total, byte) => total + byte, 0);
      file.bytes[offset] = (arithmetic === "subtract" ? file.bytes[offset]! : 0) - sum;
    }
  }
  return { rsdp: files["etc/acpi/rsdp"]!.bytes, tables: files["etc/acpi/tables"]!.bytes };
}

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

describe("ACPI table loader", () => {
  it.each(["subtract", "assign"] as const)(
    "leads to tables that are linked, with right checksums (%s)",
    (arithmetic) => {
      const { rsdp, tables } = load(acpiFiles(config), arithmetic);
      expect(sum(rsdp.subarray(0, 20))).toBe(0);
      expect(sum(rsdp)).toBe(0);
      const view = new DataView(tables.buffer);
      const root = new DataView(rsdp.buffer);
      const names: string[] = [];
      const check = (address: number): number => {
        const at = address - HIGH;
        const length = view.getUint32(at + 4, true);
        expect(sum(tables.subarray(at, at + length))).toBe(0);
        names.push(String.fromCharCode(...tables.subarray(at, at + 4)));
        return length;
      };
      const rsdt = root.getUint32(16, true);
      for (let at = rsdt + 36, end = rsdt + check(rsdt); at < end; at += 4) {
        const table = view.getUint32(at - HIGH, true);
        check(table);
        if (names.at(-1) === "FACP") check(view.getUint32(table - HIGH + 40, true));
      }
      const xsdt = Number(root.getBigUint64(24, true));
      check(xsdt);
      expect(names).toEqual(["RSDT", "FACP", "DSDT", "APIC", "HPET", "XSDT"]);
      expect(view.getUint32(xsdt - HIGH + 36, true)).toBe(view.getUint32(rsdt - HIGH + 36, true));
    },
  );
});
