// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";
import { LinearMemory } from "./linear-memory.js";
import { sampleCpu } from "./sample.js";

let machine: BareMachine;
let memory: LinearMemory;
beforeEach(() => {
  machine = new BareMachine();
  memory = new LinearMemory(machine.cpu);
});

describe("LinearMemory", () => {
  it("follows 4 KiB and 2 MiB pages of four-level paging", () => {
    machine.map(MAPPED + 0x3000, 0x12_5000);
    expect(memory.translate(BigInt(MAPPED + 0x3abc))).toBe(0x12_5abc);
    expect(memory.translate(0x41_2345n)).toBe(0x41_2345);
    expect(memory.translate(BigInt(MAPPED + 0x4000))).toBe(-1);
    expect(memory.translate(0xffff_8000_0000_0000n)).toBe(-1);
  });

  it("keeps translations until it is refreshed", () => {
    machine.map(MAPPED, 0x12_5000);
    expect(memory.translate(BigInt(MAPPED))).toBe(0x12_5000);
    machine.map(MAPPED, 0x12_6000);
    expect(memory.translate(BigInt(MAPPED))).toBe(0x12_5000);
    memory.refresh();
    expect(memory.translate(BigInt(MAPPED))).toBe(0x12_6000);
  });

  it("agrees with the engine's own walk, and leaves no trace in the tables", () => {
    machine.map(MAPPED, 0x12_5000);
    const entry = machine.engine.ram.u64(0x4000);
    memory.translate(BigInt(MAPPED));
    expect(machine.engine.ram.u64(0x4000)).toBe(entry);
    expect(machine.engine.helpers.translateCode(machine.cpu.record, BigInt(MAPPED))).toBe(0x12_5000);
  });

  it("follows 32-bit paging with 4 KiB and 4 MiB pages", () => {
    const { ram } = machine.engine;
    const { state } = machine.cpu;
    state.set64("efer", 0n);
    state.set64("cr4", 0x10n);
    state.set64("cr3", 0x2_0000n);
    ram.setU32(0x2_0000 + 0x300 * 4, 0x2_1001);
    ram.setU32(0x2_1000 + 5 * 4, 0xabc_d001);
    ram.setU32(0x2_0000 + 0x301 * 4, 0x0180_0081);
    expect(memory.translate(0xc000_5123n)).toBe(0xabc_d123);
    expect(memory.translate(0xc050_0042n)).toBe(0x0190_0042);
    expect(memory.translate(0xc000_6000n)).toBe(-1);
    state.set64("cr0", 1n);
    memory.refresh();
    expect(memory.translate(0xc000_6000n)).toBe(0xc000_6000);
  });

  it("follows PAE paging", () => {
    const { ram } = machine.engine;
    const { state } = machine.cpu;
    state.set64("efer", 0n);
    state.set64("cr4", 0x20n);
    state.set64("pdpte", 0x2_0001n, 3);
    ram.setU64(0x2_0000, 0x2_1001n);
    ram.setU64(0x2_1000, 0x34_5001n);
    ram.setU64(0x2_0008, 0x60_0081n);
    expect(memory.translate(0xc000_0777n)).toBe(0x34_5777);
    expect(memory.translate(0xc021_2345n)).toBe(0x61_2345);
    expect(memory.translate(0x4000_0000n)).toBe(-1);
  });

  it("ends on tables that lie outside RAM or point at themselves", () => {
    machine.cpu.state.set64("cr3", 0xff_ffff_f000n);
    expect(memory.translate(0n)).toBe(-1);
    machine.engine.ram.setU64(0x2_0000, 0x2_0001n);
    machine.cpu.state.set64("cr3", 0x2_0000n);
    memory.refresh();
    expect(memory.translate(0n)).toBe(0x2_0000);
  });
});

describe("sampleCpu", () => {
  it("says where a vCPU is, and in which mode", () => {
    machine.load(CODE, "90");
    machine.run();
    machine.set(5, 0x1234);
    const { rip, bits, user, rbp, time } = sampleCpu(machine.cpu, 7);
    expect({ rip, bits, user, rbp, time }).toEqual({
      rip: BigInt(CODE + 2),
      bits: 64,
      user: false,
      rbp: 0x1234n,
      time: 7,
    });
  });
});
