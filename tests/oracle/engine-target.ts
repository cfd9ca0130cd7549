// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostWasm } from "@isola/host-node";
import {
  type CpuField,
  cpu as layout,
  type CpuState,
  resetCpu,
  SystemInstructions,
  type SystemPorts,
  X86Cpu,
  X86Engine,
} from "@isola/isa-x86";
import { Bus } from "@isola/memory";
import { buildEnvironment, type SystemAddresses, USER_CODE_32, USER_CODE_64, USER_DATA } from "./engine-environment.js";
import { repositoryRoot } from "./native-harness.js";
import { type StateImage, StateOffset } from "./state-image.js";
import { COMPLETED, type Environment, type Outcome, type VectorTarget } from "./vector-target.js";
import { testTranslation } from "../../packages/isa-x86/src/compiler/policy.fixture.js";

const RAM_SIZE = 0x100_0000;
/** More instructions than any vector needs, repeated string instructions included. */
const BUDGET = 1_000_000;
/** `outcome.what` of an instruction whose bytes the engine wanted more of, and of one that did not end. */
const FETCH = 254;
const HANG = 253;
const HAS_ERROR_CODE: ReadonlySet<number> = new Set([8, 10, 11, 12, 13, 14, 17]);
const BREAKPOINT = 3;
const PAGE_FAULT = 14;
const PF_FETCH = 0x10;
const CR0 = 0x8005_0033n; // PG AM WP NE ET MP PE
const CR4 = 0x4_06a0n; // OSXSAVE OSXMMEXCPT OSFXSR PGE PAE
const EFER = 0xd01n; // NXE LMA LME SCE
const RFLAGS_IN_FRAME = -24;
const TF_RF = 0x1_0100;
const UNUSABLE = 1 << 16;

const PORTS: SystemPorts = {
  io: { read: () => 0xff, write: () => {} },
  apicRegisters: { high: 0, readMsr: () => -1, writeMsr: () => false },
  apic: { taskPriority: 0 },
  time: { read: () => 0n, frequency: 1_000_000_000, apicTimerFrequency: 1_000_000_000 },
  entropy: { fill: (bytes) => void bytes.fill(0) },
  cpuCount: 1,
};
const NO_INTERRUPTS = { pending: () => false, acknowledge: () => -1, takeNmi: () => false };

/**
 * The interpreter of packages/isa-x86. A vector runs as in the native harness: user code at the end of a page whose
 * successor is not mapped. Whatever ends it is an exception, delivered through the IDT to a handler that is a HLT; the
 * outcome is read from the frame on the handler's stack.
 */
export class EngineTarget implements VectorTarget {
  readonly outcome: Outcome = { what: COMPLETED, errorCode: 0, cr2Low: 0, cr2High: 0 };
  readonly engine: X86Engine;
  readonly cpu: X86Cpu;
  private readonly state: CpuState;
  private readonly bytes: Uint8Array;
  private environment: Environment | null = null;
  private system: SystemAddresses | null = null;
  private views: Uint8Array[] = [];
  private start = 0;
  /** RIP that the outcome implies; the frame's, except after a breakpoint of the filler. */
  private ripAdjust = 0;
  /** Addresses of registers, in physical order. */
  private readonly gpr: number;
  private readonly fpr: readonly number[];
  private readonly vec: readonly number[];

  constructor() {
    const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(repositoryRoot(), "build", name)));
    const modules = { helpers: read("helpers.wasm"), interpreter: read("interpreter.wasm") };
    this.engine = new X86Engine({ wasm: hostWasm, modules, ramSize: RAM_SIZE, cpuCount: 1, mmio: new Bus("none"), translation: testTranslation() });
    this.cpu = new X86Cpu(this.engine, 0, NO_INTERRUPTS, new SystemInstructions(PORTS));
    this.state = this.cpu.state;
    this.bytes = new Uint8Array(this.engine.buffer);
    const address = (field: CpuField, index: number): number => this.cpu.record + layout.at(field, index);
    this.gpr = address("gpr", 0);
    this.fpr = Array.from({ length: 8 }, (_, i) => address("fpr", i));
    this.vec = Array.from({ length: 16 }, (_, i) => address("vec", i));
  }

  prepare(environment: Environment): void {
    const { ram, helpers } = this.engine;
    const { state } = this;
    const system = buildEnvironment(ram, environment);
    this.environment = environment;
    this.system = system;
    this.views = environment.windows.map((window, i) => {
      const at = ram.base + system.windows[i];
      return this.bytes.subarray(at, at + window.size);
    });
    resetCpu(state, helpers, this.cpu.record, true);
    state.set64("cr0", CR0);
    state.set64("cr3", system.cr3);
    state.set64("cr4", CR4);
    state.set64("efer", EFER);
    state.set64("xcr0", 7n);
    state.set64("gdtrBase", system.gdt);
    state.set("gdtrLimit", 0xfff);
    state.set64("idtrBase", system.idt);
    state.set("idtrLimit", 0xfff);
    state.set("trSel", system.tssSelector);
    state.set64("trBase", system.tss);
    state.set("trLimit", 0x67);
    state.set("trAttr", 0x8b);
    state.set("ldtrAttr", UNUSABLE);
    helpers.flushTlb(this.cpu.record);
  }

  write(address: number, bytes: Uint8Array): void {
    const { environment, system } = this.ready();
    const i = environment.windows.findIndex((w) => address >= w.base && address < w.base + w.size);
    this.engine.ram.write(system.windows[i] + (address - environment.windows[i].base), bytes);
  }

  window(index: number): Uint8Array {
    return this.views[index];
  }

  setState(image: StateImage): void {
    const { state, environment } = this.ready();
    const code = environment.mode === 64 ? USER_CODE_64 : USER_CODE_32;
    const { selectors } = environment;
    state.set("cpl", 3);
    this.setSegment("cs", selectors.cs, code);
    this.setSegment("ss", selectors.ss, USER_DATA);
    this.setSegment("ds", selectors.ds, USER_DATA);
    this.setSegment("es", selectors.es, USER_DATA);
    this.setSegment("fs", selectors.fs, UNUSABLE);
    this.setSegment("gs", selectors.gs, UNUSABLE);
    state.set("halted", 0);
    state.set("interruptShadow", 0);
    state.set("event", 0);
    this.copyIn(image);
    this.engine.helpers.writeFlags(this.cpu.record, image.words[StateOffset.Flags >> 2], -1);
    this.engine.helpers.updateMode(this.cpu.record);
    this.start = image.view.getUint32(StateOffset.Rip, true);
  }

  private setSegment(name: "cs" | "ss" | "ds" | "es" | "fs" | "gs", selector: number, attr: number): void {
    this.state.set(`${name}Sel`, selector);
    this.state.set(`${name}Attr`, attr);
    this.state.set(`${name}Limit`, 0xffff_ffff);
    this.state.set64(`${name}Base`, 0n);
  }

  private copyIn(image: StateImage): void {
    const { bytes, state } = this;
    const from = image.bytes;
    bytes.set(from.subarray(StateOffset.Gpr, StateOffset.Gpr + 128), this.gpr);
    state.set64("rip", image.view.getBigUint64(StateOffset.Rip, true));
    const fsw = image.view.getUint16(StateOffset.Fsw, true);
    const top = (fsw >> 11) & 7;
    state.set("mxcsr", image.view.getUint32(StateOffset.Mxcsr, true));
    state.set("fcw", image.view.getUint16(StateOffset.Fcw, true));
    state.set("fsw", fsw & ~0x3800);
    state.set("fpTop", top);
    state.set("fpTag", from[StateOffset.Ftw]);
    state.set("fpOpcode", 0);
    state.set64("fpIp", 0n);
    state.set64("fpDp", 0n);
    state.set("fpCs", 0);
    state.set("fpDs", 0);
    for (let i = 0; i < 8; i++) {
      const at = StateOffset.St + 16 * i;
      bytes.set(from.subarray(at, at + 16), this.fpr[(top + i) & 7]);
    }
    for (let i = 0; i < 16; i++) {
      const to = this.vec[i];
      bytes.set(from.subarray(StateOffset.Xmm + 16 * i, StateOffset.Xmm + 16 * i + 16), to);
      bytes.set(from.subarray(StateOffset.YmmHigh + 16 * i, StateOffset.YmmHigh + 16 * i + 16), to + 16);
    }
  }

  step(): void {
    const exit = this.cpu.run(BUDGET);
    if (exit.kind === "halt") this.classify();
    else this.setOutcome(HANG, 0);
  }

  private setOutcome(what: number, errorCode: number): void {
    Object.assign(this.outcome, { what, errorCode, cr2Low: 0, cr2High: 0 });
    this.ripAdjust = 0;
  }

  /** Turns the exception that was delivered into what the instruction did; see classify in native/execute.c. */
  private classify(): void {
    const { state, system, environment } = this.ready();
    const vector = Number((state.get64("rip") - system.handlers - 1n) & 0xffn);
    const rip = this.engine.ram.u64(system.stackTop - 40);
    const errorCode = HAS_ERROR_CODE.has(vector) ? this.engine.ram.u32(system.stackTop - 48) : 0;
    this.setOutcome(vector, errorCode);
    if (vector === PAGE_FAULT) {
      const cr2 = state.get64("cr2");
      this.outcome.cr2Low = Number(BigInt.asIntN(32, cr2));
      this.outcome.cr2High = Number(BigInt.asIntN(32, cr2 >> 32n));
      if ((errorCode & PF_FETCH) === 0) return;
      if (rip === BigInt(this.start)) this.setOutcome(FETCH, 0);
      else if (cr2 === rip) this.setOutcome(COMPLETED, 0);
    } else if (
      vector === BREAKPOINT &&
      rip - 1n >= BigInt(environment.codeEnd - 0x1000) &&
      rip - 1n < BigInt(this.start)
    ) {
      this.setOutcome(COMPLETED, 0);
      this.ripAdjust = -1;
    }
  }

  getState(image: StateImage): void {
    const { state, bytes } = this;
    const to = image.bytes;
    const { stackTop } = this.ready().system;
    to.set(bytes.subarray(this.gpr, this.gpr + 128), StateOffset.Gpr);
    const ram = this.engine.ram;
    image.view.setBigUint64(StateOffset.Gpr + 8 * 4, ram.u64(stackTop - 16), true);
    image.view.setBigUint64(StateOffset.Rip, BigInt.asUintN(64, ram.u64(stackTop - 40) + BigInt(this.ripAdjust)), true);
    image.view.setUint32(StateOffset.Flags, ram.u32(stackTop + RFLAGS_IN_FRAME) & ~TF_RF, true);
    const top = state.get("fpTop");
    image.view.setUint32(StateOffset.Mxcsr, state.get("mxcsr"), true);
    image.view.setUint16(StateOffset.Fcw, state.get("fcw"), true);
    image.view.setUint16(StateOffset.Fsw, state.get("fsw") | (top << 11), true);
    to[StateOffset.Ftw] = state.get("fpTag");
    for (let i = 0; i < 8; i++) {
      const at = this.fpr[(top + i) & 7];
      to.set(bytes.subarray(at, at + 10), StateOffset.St + 16 * i);
    }
    for (let i = 0; i < 16; i++) {
      const at = this.vec[i];
      to.set(bytes.subarray(at, at + 16), StateOffset.Xmm + 16 * i);
      to.set(bytes.subarray(at + 16, at + 32), StateOffset.YmmHigh + 16 * i);
    }
  }

  private ready(): { readonly environment: Environment; readonly system: SystemAddresses; readonly state: CpuState } {
    const { environment, system, state } = this;
    if (environment === null || system === null) throw new Error("prepare was not called");
    return { environment, system, state };
  }
}
