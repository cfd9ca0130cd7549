// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import type { Bus } from "@isola/memory";
import type { WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";
import { testTranslation } from "../compiler/policy.fixture.js";
import type { CpuState } from "../cpu/cpu-state.js";
import { X86Engine } from "../cpu/engine.js";
import { TrapResult, X86Cpu } from "../cpu/x86-cpu.js";

const wasm: WasmHost = {
  compile: (bytes) => new WebAssembly.Module(bytes as BufferSource) as unknown as WasmModule,
  compileInBackground: (bytes) => WebAssembly.compile(bytes as BufferSource) as unknown as Promise<WasmModule>,
  instantiate: (module, imports) =>
    new WebAssembly.Instance(module as unknown as WebAssembly.Module, imports as WebAssembly.Imports).exports,
  createMemory: (initial, maximum, shared) =>
    new WebAssembly.Memory({ initial, maximum, shared }) as unknown as WasmMemory,
  createTable: (length) => new WebAssembly.Table({ initial: length, element: "anyfunc" }) as unknown as WasmTable,
};

/** Where code, and nothing else, goes. */
export const CODE = 0x1000;
const RAM_SIZE = 4 << 20;
const HLT = 0xf4;
const BUDGET = 1_000_000;
const NO_INTERRUPTS = { pending: () => false, acknowledge: () => -1, takeNmi: () => false };
const ACCESS = { code32: 0xc09b, data32: 0xc093, code16: 0x009b, data16: 0x0093 } as const;
const SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
export const REGISTERS = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"] as const;
export type Register = (typeof REGISTERS)[number];

function built(name: string): Uint8Array {
  return readFileSync(new URL(`../../../../build/${name}`, import.meta.url));
}

/**
 * Runs a few instructions on a bare vCPU with 4 MiB of RAM: no paging, privilege level 0. `flat32` is 32-bit code in flat
 * segments, `real` is 16-bit code with all segment bases 0x10000.
 */
export class ProgramRunner {
  readonly engine: X86Engine = new X86Engine({
    wasm,
    modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
    ramSize: RAM_SIZE,
    cpuCount: 1,
    translation: testTranslation(),
    mmio: { read: () => 0xff, write: () => undefined } as unknown as Bus,
    ticks: () => 0,
  });
  private readonly cpu: X86Cpu = new X86Cpu(this.engine, 0, NO_INTERRUPTS, { trap: () => TrapResult.Halt });
  readonly state: CpuState = this.cpu.state;

  constructor(mode: "flat32" | "real") {
    const { state, engine } = this;
    const flat = mode === "flat32";
    state.set64("cr0", flat ? 0x11n : 0x10n);
    state.set("eflags", 2);
    for (const [i, name] of SEGMENTS.entries()) {
      const kind = name === "cs" ? "code" : "data";
      state.set64(`${name}Base`, flat ? 0n : 0x1_0000n);
      state.set(`${name}Limit`, flat ? 0xffff_ffff : 0xffff);
      state.set(`${name}Attr`, ACCESS[`${kind}${flat ? "32" : "16"}`]);
      state.set(`${name}Sel`, flat ? (i + 1) * 8 : 0x1000);
    }
    engine.helpers.updateMode(state.base);
  }

  get ram(): Uint8Array {
    return new Uint8Array(this.engine.buffer, this.engine.ram.base, RAM_SIZE);
  }

  /** Runs `hex` at CODE, up to a HLT behind it. Returns how many instructions were begun, HLT included. */
  run(hex: string, registers: Partial<Record<Register, number>> = {}): number {
    const { engine, state } = this;
    const bytes = [...(hex.replaceAll(" ", "").match(/../g) ?? []).map((byte) => parseInt(byte, 16)), HLT];
    engine.ram.write(Number(state.get64("csBase")) + CODE, Uint8Array.from(bytes));
    for (const [name, value] of Object.entries(registers)) this.set(name as Register, value);
    state.set64("rip", BigInt(CODE));
    state.set("halted", 0);
    const { kind } = this.cpu.run(BUDGET);
    if (kind !== "halt") throw new Error(`ended with ${kind}, fault ${state.get("fault") - 1}`);
    return BUDGET - this.cpu.budgetLeft;
  }

  get(register: Register): number {
    return Number(this.state.get64("gpr", REGISTERS.indexOf(register)));
  }

  set(register: Register, value: number): void {
    this.state.set64("gpr", BigInt(value >>> 0), REGISTERS.indexOf(register));
  }
}
