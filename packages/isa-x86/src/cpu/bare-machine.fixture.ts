// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { Bus } from "@isola/memory";
import type { WasmHost, WasmMemory, WasmModule, WasmTable } from "@isola/ports";
import type { KeptTranslationsOptions } from "../compiler/kept/kept-translations.js";
import { testTranslation } from "../compiler/policy.fixture.js";
import type { Translation, TranslationPolicy } from "../compiler/policy.js";
import type { Form } from "../table/form.js";
import { X86Engine } from "./engine.js";
import type { VmExit } from "./vm-exit.js";
import { type TrapHandler, TrapResult, X86Cpu } from "./x86-cpu.js";

const wasm: WasmHost = {
  compile: (bytes) => new WebAssembly.Module(bytes as BufferSource) as unknown as WasmModule,
  compileInBackground: (bytes) => WebAssembly.compile(bytes as BufferSource) as unknown as Promise<WasmModule>,
  instantiate: (module, imports) =>
    new WebAssembly.Instance(module as unknown as WebAssembly.Module, imports as WebAssembly.Imports).exports,
  createMemory: (initial, maximum, shared) =>
    new WebAssembly.Memory({ initial, maximum, shared }) as unknown as WasmMemory,
  createTable: (length) => new WebAssembly.Table({ initial: length, element: "anyfunc" }) as unknown as WasmTable,
};

const built = (name: string): Uint8Array => readFileSync(new URL(`../../../../build/${name}`, import.meta.url));

const PML4 = 0x1000;
const PDPT = 0x2000;
const DIRECTORY = 0x3000;
/** Page table for linear 0x200000-0x3fffff, whose pages can be mapped one by one. */
const TABLE = 0x4000;
const IDT = 0x5000;
const GDT = 0x6000;
const STACK = 0x9000;
/** Interrupt handlers: eight bytes each, from vector 0. */
export const HANDLERS = 0xa000;
export const MAPPED = 0x20_0000;
export const CODE = 0x1_0000;
const KERNEL_CODE = 8;
const PRESENT_WRITABLE = 3n;
const LARGE = 0x80n;
const HLT = 0xf4;

export interface BareMachineOptions {
  readonly translation?: Translation | TranslationPolicy;
  /** Parts of the host's WebAssembly to be replaced. */
  readonly host?: Partial<WasmHost>;
  readonly estimateTicks?: boolean;
  readonly keptTranslations?: KeptTranslationsOptions;
  /** Bytes of memory beside RAM. */
  readonly extraMemory?: number;
}

/**
 * A vCPU in 64-bit mode at privilege level 0, with paging: everything but the 2 MiB at MAPPED is identity-mapped. HLT
 * ends a run. Interrupt handlers are one IRETQ until a test writes others.
 */
export class BareMachine {
  readonly engine: X86Engine;
  readonly cpu: X86Cpu;
  /** Vectors that wait to be delivered, in order. */
  readonly waiting: number[] = [];
  /** The machine's time-stamp counter, and what reads it. */
  ticks = 1_000_000;
  clock: () => number = () => this.ticks;

  /** What is behind physical addresses that are not RAM. */
  readonly mmio = new Bus("mmio");

  /** @param traps emulates trapped instructions; without it all but HLT are errors of the test */
  constructor(
    ramSize = 16 << 20,
    private readonly traps: TrapHandler | null = null,
    {
      translation = testTranslation(),
      host = {},
      estimateTicks = false,
      extraMemory = 0,
      keptTranslations,
    }: BareMachineOptions = {},
  ) {
    this.engine = new X86Engine({
      wasm: { ...wasm, ...host },
      modules: { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") },
      ramSize,
      extraMemory,
      cpuCount: 1,
      translation,
      mmio: this.mmio,
      ticks: () => this.clock(),
      estimateTicks,
      ...(keptTranslations === undefined ? {} : { keptTranslations }),
    });
    const interrupts = {
      pending: () => this.waiting.length > 0,
      acknowledge: () => this.waiting.shift() ?? -1,
      takeNmi: () => false,
    };
    this.cpu = new X86Cpu(this.engine, 0, interrupts, { trap: (_cpu, form, record) => this.trap(form, record) });
    this.buildTables(ramSize);
    const { state, record } = this.cpu;
    state.set64("cr0", 0x8000_0033n);
    state.set64("cr3", BigInt(PML4));
    state.set64("cr4", 0x620n);
    state.set64("efer", 0xd01n);
    state.set("eflags", 2);
    for (const name of ["es", "cs", "ss", "ds", "fs", "gs"] as const) {
      state.set64(`${name}Base`, 0n);
      state.set(`${name}Limit`, 0xffff_ffff);
      state.set(`${name}Attr`, name === "cs" ? 0xa09b : 0xc093);
      state.set(`${name}Sel`, name === "cs" ? KERNEL_CODE : 16);
    }
    state.set64("gdtrBase", BigInt(GDT));
    state.set("gdtrLimit", 0x17);
    state.set64("idtrBase", BigInt(IDT));
    state.set("idtrLimit", 0xfff);
    state.set64("gpr", BigInt(STACK), 4);
    this.engine.helpers.updateMode(record);
    this.engine.helpers.flushTlb(record);
  }

  /** Maps the page of MAPPED that holds `linear` to `physical`. */
  map(linear: number, physical: number): void {
    this.engine.ram.setU64(TABLE + ((linear - MAPPED) >> 12) * 8, BigInt(physical) | PRESENT_WRITABLE);
    this.engine.helpers.invalidatePage(this.cpu.record, BigInt(linear));
  }

  /** Writes machine code as a device would, with a HLT behind it. */
  load(address: number, hex: string): void {
    this.engine.ram.write(address, Uint8Array.from([...bytesOf(hex), HLT]));
  }

  /** Writes the handler of an interrupt; up to eight bytes. */
  handler(vector: number, hex: string): void {
    this.engine.ram.write(HANDLERS + vector * 8, bytesOf(hex));
  }

  /** Runs from `rip` until HLT. Returns the number of instructions that retired. */
  run(rip: number = CODE, budget = 100_000_000): number {
    const { state } = this.cpu;
    state.set64("rip", BigInt(rip));
    state.set("halted", 0);
    const exit: VmExit = this.cpu.run(budget);
    if (exit.kind !== "halt") throw new Error(`ended with ${exit.kind} at ${state.get64("rip").toString(16)}`);
    return budget - this.cpu.budgetLeft;
  }

  get(register: number): bigint {
    return this.cpu.state.get64("gpr", register);
  }

  set(register: number, value: bigint | number): void {
    this.cpu.state.set64("gpr", BigInt(value), register);
  }

  private trap(form: Form, record: number): TrapResult {
    if (this.traps !== null) return this.traps.trap(this.cpu, form, record);
    if (form.opcode.name === "hlt") return TrapResult.Halt;
    throw new Error(`${form.opcode.name} trapped`);
  }

  private buildTables(ramSize: number): void {
    const { ram } = this.engine;
    ram.setU64(PML4, BigInt(PDPT) | PRESENT_WRITABLE);
    ram.setU64(PDPT, BigInt(DIRECTORY) | PRESENT_WRITABLE);
    for (let i = 0; i < Math.min(ramSize >>> 21, 512); i++)
      ram.setU64(DIRECTORY + i * 8, (BigInt(i) << 21n) | LARGE | PRESENT_WRITABLE);
    ram.setU64(DIRECTORY + 8, BigInt(TABLE) | PRESENT_WRITABLE);
    ram.setU64(GDT + KERNEL_CODE, 0x00af_9b00_0000_ffffn);
    ram.setU64(GDT + 16, 0x00cf_9300_0000_ffffn);
    for (let vector = 0; vector < 256; vector++) {
      const target = HANDLERS + vector * 8;
      ram.setU64(
        IDT + vector * 16,
        BigInt(target & 0xffff) | (BigInt(KERNEL_CODE) << 16n) | (0x8e00n << 32n) | (BigInt(target >> 16) << 48n),
      );
      this.handler(vector, "48cf");
    }
  }
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from((hex.replaceAll(" ", "").match(/../g) ?? []).map((byte) => parseInt(byte, 16)));
}
