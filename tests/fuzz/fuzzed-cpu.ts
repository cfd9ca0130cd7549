// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import { resetCpu, SystemInstructions, type SystemPorts, type VmExit, X86Cpu, X86Engine } from "@isola/isa-x86";
import { Bus } from "@isola/memory";
import { repositoryRoot } from "../oracle/native-harness.js";
import { RandomNumbers, randomProgram } from "./random-program.js";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";

export type FuzzMode = "real" | "protected" | "long" | "user";
export const FUZZ_MODES: readonly FuzzMode[] = ["real", "protected", "long", "user"];

const RAM_SIZE = 4 << 20;
const PROGRAM = 0x8000;
const PROGRAM_SIZE = 512;
const TABLES = 0x1_0000;
const GDT = 0x2_0000;
const IDT = 0x2_1000;
const TSS = 0x2_2000;
const STACK = 0x2_4000;
const CODE_SELECTOR = 8;
const TSS_SELECTOR = 0x40;
const FLAT_CODE_32 = 0xc09b;
const FLAT_CODE_64 = 0xa09b;
const FLAT_DATA = 0xc093;
const DPL3 = 0x60;

/** A bare vCPU that gets random memory, registers and code. Everything follows from the seed of a run. */
export class FuzzedCpu {
  private readonly engine: X86Engine;
  private readonly cpu: X86Cpu;
  private random = new RandomNumbers(0);
  private readonly image = new Uint8Array(RAM_SIZE);

  constructor() {
    const built = (name: string): Uint8Array => new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
    const modules = { helpers: built("helpers.wasm"), interpreter: built("interpreter.wasm") };
    const mmio = new Bus("memory");
    mmio.map(RAM_SIZE, 0xffff_ffff - RAM_SIZE, {
      read: () => this.random.below(0x1_0000_0000),
      write: () => {},
    });
    this.engine = new X86Engine({ wasm: hostWasm, modules, ramSize: RAM_SIZE, cpuCount: 1, mmio, translation: testTranslation() });
    const interrupts = {
      pending: () => this.random.below(2) === 0,
      acknowledge: () => this.random.below(257) - 1,
      takeNmi: () => this.random.below(64) === 0,
    };
    this.cpu = new X86Cpu(this.engine, 0, interrupts, new SystemInstructions(this.ports()));
  }

  private ports(): SystemPorts {
    return {
      io: { read: () => this.random.below(0x1_0000_0000), write: () => {} },
      apicRegisters: { high: 0, readMsr: () => this.random.below(256), writeMsr: () => this.random.below(2) === 0 },
      apic: { taskPriority: 0 },
      time: { read: () => BigInt(this.random.below(1 << 30)), frequency: 1e9, apicTimerFrequency: 1e9 },
      entropy: { fill: (bytes) => this.random.randomize(bytes) },
      cpuCount: 1,
    };
  }

  /** Runs one random program for about `instructions`, going on after every HLT, until a triple fault at most. */
  run(seed: number, mode: FuzzMode, instructions: number): VmExit {
    this.random = new RandomNumbers(seed);
    this.fillMemory();
    this.enter(mode);
    const { cpu } = this;
    let exit: VmExit = { kind: "budget" };
    for (let left = instructions; left > 0;) {
      cpu.notify();
      exit = cpu.run(Math.min(left, 500));
      left -= Math.max(1, Math.min(left, 500) - cpu.budgetLeft);
      if (exit.kind === "shutdown") break;
      if (exit.kind === "halt") cpu.state.set("halted", 0);
    }
    return exit;
  }

  private fillMemory(): void {
    const pattern = this.image.subarray(0, 0x1_0000);
    this.random.randomize(pattern);
    for (let at = pattern.length; at < RAM_SIZE; at += pattern.length) this.image.copyWithin(at, 0, pattern.length);
    for (let at = 0; at + PROGRAM_SIZE <= 0x1000; at += PROGRAM_SIZE) {
      this.image.set(randomProgram(this.random, PROGRAM_SIZE), PROGRAM + at);
    }
    this.engine.ram.write(0, this.image);
  }

  private enter(mode: FuzzMode): void {
    const { state } = this.cpu;
    resetCpu(state, this.engine.helpers, this.cpu.record, true);
    for (let i = 0; i < 16; i++) state.set64("gpr", BigInt(this.random.below(RAM_SIZE)), i);
    state.set64("rip", BigInt(PROGRAM));
    state.set64("gdtrBase", BigInt(this.random.below(0x1_0000)));
    state.set64("idtrBase", BigInt(this.random.below(0x1_0000)));
    this.segment("cs", 0xffff, 0x9b);
    if (mode !== "real") this.enterProtected(mode);
    if (mode === "long" || mode === "user") this.enterLong();
    // Now and then everything is as random as in real mode, and the first exception is the last.
    if (mode !== "real" && this.random.below(8) !== 0) this.installTables(mode === "protected");
    this.engine.helpers.flushTlb(this.cpu.record);
    this.engine.helpers.updateMode(this.cpu.record);
  }

  private segment(name: "cs" | "ds" | "es" | "ss", limit: number, attr: number): void {
    const { state } = this.cpu;
    state.set64(`${name}Base`, 0n);
    state.set(`${name}Limit`, limit);
    state.set(`${name}Attr`, attr);
  }

  private enterProtected(mode: FuzzMode): void {
    const { state } = this.cpu;
    const user = mode === "user" ? DPL3 : 0;
    const code = mode === "protected" || (mode === "user" && this.random.below(2) === 0) ? FLAT_CODE_32 : FLAT_CODE_64;
    this.segment("cs", 0xffff_ffff, code | user);
    for (const name of ["ds", "es", "ss"] as const) this.segment(name, 0xffff_ffff, FLAT_DATA | user);
    state.set("cpl", mode === "user" ? 3 : 0);
    state.set64("cr0", 0x33n);
    state.set64("cr4", 0x600n);
  }

  /** Descriptor tables that work, with handlers all over the program, so that it goes on after exceptions. */
  private installTables(protectedMode: boolean): void {
    const { ram } = this.engine;
    const { state } = this.cpu;
    const code = BigInt(protectedMode ? FLAT_CODE_32 : FLAT_CODE_64);
    const segments = [0n, code, BigInt(FLAT_DATA), code | 0x60n, BigInt(FLAT_DATA) | 0x60n, 0xc09bn, 0xa09bn, 0xc0f2n];
    for (const [i, attr] of segments.entries()) {
      ram.setU64(GDT + 8 * i, attr === 0n ? 0n : (attr << 40n) | (0xfn << 48n) | 0xffffn);
    }
    ram.setU64(GDT + TSS_SELECTOR, 0x67n | (BigInt(TSS) << 16n) | (0x8bn << 40n));
    ram.setU64(GDT + TSS_SELECTOR + 8, 0n);
    for (let at = 0; at < 104; at += 4) ram.setU32(TSS + at, at % 8 === 4 ? STACK : protectedMode ? 0x10 : 0);
    for (let vector = 0; vector < 256; vector++) {
      const handler = PROGRAM + this.random.below(0x1000);
      const gate = BigInt(handler) | (BigInt(CODE_SELECTOR) << 16n) | ((0x8en | (BigInt(vector & 3) << 5n)) << 40n);
      if (protectedMode) ram.setU64(IDT + 8 * vector, gate);
      else {
        ram.setU64(IDT + 16 * vector, gate | (BigInt(this.random.below(4)) << 32n));
        ram.setU64(IDT + 16 * vector + 8, 0n);
      }
    }
    state.set64("gdtrBase", BigInt(GDT));
    state.set64("idtrBase", BigInt(IDT));
    state.set("trSel", TSS_SELECTOR);
    state.set64("trBase", BigInt(TSS));
    state.set("trLimit", 0x67);
    state.set("trAttr", 0x8b);
    state.set("csSel", CODE_SELECTOR);
    state.set("ssSel", 0x10);
  }

  /** Identity-maps RAM with 2 MiB pages for everyone, and what follows it up to 8 MiB. */
  private enterLong(): void {
    const { ram } = this.engine;
    const { state } = this.cpu;
    ram.setU64(TABLES, BigInt(TABLES + 0x1000) | 7n);
    ram.setU64(TABLES + 0x1000, BigInt(TABLES + 0x2000) | 7n);
    for (let i = 0; i < 4; i++) ram.setU64(TABLES + 0x2000 + 8 * i, (BigInt(i) << 21n) | 0x87n);
    state.set64("cr3", BigInt(TABLES));
    state.set64("cr4", 0x6a0n);
    state.set64("efer", 0xd01n);
    state.set64("cr0", 0x8001_0033n);
  }
}
