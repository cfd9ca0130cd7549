// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bzImage, stringAt, testRam } from "../boot-file.fixture.js";
import type { BootFile } from "../boot-image.js";
import { loadKernel } from "../load-kernel.js";
import { guestMemoryMap } from "../memory-map.js";

function boot(kernel: BootFile, options: { mib?: number; initrd?: BootFile; commandLine?: string } = {}) {
  const ram = testRam(options.mib ?? 64);
  const { initrd, commandLine = "console=ttyS0" } = options;
  const modules = initrd === undefined ? [] : [initrd];
  const state = loadKernel(ram, { kernel, modules, commandLine, rsdp: 0xe_0000 }, guestMemoryMap(ram));
  return { ram, state };
}

describe("Linux boot protocol", () => {
  it("enters a 64-bit kernel with an identity map of 4 GiB", () => {
    const { ram, state } = boot(bzImage());
    expect(state.rip).toBe(0x10_0200);
    expect(state.registers.rsi).toBe(0x7000);
    expect(state.cr0).toBe(0x8000_0031);
    expect(state.cr4).toBe(0x20);
    expect(state.efer).toBe(0x500);
    expect(state.cs).toEqual({ selector: 0x10, base: 0, limit: 0xffff_ffff, attributes: 0xa09b });
    expect(ram.u8(0x10_0000)).toBe(0x90);
    expect(ram.u64(state.gdtr.base + 0x10)).toBe(0x00af_9b00_0000_ffffn);
    expect(ram.u64(state.gdtr.base + 0x18)).toBe(0x00cf_9300_0000_ffffn);
    const pdpt = Number(ram.u64(state.cr3) & ~0xfffn);
    const lastDirectory = Number(ram.u64(pdpt + 3 * 8) & ~0xfffn);
    expect(ram.u64(lastDirectory + 511 * 8)).toBe(0xffe0_0083n);
    expect(ram.u64(pdpt + 4 * 8)).toBe(0n);
  });

  it("enters a kernel without 64-bit entry in flat 32-bit mode", () => {
    const { state } = boot(bzImage([[0x236, 2, 0]]));
    expect(state).toMatchObject({ rip: 0x10_0000, cr0: 0x11, cr3: 0, efer: 0 });
    expect(state.cs.attributes).toBe(0xc09b);
  });

  it("fills in the zero page", () => {
    const initrd = { name: "initrd", bytes: Uint8Array.from({ length: 5000 }, (_, i) => i) };
    const { ram } = boot(bzImage(), { initrd, commandLine: "ro quiet ü" });
    const zero = 0x7000;
    expect(ram.u32(zero + 0x202)).toBe(0x5372_6448);
    expect(ram.u8(zero + 0x210)).toBe(0xff);
    expect(stringAt(ram, ram.u32(zero + 0x228))).toBe("ro quiet \u00c3\u00bc");
    const start = ram.u32(zero + 0x218);
    expect(start % 4096).toBe(0);
    expect(start + 5000).toBeLessThanOrEqual(64 * 0x10_0000);
    expect(ram.u32(zero + 0x21c)).toBe(5000);
    expect(ram.u8(start + 4999)).toBe(4999 % 256);
    expect(ram.u64(zero + 0x70)).toBe(0xe_0000n);
    expect(ram.u8(zero + 0x1e8)).toBe(4);
    expect(ram.u64(zero + 0x2d0 + 3 * 20)).toBe(0x10_0000n);
    expect(ram.u64(zero + 0x2d0 + 3 * 20 + 8)).toBe(63n * 0x10_0000n);
    expect(ram.u32(zero + 0x2d0 + 3 * 20 + 16)).toBe(1);
  });

  it("keeps the initial RAM disk below the kernel's limit", () => {
    const initrd = { name: "initrd", bytes: new Uint8Array(4096) };
    const { ram } = boot(bzImage([[0x22c, 4, 0x1ff_ffff]]), { initrd });
    expect(ram.u32(0x7218)).toBe(0x1ff_f000);
  });

  it.each([
    [
      "kernel-truncated",
      { ...bzImage(), bytes: bzImage().bytes.subarray(0, 4000) },
      {},
      /vmlinuz is truncated: the kernel ends at byte 6656/,
    ],
    ["kernel-truncated", bzImage([[0x24c, 4, 1 << 20]]), {}, /compressed kernel ends at byte/],
    ["kernel-truncated", { ...bzImage(), bytes: bzImage().bytes.subarray(0, 0x210) }, {}, /its header/],
    ["kernel-not-bootable", bzImage([[0x206, 2, 0x0201]]), {}, /before 2\.02/],
    ["kernel-not-bootable", bzImage([[0x211, 1, 0]]), {}, /zImage/],
    ["kernel-not-bootable", bzImage(), { commandLine: "x".repeat(2048) }, /at most 2047 bytes/],
    ["memory-too-small", bzImage(), { mib: 16 }, /at least 24 MiB/],
    ["memory-too-small", bzImage(), { mib: 25, initrd: { name: "i", bytes: new Uint8Array(2 << 20) } }, /27 MiB/],
    ["bad-initrd", bzImage(), { initrd: { name: "initrd", bytes: new Uint8Array(0) } }, /initrd is empty/],
  ] as const)("refuses with %s", (code, kernel, options, message) => {
    expect(() => boot(kernel, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe("files that are no kernel", () => {
  it.each([
    ["empty", [], /is empty/],
    ["gzip", [0x1f, 0x8b, 8], /gzip-compressed/],
    ["cpio", [...new TextEncoder().encode("070701")], /initial RAM disk/],
    ["noise", [1, 2, 3, 4, 5], /not a kernel that can be booted/],
  ] as const)("says what is wrong with %s", (name, bytes, message) => {
    expect(() => boot({ name, bytes: Uint8Array.from(bytes) })).toThrow(message);
  });
});
