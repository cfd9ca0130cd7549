// SPDX-License-Identifier: Apache-2.0
import { CODE_COUNTERS, CPU_STRIDE, HOT_QUEUE, VCPU_COUNTERS } from "@isola/engine";
import { describe, expect, it } from "vitest";
import { BareMachine, CODE, HANDLERS } from "../cpu/bare-machine.fixture.js";
import { cpu } from "../cpu-layout.js";
import { codeCounterLayout, cpuCounterLayout } from "./counter-layout.js";

describe("counters in linear memory", () => {
  it("have room between the records of two vCPUs, and behind the last one", () => {
    expect(cpu.size).toBeLessThanOrEqual(VCPU_COUNTERS);
    expect(VCPU_COUNTERS + cpuCounterLayout.size).toBeLessThanOrEqual(CPU_STRIDE);
    expect(CODE_COUNTERS + codeCounterLayout.size).toBeLessThanOrEqual(HOT_QUEUE);
  });
});

describe("the counters of a vCPU", () => {
  it("begin with zero and count what the guest does, by label where there are labels", () => {
    const machine = new BareMachine();
    expect(machine.cpu.statistics.read()).toMatchObject({ instructions: 0, exits: {}, exceptions: {}, pageWalks: 0 });
    // ud2; the handler skips it.
    machine.load(CODE, "0f0b 0f0b");
    machine.engine.ram.write(HANDLERS + 6 * 8, Uint8Array.of(0x48, 0x83, 0x04, 0x24, 2, 0x48, 0xcf));
    machine.waiting.push(0x55);
    machine.run();
    const counts = machine.cpu.statistics.read();
    expect(counts.exceptions).toEqual({ "#UD": 2 });
    expect(counts.traps).toEqual({ hlt: 1 });
    expect(counts.exits).toMatchObject({ trap: 1, decode: counts.blocksDecoded });
    expect(counts.slices).toBe(1);
    expect(counts.pageWalks).toBeGreaterThan(0);
  });

  it("tell interrupts from exceptions, and INT n from both", () => {
    const machine = new BareMachine();
    // sti; nop; int 0x80
    machine.load(CODE, "fb 90 cd80");
    machine.waiting.push(0x55);
    machine.cpu.notify();
    machine.run();
    const { interrupts, softwareInterrupts, exceptions } = machine.cpu.statistics.read();
    expect({ interrupts, softwareInterrupts, exceptions }).toEqual({
      interrupts: { "0x55": 1 },
      softwareInterrupts: { "0x80": 1 },
      exceptions: {},
    });
  });
});
