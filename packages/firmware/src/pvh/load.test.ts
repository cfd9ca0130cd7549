// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { elfFile, stringAt, testRam } from "../boot-file.fixture.js";
import { loadKernel } from "../load-kernel.js";
import { guestMemoryMap } from "../memory-map.js";

const note = new Uint8Array([4, 0, 0, 0, 8, 0, 0, 0, 18, 0, 0, 0, 0x58, 0x65, 0x6e, 0, 0x40, 0, 0x10, 0, 0, 0, 0, 0]);
const code = {
  type: 1,
  virtualAddress: 2 ** 47,
  physicalAddress: 0x10_0000,
  bytes: new Uint8Array(64),
  memorySize: 64,
};
const notes = { type: 4, virtualAddress: 0, physicalAddress: 0, bytes: note, memorySize: note.length };

describe("PVH", () => {
  it("enters the note's address with the start information", () => {
    const ram = testRam(16);
    const modules = [{ name: "initrd", bytes: Uint8Array.of(7, 8) }];
    const request = { kernel: elfFile(64, 0, [code, notes]), modules, commandLine: "quiet", rsdp: 0xe_0000 };
    const state = loadKernel(ram, request, guestMemoryMap(ram));
    expect(state).toMatchObject({ rip: 0x10_0040, cr0: 0x11, registers: { rbx: 0x7000 } });
    expect(ram.u32(0x7000)).toBe(0x336e_c578);
    expect(ram.u32(0x700c)).toBe(1);
    const list = Number(ram.u64(0x7010));
    expect(ram.u8(Number(ram.u64(list)))).toBe(7);
    expect(ram.u64(list + 8)).toBe(2n);
    expect(stringAt(ram, Number(ram.u64(0x7018)))).toBe("quiet");
    expect(ram.u64(0x7020)).toBe(0xe_0000n);
    const map = Number(ram.u64(0x7028));
    expect(ram.u32(0x7030)).toBe(4);
    expect(ram.u64(map + 3 * 24)).toBe(0x10_0000n);
    expect(ram.u32(map + 3 * 24 + 16)).toBe(1);
  });

  it("refuses an ELF file without note", () => {
    const ram = testRam(16);
    const request = { kernel: elfFile(64, 0, [code]), modules: [], commandLine: "", rsdp: 0 };
    expect(() => loadKernel(ram, request, guestMemoryMap(ram))).toThrow(/neither a PVH note nor a Multiboot header/);
  });
});
