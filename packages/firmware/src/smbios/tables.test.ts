// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { testRam } from "../boot-file.fixture.js";
import type { SmbiosConfig } from "./config.js";
import { smbiosFiles, writeSmbios } from "./tables.js";

const MIB = 1 << 20;
const config: SmbiosConfig = {
  product: "Test PC",
  name: "lab 7",
  uuid: Uint8Array.from([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x4d, 0xef, 0x80, 0x12, 1, 2, 3, 4, 5, 6]),
  cpus: 2,
  processor: { signature: 0x306f2, features: 0x0783_fbff, brand: "Test CPU" },
  megahertz: 1000,
  caches: [
    { level: 1, kind: "data", kibibytes: 32, ways: 8 },
    { level: 1, kind: "instruction", kibibytes: 32, ways: 8 },
    { level: 2, kind: "unified", kibibytes: 1024, ways: 16 },
  ],
  memory: { low: 3072 * MIB, high: 512 * MIB },
  describeFirmware: true,
};

const sum = (bytes: Uint8Array) => bytes.reduce((total, byte) => (total + byte) & 0xff, 0);

/** Walks a table of structures as guests do; returns the types. */
function walk(tables: Uint8Array): number[] {
  const types: number[] = [];
  for (let at = 0; at < tables.length;) {
    types.push(tables[at] ?? -1);
    at += tables[at + 1] ?? 0;
    while (tables[at] !== 0 || tables[at + 1] !== 0) at++;
    at += 2;
  }
  return types;
}

describe("SMBIOS", () => {
  it("has an entry point with a good checksum and structures behind each other", () => {
    const { anchor, tables } = smbiosFiles(config);
    expect(String.fromCharCode(...anchor.subarray(0, 5))).toBe("_SM3_");
    expect(sum(anchor)).toBe(0);
    expect(new DataView(anchor.buffer).getUint32(12, true)).toBe(tables.length);
    expect(walk(tables)).toEqual([0, 1, 3, 4, 7, 7, 7, 16, 17, 19, 19, 32, 127]);
    const small = smbiosFiles({ ...config, describeFirmware: false, memory: { low: 64 * MIB, high: 0 } });
    expect(walk(small.tables)).toEqual([1, 3, 4, 7, 7, 7, 16, 17, 19, 32, 127]);
  });

  it("is where guests look for it in the first megabyte", () => {
    const ram = testRam(2);
    writeSmbios(ram, config);
    expect(String.fromCharCode(...(ram.peek(0xf_0000, 5) ?? []))).toBe("_SM3_");
    expect(sum(ram.peek(0xf_0000, 24) ?? new Uint8Array())).toBe(0);
    const address = Number(ram.u64(0xf_0010));
    expect(walk(ram.peek(address, ram.u32(0xf_000c)) ?? new Uint8Array()).at(-1)).toBe(127);
  });

  it("keeps characters out of strings that would break them", () => {
    const { tables } = smbiosFiles({ ...config, name: "a\0b\nc" });
    expect(String.fromCharCode(...tables)).toContain("a?b?c");
  });
});

const hasDmidecode = spawnSync("dmidecode", ["--version"]).status === 0;
const hasQemu = spawnSync("qemu-system-x86_64", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "isola-smbios-"));

/** What dmidecode makes of an entry point and structures. */
function decode(anchor: Uint8Array, tables: Uint8Array): string {
  // A dump has the entry point first, and in it the offset of the structures in the file (dmidecode(8), --dump-bin).
  const dump = new Uint8Array(32 + tables.length);
  dump.set(anchor);
  const view = new DataView(dump.buffer);
  view.setBigUint64(16, 32n, true);
  dump[5] = 0;
  dump[5] = -sum(dump.subarray(0, 24)) & 0xff;
  dump.set(tables, 32);
  const file = join(folder, "dump");
  writeFileSync(file, dump);
  const { stdout, stderr, status } = spawnSync("dmidecode", ["--from-dump", file], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** The lines of the first structure of a type, by the name of their field. */
function fieldsOf(text: string, type: number): Map<string, string> {
  const block = text.split("\n\n").find((one) => one.includes(`DMI type ${type},`)) ?? "";
  const lines = block.split("\n").flatMap((line) => {
    const { 1: name, 2: value } = /^\t(\w[^:]*): ?(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value ?? ""] as const];
  });
  return new Map(lines);
}

/** Entry point and structures as SeaBIOS leaves them in the memory of QEMU's `pc`. */
function qemuTables(): { anchor: Uint8Array; tables: Uint8Array } {
  const image = join(folder, "low-memory");
  const args = ["-M", "pc,smbios-entry-point-type=64", "-m", "3584", "-smp", "2", "-display", "none", "-net", "none"];
  const monitor = ["-monitor", "stdio", "-S"];
  // The guest runs until SeaBIOS has placed the structures, which it does long before two seconds are over.
  const script = `(echo cont; sleep 2; echo stop; echo 'pmemsave 0 0x100000 "${image}"'; echo quit) | qemu-system-x86_64 ${[...args, ...monitor].join(" ")}`;
  expect(spawnSync("sh", ["-c", script], { stdio: "ignore" }).status).toBe(0);
  const memory = readFileSync(image);
  // SeaBIOS has the same letters in its code.
  let at = memory.indexOf("_SM3_", 0xf_0000, "latin1");
  while (at > 0 && (at % 16 !== 0 || memory[at + 6] !== 24)) at = memory.indexOf("_SM3_", at + 1, "latin1");
  expect(at).toBeGreaterThan(0);
  const address = Number(memory.readBigUInt64LE(at + 16));
  const length = memory.readUInt32LE(at + 12);
  return { anchor: memory.subarray(at, at + 24), tables: memory.subarray(address, address + length) };
}

describe.skipIf(!hasDmidecode)("SMBIOS under dmidecode (skipped where that is missing)", () => {
  it("says what was meant, without a complaint", () => {
    const text = decode(smbiosFiles(config).anchor, smbiosFiles(config).tables);
    expect(text).not.toMatch(/OUT OF SPEC|BAD INDEX|Wrong|Invalid|TRUNCATED|<.*>/);
    expect(text).toContain("SMBIOS 3.6.0 present");
    expect(fieldsOf(text, 1).get("UUID")).toBe("12345678-9abc-4def-8012-010203040506");
    expect(fieldsOf(text, 3).get("Asset Tag")).toBe("lab 7");
    const cpu = fieldsOf(text, 4);
    expect([cpu.get("Version"), cpu.get("Core Count"), cpu.get("Max Speed")]).toEqual(["Test CPU", "2", "1000 MHz"]);
    expect([cpu.get("L1 Cache Handle"), cpu.get("L2 Cache Handle")]).toEqual(["0x0700", "0x0702"]);
    expect([...text.matchAll(/Installed Size: (.*)/g)].map(([, size]) => size)).toEqual(["32 kB", "32 kB", "1 MB"]);
    expect(text).toMatch(/Associativity: 16-way/);
    expect(fieldsOf(text, 16).get("Maximum Capacity")).toBe("3584 MB");
    expect(fieldsOf(text, 17).get("Size")).toBe("3584 MB");
    expect([...text.matchAll(/Range Size: (.*)/g)].map(([, size]) => size)).toEqual(["3 GB", "512 MB"]);
  });

  it.skipIf(!hasQemu)("has the structures and fields of QEMU's PC (skipped where QEMU is missing)", () => {
    const qemu = qemuTables();
    const [theirs, ours] = [
      decode(qemu.anchor, qemu.tables),
      decode(...(Object.values(smbiosFiles(config)) as [Uint8Array, Uint8Array])),
    ];
    const types = (text: string) => [...new Set([...text.matchAll(/DMI type (\d+),/g)].map(([, type]) => type))];
    expect(types(ours).filter((type) => type !== "7")).toEqual(types(theirs));
    for (const type of [1, 3, 4, 16, 17, 19, 32]) {
      const [mine, other] = [fieldsOf(ours, type), fieldsOf(theirs, type)];
      // Ours may be of a later version of the specification, and say more.
      for (const name of other.keys()) expect([type, name, mine.has(name)]).toEqual([type, name, true]);
    }
    for (const [type, name] of [
      [16, "Use"],
      [17, "Form Factor"],
      [17, "Type"],
      [19, "Range Size"],
      [32, "Status"],
    ] as const)
      expect(fieldsOf(ours, type).get(name)).toBe(fieldsOf(theirs, type).get(name));
    rmSync(folder, { recursive: true });
  });
});
