// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type CpuidContext, cpuidLeaf } from "./cpuid.js";

const context: CpuidContext = {
  apicId: 2,
  cpuCount: 3,
  apicEnabled: true,
  cr4: 0n,
  xcr0: 1n,
  time: { frequency: 2.5e9, apicTimerFrequency: 1e9 },
};

function text(...words: readonly number[]): string {
  return words
    .flatMap((word) => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24])
    .map((code) => String.fromCharCode(code))
    .join("");
}

describe("CPUID", () => {
  it("names vendor, brand and hypervisor", () => {
    const [, b, c, d] = cpuidLeaf(0, 0, context);
    expect(text(b, d, c)).toBe("GenuineIntel");
    const brand = [0x8000_0002, 0x8000_0003, 0x8000_0004].flatMap((leaf) => [...cpuidLeaf(leaf, 0, context)]);
    expect(text(...brand).replace(/\0+$/, "")).toBe("Isola Virtual CPU");
    const [max, hb, hc, hd] = cpuidLeaf(0x4000_0000, 0, context);
    expect([max, text(hb, hc, hd)]).toEqual([0x4000_0000, "ISOLAISOLA  "]);
  });

  it("has what x86-64-v3 demands, and neither MONITOR nor AVX-512", () => {
    const [, , ecx, edx] = cpuidLeaf(1, 0, context);
    for (const bit of [0, 9, 12, 13, 19, 20, 22, 23, 26, 28, 29]) expect((ecx >>> bit) & 1).toBe(1);
    for (const bit of [3, 27]) expect((ecx >>> bit) & 1).toBe(0);
    for (const bit of [0, 8, 15, 23, 24, 25, 26]) expect((edx >>> bit) & 1).toBe(1);
    const [, ebx] = cpuidLeaf(7, 0, context);
    for (const bit of [3, 5, 8]) expect((ebx >>> bit) & 1).toBe(1);
    expect((ebx >>> 16) & 1).toBe(0);
    for (const bit of [0, 5]) expect((cpuidLeaf(0x8000_0001, 0, context)[2] >>> bit) & 1).toBe(1);
  });

  it("shows CR4.OSXSAVE in leaf 1", () => {
    expect((cpuidLeaf(1, 0, { ...context, cr4: 1n << 18n })[2] >>> 27) & 1).toBe(1);
  });

  it("describes the XSAVE area for what XCR0 enables", () => {
    expect(cpuidLeaf(0xd, 0, context)).toEqual([7, 576, 832, 0]);
    expect(cpuidLeaf(0xd, 0, { ...context, xcr0: 7n })).toEqual([7, 832, 832, 0]);
    expect(cpuidLeaf(0xd, 1, { ...context, xcr0: 3n })).toEqual([7, 576, 0, 0]);
    expect(cpuidLeaf(0xd, 2, context)).toEqual([256, 576, 0, 0]);
    expect(cpuidLeaf(0xd, 3, context)).toEqual([0, 0, 0, 0]);
  });

  it("hides the APIC while it is switched off", () => {
    expect(cpuidLeaf(1, 0, context)[3] & (1 << 9)).not.toBe(0);
    expect(cpuidLeaf(1, 0, { ...context, apicEnabled: false })[3] & (1 << 9)).toBe(0);
  });

  it("describes the topology: one thread a core, APIC id in leaf 0xB", () => {
    expect(cpuidLeaf(0xb, 0, context)).toEqual([0, 1, 0x100, 2]);
    expect(cpuidLeaf(0xb, 1, context)).toEqual([2, 3, 0x201, 2]);
    expect(cpuidLeaf(0xb, 2, context)).toEqual([0, 0, 2, 2]);
    expect((cpuidLeaf(1, 0, context)[1] >>> 16) & 0xff).toBe(4);
  });

  it("gives the frequency of the TSC as a ratio to the APIC timer's clock", () => {
    const [denominator, numerator, crystal] = cpuidLeaf(0x15, 0, context);
    expect((crystal * numerator) / denominator).toBe(2.5e9);
    expect(crystal).toBe(1e9);
  });

  it("answers leaves that do not exist like the highest basic one", () => {
    expect(cpuidLeaf(0x17, 0, context)).toEqual(cpuidLeaf(0x16, 0, context));
    expect(cpuidLeaf(0x8000_0009, 0, context)).toEqual(cpuidLeaf(0x16, 0, context));
    expect(cpuidLeaf(0xa, 0, context)).toEqual([0, 0, 0, 0]);
  });

  it("returns unsigned words for every leaf", () => {
    for (let leaf = 0; leaf < 0x20; leaf++)
      for (let subleaf = 0; subleaf < 4; subleaf++)
        for (const word of cpuidLeaf(leaf, subleaf, context)) expect(word).toBe(word >>> 0);
  });
});
