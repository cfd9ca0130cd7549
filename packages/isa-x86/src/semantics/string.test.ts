// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, it } from "vitest";
import { ProgramRunner } from "./program.fixture.js";

const REP_MOVSB = "f3 a4";
const SOURCE = 0x10_0000;
const TARGET = 0x20_0000;

function fillWithPattern(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
}

describe("string instructions in flat 32-bit code", () => {
  let cpu: ProgramRunner;
  beforeAll(() => {
    cpu = new ProgramRunner("flat32");
  });

  it("copies across pages and lets interrupts in between", () => {
    const count = 300_001;
    fillWithPattern(cpu.ram.subarray(SOURCE, SOURCE + count));
    cpu.ram.fill(0, TARGET - 1, TARGET + count + 2);
    const instructions = cpu.run(REP_MOVSB, { esi: SOURCE, edi: TARGET + 1, ecx: count });
    expect(
      Buffer.compare(cpu.ram.subarray(SOURCE, SOURCE + count), cpu.ram.subarray(TARGET + 1, TARGET + 1 + count)),
    ).toBe(0);
    expect([cpu.ram[TARGET], cpu.ram[TARGET + 1 + count]]).toEqual([0, 0]);
    expect([cpu.get("esi"), cpu.get("edi"), cpu.get("ecx")]).toEqual([SOURCE + count, TARGET + 1 + count, 0]);
    // At most 64 KiB at a time, then HLT.
    expect(instructions).toBeGreaterThanOrEqual(6);
  });

  it.each([1, 2, 3, 4, 7, 4095, 4097])("repeats a pattern when the target is %d bytes ahead", (distance) => {
    const count = 10_000;
    fillWithPattern(cpu.ram.subarray(SOURCE, SOURCE + distance));
    cpu.run(REP_MOVSB, { esi: SOURCE, edi: SOURCE + distance, ecx: count });
    for (let i = 0; i < count; i++)
      if (cpu.ram[SOURCE + distance + i] !== cpu.ram[SOURCE + i]) throw new Error(`byte ${i} is wrong`);
  });

  it("moves dwords one by one where they overlap by less than a dword", () => {
    fillWithPattern(cpu.ram.subarray(SOURCE, SOURCE + 64));
    const expected = cpu.ram.slice(SOURCE, SOURCE + 64);
    for (let i = 0; i < 10; i++) expected.copyWithin(2 + 4 * i, 4 * i, 4 * i + 4);
    cpu.run("f3 a5", { esi: SOURCE, edi: SOURCE + 2, ecx: 10 });
    expect(cpu.ram.slice(SOURCE, SOURCE + 64)).toEqual(expected);
  });

  it("copies backwards", () => {
    const count = 5000;
    fillWithPattern(cpu.ram.subarray(SOURCE, SOURCE + count * 4));
    const expected = cpu.ram.slice(SOURCE, SOURCE + count * 4);
    const last = (count - 1) * 4;
    cpu.run("fd f3 a5 fc", { esi: SOURCE + last, edi: SOURCE + last + 12, ecx: count });
    expect(Buffer.compare(cpu.ram.subarray(SOURCE + 12, SOURCE + 12 + count * 4), expected)).toBe(0);
    expect([cpu.get("esi"), cpu.get("edi")]).toEqual([SOURCE - 4, SOURCE + 8]);
  });

  it("fills with a dword", () => {
    cpu.run("f3 ab", { eax: 0x1234_5678, edi: TARGET + 2, ecx: 3000 });
    const view = new DataView(cpu.ram.buffer, cpu.ram.byteOffset);
    for (let i = 0; i < 3000; i++) expect(view.getUint32(TARGET + 2 + i * 4, true)).toBe(0x1234_5678);
    expect(cpu.get("edi")).toBe(TARGET + 2 + 12_000);
  });

  it("scans to the byte that ends a string", () => {
    cpu.ram.fill(0x41, SOURCE, SOURCE + 9000);
    cpu.ram[SOURCE + 9000] = 0;
    cpu.run("f2 ae 0f 94 c2", { eax: 0, edi: SOURCE, ecx: -1, edx: 0 });
    expect([cpu.get("edi"), cpu.get("ecx") >>> 0, cpu.get("edx")]).toEqual([SOURCE + 9001, (-1 - 9001) >>> 0, 1]);
  });

  it("compares up to the first difference", () => {
    cpu.ram.fill(7, SOURCE, SOURCE + 70_000);
    cpu.ram.fill(7, TARGET, TARGET + 70_000);
    cpu.ram[TARGET + 66_000] = 9;
    // SETB DL after REPE CMPSB.
    cpu.run("f3 a6 0f 92 c2", { esi: SOURCE, edi: TARGET, ecx: 70_000, edx: 0 });
    expect([cpu.get("esi"), cpu.get("ecx"), cpu.get("edx")]).toEqual([SOURCE + 66_001, 3999, 1]);
  });

  it("does nothing with a count of zero", () => {
    cpu.run("39 c0 f3 a6 0f 94 c2", { esi: 0xffff_0000, edi: 0xfffe_0000, ecx: 0, edx: 0 });
    expect([cpu.get("esi"), cpu.get("edx")]).toEqual([0xffff_0000, 1]);
  });

  const SIZES = [
    [1, "a4", "aa", "a6", "ae"],
    [2, "66 a5", "66 ab", "66 a7", "66 af"],
    [4, "a5", "ab", "a7", "af"],
  ] as const;

  it.each(SIZES)(
    "moves, fills, compares and scans like a loop over elements of %d bytes",
    (size, movs, stos, cmps, scas) => {
      const element = (at: number): string => Buffer.from(cpu.ram.subarray(at, at + size)).toString("hex");
      for (let round = 0; round < 300; round++) {
        const count = 1 + ((round * 7) % 75);
        const bytes = count * size;
        const from = SOURCE + 100 + (round % 17);

        fillWithPattern(cpu.ram.subarray(SOURCE, SOURCE + 1000));
        const to = from + ((round * 5) % 83) - 41;
        const expected = cpu.ram.slice(SOURCE, SOURCE + 1000);
        for (let at = 0; at < bytes; at += size) {
          expected.copyWithin(to - SOURCE + at, from - SOURCE + at, from - SOURCE + at + size);
        }
        cpu.run(`f3 ${movs}`, { esi: from, edi: to, ecx: count });
        expect(Buffer.compare(cpu.ram.subarray(SOURCE, SOURCE + 1000), expected), `move ${count} to ${to - from}`).toBe(
          0,
        );

        const value = round % 3 === 0 ? 0x5a5a_5a5a : 0x1234_5678 + round;
        const filler = Buffer.alloc(4);
        filler.writeUInt32LE(value);
        for (let at = 0; at < bytes; at++) expected[from - SOURCE + at] = filler[at % size]!;
        cpu.run(`f3 ${stos}`, { eax: value, edi: from, ecx: count });
        expect(Buffer.compare(cpu.ram.subarray(SOURCE, SOURCE + 1000), expected), `fill ${count}`).toBe(0);

        // Equal up to one element, which may be behind the end.
        cpu.ram.copyWithin(TARGET, from, from + bytes);
        const odd = (round * 3) % (count + 10);
        const differs = odd < count;
        if (differs) cpu.ram[TARGET + odd * size + size - 1] ^= 0x80;
        const done = differs ? odd + 1 : count;
        cpu.run(`f3 ${cmps} 0f 95 c2`, { esi: from, edi: TARGET, ecx: count, edx: 0 });
        expect([cpu.get("esi"), cpu.get("edi"), cpu.get("ecx"), cpu.get("edx")]).toEqual([
          from + done * size,
          TARGET + done * size,
          count - done,
          differs ? 1 : 0,
        ]);
        cpu.run(`f3 ${scas} 0f 95 c2`, { eax: value, edi: TARGET, ecx: count, edx: 0 });
        expect([cpu.get("edi"), cpu.get("ecx"), cpu.get("edx")]).toEqual([
          TARGET + done * size,
          count - done,
          differs ? 1 : 0,
        ]);
        // The odd element is the only one of its value.
        const wanted =
          Number.parseInt(
            Buffer.from(element(TARGET + odd * size), "hex")
              .reverse()
              .toString("hex"),
            16,
          ) | 0;
        if (differs) {
          cpu.run(`f2 ${scas} 0f 94 c2`, { eax: wanted, edi: TARGET, ecx: count, edx: 0 });
          expect([cpu.get("edi"), cpu.get("ecx"), cpu.get("edx")]).toEqual([TARGET + done * size, count - done, 1]);
        }
      }
    },
  );

  it("overwrites the code behind it", () => {
    // The four NOPs behind REP STOSB become INC EDX.
    cpu.run("f3 aa 90 90 90 90", { eax: 0x42, edi: 0x1002, ecx: 4, edx: 0 });
    expect(cpu.get("edx")).toBe(4);
  });
});

describe("string instructions in real mode", () => {
  let cpu: ProgramRunner;
  beforeAll(() => {
    cpu = new ProgramRunner("real");
  });

  it("wraps offsets around the segment", () => {
    cpu.ram.fill(0, 0x1_0000, 0x2_0001);
    cpu.run("f3 aa", { eax: 0x55, edi: 0xfff0, ecx: 0x20 });
    expect(Array.from(cpu.ram.subarray(0x1_0000, 0x1_0011))).toEqual([...new Array<number>(16).fill(0x55), 0]);
    expect(cpu.ram.subarray(0x1_fff0, 0x2_0000).every((byte) => byte === 0x55)).toBe(true);
    expect(cpu.ram[0x2_0000]).toBe(0);
    expect([cpu.get("edi"), cpu.get("ecx")]).toEqual([0x10, 0]);
  });

  it("keeps the upper halves of the registers", () => {
    cpu.run("f3 aa", { eax: 0, edi: 0x1234_8000, ecx: 0x5678_0003 });
    expect([cpu.get("edi"), cpu.get("ecx")]).toEqual([0x1234_8003, 0x5678_0000]);
  });

  it("wraps backwards too", () => {
    cpu.run("fd f3 aa fc", { eax: 0x66, edi: 3, ecx: 8 });
    expect(Array.from(cpu.ram.subarray(0x1_0000, 0x1_0005))).toEqual([0x66, 0x66, 0x66, 0x66, 0x55]);
    expect(cpu.ram.subarray(0x1_fffc, 0x2_0000).every((byte) => byte === 0x66)).toBe(true);
    expect(cpu.get("edi")).toBe(0xfffb);
  });
});
