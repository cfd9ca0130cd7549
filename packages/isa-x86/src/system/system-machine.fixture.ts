// SPDX-License-Identifier: Apache-2.0
import { BareMachine, CODE, HANDLERS } from "../cpu/bare-machine.fixture.js";
import type { SystemPorts } from "./ports.js";
import { SystemInstructions } from "./system-instructions.js";

const HLT = "f4";
export const APIC_BASE_MSR = 0x1b;

/** A bare machine whose system instructions work, with ports that tests can look at. */
export class SystemMachine extends BareMachine {
  readonly apic: { taskPriority: number };
  /** Port writes as [port, size, value]. */
  readonly written: [number, number, number][];
  /** What port reads return, in order; then all ones. */
  readonly input: number[];

  constructor() {
    const apic = { taskPriority: 0 };
    const written: [number, number, number][] = [];
    const input: number[] = [];
    const ports: SystemPorts = {
      io: {
        read: () => input.shift() ?? 0xffff_ffff,
        write: (port, size, value) => void written.push([port, size, value]),
      },
      apicRegisters: {
        high: 0,
        readMsr: (msr) => (msr === APIC_BASE_MSR ? 0xfee0_0900 : -1),
        writeMsr: () => false,
      },
      apic,
      time: { frequency: 2e9, apicTimerFrequency: 1e9 },
      entropy: { fill: (bytes) => void bytes.fill(0xa5) },
      cpuCount: 3,
    };
    super(16 << 20, new SystemInstructions(ports));
    this.apic = apic;
    this.written = written;
    this.input = input;
    for (let vector = 0; vector < 32; vector++) this.handler(vector, HLT);
  }

  /** Runs `hex`; the vector of the exception that ended it, or -1. */
  execute(hex: string): number {
    const { state } = this.cpu;
    state.set64("gpr", 0x9000n, 4);
    this.load(CODE, hex);
    this.run();
    const rip = Number(state.get64("rip"));
    return rip > HANDLERS && rip <= HANDLERS + 32 * 8 ? (rip - 1 - HANDLERS) / 8 : -1;
  }

  /** Like {@link execute}, in ring 3 (the pages are made accessible, and a TSS stack is set up). */
  executeInRing3(hex: string): number {
    const { state } = this.cpu;
    const { ram, helpers } = this.engine;
    for (const table of [0x1000, 0x2000, 0x3000]) {
      for (let i = 0; i < 8; i++) {
        const entry = ram.u64(table + i * 8);
        if (entry !== 0n) ram.setU64(table + i * 8, entry | 4n);
      }
    }
    state.set64("trBase", 0x7000n);
    state.set("trLimit", 0x67);
    state.set("trAttr", 0x8b);
    ram.setU64(0x7004, 0x8800n);
    state.set("csAttr", 0xa0fb);
    state.set("csSel", 0x1b);
    state.set("ssAttr", 0xc0f3);
    state.set("ssSel", 0x23);
    state.set("cpl", 3);
    helpers.updateMode(this.cpu.record);
    helpers.flushTlb(this.cpu.record);
    return this.execute(hex);
  }

  /** The error code that the last exception pushed. */
  get errorCode(): number {
    return Number(this.engine.ram.u64(Number(this.get(4))));
  }
}
