// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkConfig, DEFAULT_CONFIG, type MachineConfig } from "./config.js";
import { smbiosDescription } from "./smbios-description.js";

const config: MachineConfig = {
  ...DEFAULT_CONFIG,
  boot: { kind: "kernel", kernel: "k", modules: [], commandLine: "" },
};

describe("what SMBIOS says of a machine", () => {
  it("is what CPUID says of its processor, and how its RAM lies", () => {
    const { caches, memory, processor, uuid } = smbiosDescription({ ...config, memory: 0xe000_0000, cpus: 4 });
    expect(caches).toEqual([
      { level: 1, kind: "data", kibibytes: 32, ways: 8 },
      { level: 1, kind: "instruction", kibibytes: 32, ways: 8 },
      { level: 2, kind: "unified", kibibytes: 1024, ways: 16 },
    ]);
    expect(memory).toEqual({ low: 0xc000_0000, high: 0x2000_0000 });
    expect([processor.brand, processor.signature]).toEqual(["Isola Virtual CPU", 0x306f2]);
    expect(uuid).toBe(null);
  });

  it("has the identity of the configuration, which is checked", () => {
    const uuid = "12345678-9abc-4def-8012-010203040506";
    const known = { ...config, name: "lab", uuid };
    expect(() => checkConfig(known)).not.toThrow();
    expect([...(smbiosDescription(known).uuid ?? [])].slice(0, 4)).toEqual([0x12, 0x34, 0x56, 0x78]);
    expect(() => checkConfig({ ...config, uuid: "1234" })).toThrow(/is no UUID/);
    expect(() => checkConfig({ ...config, name: "two\nlines" })).toThrow(/no name of a machine/);
  });
});
