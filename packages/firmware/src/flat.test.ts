// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { testRam } from "./boot-file.fixture.js";
import { loadFlatBinary } from "./flat.js";

const file = { name: "boot.bin", bytes: Uint8Array.of(0xf4) };

describe("flat binaries", () => {
  it("start like a boot sector in real mode", () => {
    const ram = testRam(1);
    const state = loadFlatBinary(ram, file, 0x7c00, "real");
    expect(state).toMatchObject({
      rip: 0x7c00,
      cr0: 0x10,
      cs: { selector: 0, base: 0, limit: 0xffff, attributes: 0x9b },
    });
    expect(ram.u8(0x7c00)).toBe(0xf4);
  });

  it("get a code segment where they lie above 64 KiB", () => {
    const state = loadFlatBinary(testRam(1), file, 0x9_0008, "real");
    expect(state).toMatchObject({ rip: 8, cs: { selector: 0x9000, base: 0x9_0000 } });
  });

  it("start in flat protected or long mode", () => {
    expect(loadFlatBinary(testRam(4), file, 0x10_0000, "protected")).toMatchObject({ rip: 0x10_0000, cr0: 0x11 });
    expect(loadFlatBinary(testRam(4), file, 0x10_0000, "long")).toMatchObject({ cr3: 0x9000, efer: 0x500 });
  });

  it("are refused where they do not fit", () => {
    expect(() => loadFlatBinary(testRam(2), file, 0x10_0000, "real")).toThrow(/below 1 MiB/);
    expect(() => loadFlatBinary(testRam(1), file, 0x9000, "long")).toThrow(/boot information/);
    expect(() => loadFlatBinary(testRam(1), file, 0x20_0000, "protected")).toThrow(/at least 3 MiB/);
    expect(() => loadFlatBinary(testRam(1), { name: "e", bytes: new Uint8Array() }, 0, "real")).toThrow(/is empty/);
  });
});
