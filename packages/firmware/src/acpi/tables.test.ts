// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testRam } from "../boot-file.fixture.js";
import type { AcpiConfig } from "./config.js";
import { acpiTables, writeAcpiTables } from "./tables.js";

const config: AcpiConfig = {
  cpus: 3,
  localApicAddress: 0xfee0_0000,
  ioApic: { id: 3, address: 0xfec0_0000 },
  power: {
    pm1Event: 0x600,
    pm1Control: 0x604,
    timer: 0x608,
    gpe0: { port: 0x620, length: 4 },
    reset: { port: 0xcf9, value: 6 },
    s5SleepType: 5,
    sci: 9,
  },
  pci: {
    ecam: 0xe000_0000,
    lastBus: 0,
    window32: { start: 0xc000_0000, length: 0x1000_0000 },
    window64: { start: 0x80_0000_0000, length: 0x80_0000_0000 },
    pinOf: (slot, pin) => 16 + ((slot + pin) % 8),
    legacyIrqOf: (slot, pin) => 10 + ((slot + pin) % 2),
  },
  serial: [{ port: 0x3f8, irq: 4 }],
};

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

describe("ACPI tables", () => {
  it("form a chain with good checksums from the RSDP on", () => {
    const ram = testRam(2);
    const rsdp = writeAcpiTables(ram, config);
    expect(String.fromCharCode(...(ram.peek(rsdp, 8) ?? []))).toBe("RSD PTR ");
    expect(sum(ram.peek(rsdp, 20) ?? new Uint8Array())).toBe(0);
    expect(sum(ram.peek(rsdp, 36) ?? new Uint8Array())).toBe(0);
    const xsdt = Number(ram.u64(rsdp + 24));
    const names: string[] = [];
    for (let at = xsdt + 36; at < xsdt + ram.u32(xsdt + 4); at += 8) {
      const address = Number(ram.u64(at));
      names.push(String.fromCharCode(...(ram.peek(address, 4) ?? [])));
      expect(sum(ram.peek(address, ram.u32(address + 4)) ?? new Uint8Array())).toBe(0);
      if (names.at(-1) === "FACP") {
        expect(ram.u64(address + 140)).toBe(BigInt(ram.u32(address + 40)));
        expect(ram.u32(address + 4)).toBe(276);
      }
    }
    expect(names).toEqual(["FACP", "APIC", "MCFG"]);
  });

  it("fit the BIOS area with 255 processors and 4 serial ports", () => {
    const serial = [0x3f8, 0x2f8, 0x3e8, 0x2e8].map((port, i) => ({ port, irq: 4 - (i % 2) }));
    expect(() => writeAcpiTables(testRam(2), { ...config, cpus: 255, serial })).not.toThrow();
  });
});

const hasIasl = spawnSync("iasl", ["-v"]).status === 0;

/** The tables of a classic PC, which has no memory-mapped configuration space but older devices. */
const pc: AcpiConfig = {
  ...config,
  power: { ...config.power, s5SleepType: 0 },
  pci: { ...config.pci, ecam: null },
  levelIrqs: [5, 9, 10, 11],
  pc: { hpet: 0xfed0_0000, floppy: true },
};

describe.skipIf(!hasIasl)("ACPI tables under iasl (skipped where acpica-tools is missing)", () => {
  const folder = mkdtempSync(join(tmpdir(), "isola-acpi-"));
  const disassemble = (name: string, machine = config) => {
    const found = acpiTables(machine, 0xe_0000).find((one) => one.name === name);
    writeFileSync(join(folder, `${name}.aml`), found?.bytes ?? "");
    const result = spawnSync("iasl", ["-d", `${name}.aml`], { cwd: folder, encoding: "utf8" });
    const output = result.stdout + result.stderr;
    expect(output).not.toMatch(/error|warning|incorrect|invalid/i);
    expect(result.status).toBe(0);
    return readFileSync(join(folder, `${name}.dsl`), "utf8");
  };

  it.each(["FACP", "APIC", "MCFG", "FACS", "RSDT", "XSDT"])("%s disassembles", (name) => {
    const text = disassemble(name);
    expect(text).not.toMatch(/\bRaw Table Data: Length [^\n]*\n[^\n]*\*\*\*\*|Unknown|Invalid|Incorrect/);
  });

  it.each(["FACP", "APIC", "HPET"])("%s of a classic PC disassembles", (name) => {
    expect(disassemble(name, pc)).not.toMatch(
      /\bRaw Table Data: Length [^\n]*\n[^\n]*\*\*\*\*|Unknown|Invalid|Incorrect/,
    );
  });

  it("the DSDT of a classic PC has its devices and compiles again", () => {
    const text = disassemble("DSDT", pc);
    for (const id of ["PNP0A03", "PNP0303", "PNP0F13", "PNP0700", "PNP0103"])
      expect(text).toContain(`EisaId ("${id}")`);
    const compiled = spawnSync("iasl", ["-oa", "-p", "pc", "DSDT.dsl"], { cwd: folder, encoding: "utf8" });
    expect(compiled.stdout + compiled.stderr).toMatch(/0 Errors/);
  });

  it("the MADT lists processors, IOAPIC, overrides and NMI", () => {
    const text = disassemble("APIC");
    expect(text.match(/Processor Local APIC/g)).toHaveLength(3);
    expect(text.match(/Interrupt Source Override/g)).toHaveLength(2);
    expect(text).toMatch(/I\/O Apic ID : 03/);
  });

  it("the DSDT says what was meant and compiles again to the same bytes", () => {
    const text = disassemble("DSDT");
    expect(text).toMatch(/Name \(_S5, Package \(0x04\)/);
    expect(text).toContain('Name (_HID, EisaId ("PNP0A08")');
    expect(text).toContain('Name (_HID, EisaId ("PNP0501")');
    expect(text).toMatch(/Method \(_PRT, 0, NotSerialized\)/);
    expect(text).toMatch(/0x0000008000000000, \/\/ Range Minimum/);
    const compiled = spawnSync("iasl", ["-oa", "-p", "again", "DSDT.dsl"], { cwd: folder, encoding: "utf8" });
    expect(compiled.stdout + compiled.stderr).toMatch(/0 Errors/);
    const again = readFileSync(join(folder, "again.aml"));
    const original = acpiTables(config, 0xe_0000).find((one) => one.name === "DSDT")?.bytes ?? new Uint8Array();
    expect(Buffer.from(again.subarray(36)).equals(Buffer.from(original.subarray(36)))).toBe(true);
    rmSync(folder, { recursive: true });
  });
});
