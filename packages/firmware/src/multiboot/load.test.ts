// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { elfFile, fileOf, stringAt, testRam } from "../boot-file.fixture.js";
import type { BootFile } from "../boot-image.js";
import { loadKernel } from "../load-kernel.js";
import { guestMemoryMap } from "../memory-map.js";

function headerBytes(flags: number, ...rest: number[]): Uint8Array {
  const words = [0x1bad_b002, flags, -(0x1bad_b002 + flags), ...rest];
  return new Uint8Array(Uint32Array.from(words).buffer);
}

function boot(kernel: BootFile, modules: BootFile[] = [], mib = 16) {
  const ram = testRam(mib);
  const state = loadKernel(ram, { kernel, modules, commandLine: "-v 2", rsdp: 0 }, guestMemoryMap(ram));
  return { ram, state };
}

const elf = (flags = 3, physicalAddress = 0x20_0000, entry = 0xc020_0004) =>
  elfFile(32, entry, [
    { type: 1, virtualAddress: 0xc020_0000, physicalAddress, bytes: headerBytes(flags), memorySize: 0x1_8000 },
  ]);

describe("Multiboot 1", () => {
  it("loads an ELF kernel, zeroes .bss and translates the entry point", () => {
    const ram = testRam(16);
    ram.setU32(0x21_7ffc, 0xdead_beef);
    const request = { kernel: elf(), modules: [], commandLine: "", rsdp: 0 };
    const state = loadKernel(ram, request, guestMemoryMap(ram));
    expect(state).toMatchObject({ rip: 0x20_0004, cr0: 0x11, rflags: 2 });
    expect(state.registers).toEqual({ rax: 0x2bad_b002, rbx: 0x7000 });
    expect(ram.u32(0x20_0000)).toBe(0x1bad_b002);
    expect(ram.u32(0x21_7ffc)).toBe(0);
  });

  it("describes memory, modules and command line", () => {
    const modules = [
      { name: "one.bin arg", bytes: Uint8Array.of(1, 2, 3) },
      { name: "two.bin", bytes: Uint8Array.of(4) },
    ];
    const { ram } = boot(elf(), modules);
    const info = 0x7000;
    expect(ram.u32(info)).toBe(0b10_0100_1101);
    expect(ram.u32(info + 4)).toBe(639);
    expect(ram.u32(info + 8)).toBe(15 * 1024);
    expect(stringAt(ram, ram.u32(info + 16))).toBe("test.elf -v 2");
    expect(ram.u32(info + 20)).toBe(2);
    const list = ram.u32(info + 24);
    expect(ram.u32(list)).toBe(0x21_8000);
    expect(ram.u32(list + 4)).toBe(0x21_8003);
    expect(stringAt(ram, ram.u32(list + 8))).toBe("one.bin arg");
    expect(ram.u32(list + 16)).toBe(0x21_9000);
    expect(ram.u8(0x21_9000)).toBe(4);
    const map = ram.u32(info + 48);
    expect(ram.u32(info + 44)).toBe(4 * 24);
    expect(ram.u32(map)).toBe(20);
    expect(ram.u64(map + 3 * 24 + 4)).toBe(0x10_0000n);
  });

  it("loads an image by the addresses in its header", () => {
    const kernel = fileOf("kernel.bin", 0x300, []);
    kernel.bytes.set(headerBytes(0x1_0000, 0x10_0010, 0x10_0000, 0, 0x10_1000, 0x10_0020), 0x50);
    kernel.bytes[0x40] = 0xaa;
    const { ram, state } = boot(kernel);
    expect(state.rip).toBe(0x10_0020);
    expect(ram.u8(0x10_0000)).toBe(0xaa);
    expect(ram.u32(0x10_0010)).toBe(0x1bad_b002);
  });

  it.each([
    ["an unknown requirement", elf(0x8), /unknown Multiboot features \(0x8\)/],
    ["a low load address", elf(3, 0x1000), /link it at 1 MiB/],
    ["no room", elf(3, 0x100_0000), /at least 17 MiB/],
    ["a load address outside RAM", elf(3, 0xfee0_0000), /not RAM/],
    [
      "an ARM kernel",
      elfFile(32, 0, [{ type: 1, virtualAddress: 0, physicalAddress: 0, bytes: headerBytes(3), memorySize: 9 }], 40),
      /another processor/,
    ],
    [
      "a header outside its image",
      { name: "k", bytes: headerBytes(0x1_0000, 0x10_0100, 0x10_0000, 0, 0, 0) },
      /outside its own image/,
    ],
    [
      "a truncated image",
      { name: "k", bytes: headerBytes(0x1_0000, 0x10_0000, 0x10_0000, 0x10_2000, 0, 0) },
      /truncated/,
    ],
    ["a plain file", { name: "k", bytes: headerBytes(0) }, /no ELF file/],
  ])("refuses %s", (_what, kernel, message) => {
    expect(() => boot(kernel)).toThrow(message);
  });

  it("ignores a magic number without its checksum, and a truncated ELF file says so", () => {
    expect(() => boot({ name: "k", bytes: Uint8Array.of(2, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0, 0, 0, 0) })).toThrow(
      /not a kernel/,
    );
    const whole = elf();
    expect(() => boot({ name: "cut.elf", bytes: whole.bytes.subarray(0, 90) })).toThrow(/not|truncated/);
  });
});
