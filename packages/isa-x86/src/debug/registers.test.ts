// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";
import { mappedRanges } from "../inspect/mappings.js";
import { DebugRegisters } from "./registers.js";

let machine: BareMachine;
let registers: DebugRegisters;
beforeEach(() => {
  machine = new BareMachine();
  registers = new DebugRegisters(machine.cpu);
});

const bytes = (value: bigint, size: number) =>
  Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
const read = (name: string) =>
  (registers.read(name) ?? new Uint8Array()).reduceRight((v, b) => (v << 8n) | BigInt(b), 0n);
const write = (name: string, value: bigint, size = 8) => registers.write(name, bytes(value, size));

describe("DebugRegisters", () => {
  it("shows what a program has computed", () => {
    // mov eax,0x80000000; add eax,eax; fninit; fldpi; cvtsi2sd xmm3,eax
    machine.load(CODE, "b800000080 01c0 dbe3 d9eb f20f2ad8");
    machine.run();
    expect(read("eflags") & 0x8d5n).toBe(0x845n);
    expect(read("st0")).toBe(0x4000_c90f_daa2_2168_c235n);
    expect(read("ftag")).toBe(0x3fffn);
    expect(read("fstat")).toBe(0x3800n);
    expect(read("xmm3")).toBe(0n);
    expect(read("rip")).toBe(BigInt(CODE + 16));
  });

  it("changes what a program goes on with", () => {
    // lea rax,[rax+1]; jc +3; inc rbx
    machine.load(CODE, "488d4001 7203 48ffc3");
    expect(write("rax", 0x1234_5678_9abc_deffn)).toBe(true);
    expect(write("eflags", 3n, 4)).toBe(true);
    machine.run();
    expect(machine.get(0)).toBe(0x1234_5678_9abc_df00n);
    expect(machine.get(3)).toBe(0n);
    expect(write("st2", 0x4000_c90f_daa2_2168_c235n, 10)).toBe(true);
    expect(read("st2")).toBe(0x4000_c90f_daa2_2168_c235n);
    expect(write("ymm15h", 99n, 16)).toBe(true);
    expect(read("ymm15h")).toBe(99n);
  });

  it("refuses what a processor would", () => {
    expect(write("cr0", 0x8000_0000n)).toBe(false);
    expect(write("cr4", 0x20n | (1n << 40n))).toBe(false);
    expect(write("efer", 1n << 20n)).toBe(false);
    expect(write("rip", 0x8000_0000_0000_0000n)).toBe(false);
    expect(write("fs_base", 0x8000_0000_0000_0000n)).toBe(false);
    expect(write("cs", 0x10n, 4)).toBe(false);
    expect(write("rax", 1n, 4)).toBe(false);
    expect(registers.read("nothing")).toBeNull();
    expect(machine.cpu.state.get("fault")).toBe(0);
    expect(write("cr0", 0x8000_0033n | (1n << 16n))).toBe(true);
    expect(read("cr0")).toBe(0x8001_0033n);
    machine.load(CODE, "90");
    machine.run();
  });
});

describe("mappedRanges", () => {
  it("joins neighbouring pages of the same rights", () => {
    machine.map(MAPPED + 0x3000, 0x12_5000);
    const rights = { user: false, writable: true, executable: true };
    expect(mappedRanges(machine.cpu, 10)).toEqual([
      { start: 0n, end: 0x20_0000n, ...rights },
      { start: 0x20_3000n, end: 0x20_4000n, ...rights },
      { start: 0x40_0000n, end: 0x100_0000n, ...rights },
    ]);
    machine.cpu.state.set64("cr0", 1n);
    expect(mappedRanges(machine.cpu, 10)).toBeNull();
  });

  it("ends with tables that point at themselves", () => {
    for (let i = 0; i < 512; i++) machine.engine.ram.setU64(0x2_0000 + 8 * i, 0x2_0000n | (BigInt(~i & 1) << 1n) | 1n);
    machine.cpu.state.set64("cr3", 0x2_0000n);
    expect(mappedRanges(machine.cpu, 100)?.length).toBe(100);
    expect(mappedRanges(machine.cpu, 1e9)?.length).toBeLessThan(1 << 20);
  });
});
