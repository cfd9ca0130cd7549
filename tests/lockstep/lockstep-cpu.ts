// SPDX-License-Identifier: Apache-2.0
import { hostWasm } from "@isola/host-node";
import {
  CodeInMemory,
  type CpuField,
  type CpuState,
  resetCpu,
  SystemInstructions,
  type VmExit,
  X86Cpu,
  X86Engine,
} from "@isola/isa-x86";
import { Bus } from "@isola/memory";
import type { WasmHost, WasmModule } from "@isola/ports";
import { RandomNumbers } from "../fuzz/random-program.js";
import { JUMP_TABLE_ENTRIES } from "./block-ends.js";
import { FaultHandler } from "./fault-handler.js";
import {
  CODE,
  CODE_PAGES,
  codeAttributes,
  codeFrame,
  dataAttributes,
  DATA_FRAMES,
  DATA_PAGES,
  DEVICE_PHYSICAL,
  GDT_LINEAR,
  type GuestMode,
  GuestPages,
  IDT_LINEAR,
  is64,
  isUser,
  KERNEL_CODE,
  KERNEL_DATA,
  PAGE,
  RAM_SIZE,
  STACK_TOP,
  TSS_LINEAR,
  TSS_SELECTOR,
  USER_CODE,
  USER_DATA,
  writeSystem,
} from "./guest-layout.js";
import type { AssembledProgram, GuestProgram } from "./guest-program.js";
import type { LockstepPolicy } from "./policies.js";
import { compileOnce, modules } from "./shared-modules.js";
import { TestDevice } from "./test-device.js";

const CR0_PAGING = 0x8005_003bn; // PG AM WP NE ET TS MP PE
const CR0_TS = 8n;
const CR4_LEGACY = 0x4_0600n; // OSXSAVE OSXMMEXCPT OSFXSR
const CR4_LONG = 0x5_06a0n; // OSXSAVE FSGSBASE OSXMMEXCPT OSFXSR PGE PAE
const XCR0 = 7n; // AVX SSE x87
const EFER_LONG = 0xd01n;
const FLAGS = 0x202;
const UNUSABLE = 1 << 16;
const FS_BASE = 0x10n;
const GS_BASE = 0x40n;

const MAX_KEPT = 500_000;

/** A bare vCPU with RAM and a device, on which a random program runs under one translation policy. */
export class LockstepCpu {
  readonly engine: X86Engine;
  readonly cpu: X86Cpu;
  readonly device: TestDevice;
  private readonly ram: Uint8Array;
  private handler: FaultHandler | null = null;
  /** Modules that count as being compiled in the background. */
  private compilations: (() => void)[] = [];

  constructor(readonly policy: LockstepPolicy) {
    const mmio = new Bus("memory");
    this.device = new TestDevice(() => this.engine.ram);
    mmio.map(DEVICE_PHYSICAL, PAGE, this.device);
    const wasm: WasmHost = {
      ...hostWasm,
      compile: compileOnce,
      compileInBackground: (bytes) => this.compileLater(bytes),
    };
    const { translation } = policy;
    this.engine = new X86Engine({
      wasm,
      modules,
      ramSize: RAM_SIZE,
      cpuCount: 1,
      mmio,
      translation,
      ticks: () => this.cpu.budgetLeft >>> 0,
      ...(policy.kept === true
        ? { keptTranslations: { code: new CodeInMemory(), secret: [1, 2], maxBytes: MAX_KEPT } }
        : {}),
    });
    const { device } = this;
    const interrupts = {
      pending: () => device.waiting.length > 0,
      acknowledge: () => device.waiting.shift() ?? -1,
      takeNmi: () => false,
    };
    const system = new SystemInstructions({
      io: {
        read: (port, size) => device.read(port & 0xfc, size),
        write: (port, size, value) => device.write(port, size, value),
      },
      apicRegisters: { high: 0, readMsr: () => -1, writeMsr: () => false },
      apic: { taskPriority: 0 },
      time: { frequency: 1e9, apicTimerFrequency: 1e9 },
      entropy: { fill: (bytes) => void bytes.fill(device.history & 0xff) },
      cpuCount: 1,
    });
    this.cpu = new X86Cpu(this.engine, 0, interrupts, system);
    this.device.cpu = this.cpu;
    this.ram = new Uint8Array(this.engine.buffer, this.engine.ram.base, RAM_SIZE);
  }

  /** What the translator waits for comes when the test says so, and not when the host's event loop turns. */
  private compileLater(bytes: Uint8Array): Promise<WasmModule> {
    const module = hostWasm.compile(bytes);
    // Not a promise, whose callbacks would have to wait for this test to end.
    // oxlint-disable-next-line unicorn/no-thenable
    const later = { then: (done: (module: WasmModule) => void) => void this.compilations.push(() => done(module)) };
    return later as unknown as Promise<WasmModule>;
  }

  finishCompilations(): void {
    const ready = this.compilations;
    this.compilations = [];
    for (const done of ready) done();
  }

  /** Loads a program and everything around it; all else in RAM becomes random data that follow from its seed. */
  load(program: GuestProgram, assembled: AssembledProgram): void {
    const { engine, cpu, device } = this;
    const { state } = cpu;
    const { mode } = program;
    const random = new RandomNumbers(program.seed);
    const { ram } = engine;
    ram.write(0, new Uint8Array(RAM_SIZE));
    const data = new Uint8Array(DATA_PAGES * PAGE);
    fillWithNumbers(random, data);
    ram.write(DATA_FRAMES, data);
    for (let i = 0; i < JUMP_TABLE_ENTRIES; i++)
      ram.setU64(DATA_FRAMES + 8 * i, BigInt(assembled.entries[i % assembled.entries.length] ?? CODE));
    for (let page = 0; page < CODE_PAGES; page++) {
      const code = assembled.code.slice(page * PAGE, (page + 1) * PAGE);
      ram.write(codeFrame(page), code);
      for (let at = random.below(16); at < PAGE; at += 1 + random.below(100)) code[at] ^= 1 << random.below(8);
      ram.write(codeFrame(page, true), code);
    }
    writeSystem(ram, mode);
    const pages = new GuestPages(ram, mode);
    pages.mapAll(new Set(program.lazyPages));
    device.reset();
    this.handler = new FaultHandler(this, pages, program, assembled);
    resetCpu(state, engine.helpers, cpu.record, true);
    for (let i = 0; i < (is64(mode) ? 16 : 8); i++) state.set64("gpr", BigInt(random.below(0x1_0000_0000)), i);
    for (let i = 0; i < 16; i++) fillWithNumbers(random, state.bytes("vec", i, 32));
    state.set64("gpr", BigInt(STACK_TOP), 4);
    state.set64("rip", BigInt(assembled.entries[0] ?? CODE));
    this.enter(mode, program.lazyFloat, pages.root);
  }

  private enter(mode: GuestMode, lazyFloat: boolean, root: number): void {
    const { engine, cpu } = this;
    const { state } = cpu;
    const legacy = mode === "kernel32";
    state.set64("cr0", lazyFloat ? CR0_PAGING : CR0_PAGING & ~CR0_TS);
    state.set64("cr3", BigInt(root));
    state.set64("cr4", legacy ? CR4_LEGACY : CR4_LONG);
    state.set64("efer", legacy ? 0n : EFER_LONG);
    state.set64("gdtrBase", BigInt(GDT_LINEAR));
    state.set("gdtrLimit", 0x37);
    state.set64("idtrBase", BigInt(IDT_LINEAR));
    state.set("idtrLimit", 0xfff);
    state.set("trSel", TSS_SELECTOR);
    state.set64("trBase", BigInt(TSS_LINEAR));
    state.set("trLimit", 0x67);
    state.set("trAttr", 0x8b);
    state.set("ldtrAttr", UNUSABLE);
    for (const name of ["es", "cs", "ss", "ds", "fs", "gs"] as const) {
      const code = name === "cs";
      const base: CpuField = `${name}Base`;
      state.set64(base, name === "fs" ? FS_BASE : name === "gs" ? GS_BASE : 0n);
      state.set(`${name}Limit`, 0xffff_ffff);
      state.set(`${name}Attr`, code ? codeAttributes(mode) : dataAttributes(mode));
      state.set(`${name}Sel`, isUser(mode) ? (code ? USER_CODE : USER_DATA) : code ? KERNEL_CODE : KERNEL_DATA);
    }
    state.set("cpl", isUser(mode) ? 3 : 0);
    state.set("eflags", FLAGS);
    state.set64("xcr0", XCR0);
    state.set("fcw", 0x37f);
    state.set("fpTag", 0);
    state.set("event", 0);
    state.set("interruptPending", 0);
    engine.helpers.updateMode(cpu.record);
    engine.helpers.flushTlb(cpu.record);
  }

  /** Runs for about `budget` instructions and deals with the exception that may have come. */
  run(budget: number): VmExit {
    const exit = this.cpu.run(budget);
    this.device.note(this.cpu.budgetLeft);
    return exit;
  }

  /** After a run that ended with HLT: the handler of an exception or interrupt has been entered, or the program halts. */
  handleHalt(): void {
    this.handler?.handle();
  }

  /** Moves or takes away a page of code or data, as an operating system might. */
  disturb(choice: number): void {
    this.handler?.disturb(choice);
  }

  invalidate(linear: number): void {
    this.engine.helpers.invalidatePage(this.cpu.record, BigInt(linear));
  }

  get record(): number {
    return this.cpu.record;
  }

  get state(): CpuState {
    return this.cpu.state;
  }

  /** Contents of RAM. Not a copy. */
  get memory(): Uint8Array {
    return this.ram;
  }
}

/** Random numbers, half of them small or near the ends of their range. */
function fillWithNumbers(random: RandomNumbers, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += 4) {
    const value = random.below(0x1_0000_0000);
    view.setUint32(at, random.below(2) === 0 ? value : value & 1 ? value & 0xff : 0xffff_ff00 | value, true);
  }
}
