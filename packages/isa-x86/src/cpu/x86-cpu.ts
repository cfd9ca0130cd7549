// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { BLOCK_HEADER_SIZE, Exit, RecordField } from "@isola/engine";
import type { DebugStop } from "@isola/ports";
import { CpuStatistics } from "../counters/cpu-statistics.js";
import { ModeKey } from "../decode/mode.js";
import { VcpuDebug } from "../debug/vcpu-debug.js";
import { Special } from "../interpreter/special.js";
import type { Form } from "../table/form.js";
import { CpuState } from "./cpu-state.js";
import type { X86Engine } from "./engine.js";
import { EXIT_BUDGET, EXIT_HALT, EXIT_SHUTDOWN, type VmExit } from "./vm-exit.js";

/** Where a vCPU gets external interrupts from: its local APIC. */
export interface InterruptSource {
  /** Whether an interrupt of sufficient priority waits. */
  pending(): boolean;
  /** Takes the highest one: its vector, or -1 if it has gone. */
  acknowledge(): number;
  /** Takes a waiting NMI. */
  takeNmi(): boolean;
}

/** Emulates the instructions that trap out of generated code: privileged and rare ones. */
export interface TrapHandler {
  /**
   * Executes the trapped instruction on the CPU state. RIP is still that of the instruction; the handler leaves it there
   * unless the instruction jumps.
   * @returns what became of it
   */
  trap(cpu: X86Cpu, form: Form, record: number): TrapResult;
}

export const enum TrapResult {
  /** Go on with the next instruction. */
  Done,
  /** Execute the same instruction again: a repeated one that has more to do. */
  Again,
  /** RIP has been set. */
  Jumped,
  /** An exception is in the CPU record. */
  Fault,
  /** HLT: go on with the next instruction after an interrupt. */
  Halt,
}

const IF = 1 << 9;
const NMI_VECTOR = 2;
const INVALID_OPCODE = 6;
/** What translateCode returns where there is no RAM: assembly/physical.ts. */
const NOT_RAM = 0xffff_ffff;
const EVENT = 0x8000_0000;
/** The same for dead regions only, which is no concern of the guest's: assembly/code-cache.ts. */
const TRANSLATOR_EVENT = 0xc000_0000;

/** Value of ticksBudget that no budget of a run comes near. */
const NOT_READ = 0x8000_0000;

/** One virtual CPU: runs guest code until something needs the machine. */
export class X86Cpu {
  readonly state: CpuState;
  readonly record: number;
  readonly statistics: CpuStatistics;
  /** Hears of every interrupt before it is delivered; null unless somebody watches. */
  onInterrupt: ((vector: number) => void) | null = null;
  readonly debug = new VcpuDebug();
  private exitRequested = false;

  constructor(
    readonly engine: X86Engine,
    readonly index: number,
    private readonly interrupts: InterruptSource,
    private readonly traps: TrapHandler,
  ) {
    this.record = engine.cpuRecord(index);
    this.state = new CpuState(engine.view, this.record);
    this.state.set("index", index);
    this.state.set("othersWait", engine.cpuCount > 1 ? 1 : 0);
    this.state.set("hotThreshold", engine.translator.policy.threshold);
    this.statistics = new CpuStatistics(engine.view, this.record, engine.forms);
    engine.helpers.initTlb(this.record);
  }

  /** Makes the vCPU look for interrupts before its next block. */
  notify(): void {
    this.state.set("event", EVENT);
  }

  /** Makes {@link run} return soon. */
  requestExit(): void {
    this.exitRequested = true;
    this.notify();
  }

  /** Instructions of the last {@link run} that were not executed. */
  get budgetLeft(): number {
    return this.state.get("budget") | 0;
  }

  /**
   * Runs up to about `instructions` guest instructions (at least 64, so that any block fits). How many retired is
   * `instructions - budgetLeft`; an instruction that faults counts too, and iterations of repeated string instructions
   * count as a fraction of one, so that nothing a guest does takes time without counting.
   */
  run(instructions: number): VmExit {
    const exit = this.runBudget(instructions);
    this.statistics.countSlice(instructions - this.budgetLeft);
    return exit;
  }

  private runBudget(instructions: number): VmExit {
    const { state, engine } = this;
    state.set("budget", instructions);
    engine.breakpoints.settle();
    if (this.debug.stepping) return this.runSteps();
    if (this.debug.passes(() => this.linearRip) && state.get("halted") === 0 && !this.debugStep()) return EXIT_SHUTDOWN;
    for (;;) {
      if (this.debug.stop !== null) return this.debugExit(this.debug.stop);
      if (state.get("event") === TRANSLATOR_EVENT) state.set("event", 0);
      // Twice if the first event only ends an interrupt shadow: HLT may be the instruction in it.
      while (state.get("event") !== 0 && this.debug.stop === null) if (!this.handleEvent()) return EXIT_SHUTDOWN;
      if (this.debug.stop !== null) continue;
      if (this.exitRequested) {
        this.exitRequested = false;
        return EXIT_BUDGET;
      }
      if (state.get("halted") !== 0) {
        // HLT may have been the one instruction that went before a waiting interrupt, as in STI; HLT.
        if (state.get("event") === 0) return EXIT_HALT;
        continue;
      }
      const stepping = (state.get("modeKey") & ModeKey.Step) !== 0;
      if (stepping && this.budgetLeft <= 0) return EXIT_BUDGET;
      if (stepping) {
        if (!this.stopsHere() && !this.debugStep()) return EXIT_SHUTDOWN;
        continue;
      }
      engine.translator.work();
      const reason = this.enter();
      if (reason === Exit.Event && state.get("event") === 0) {
        this.statistics.countExit(reason);
        return EXIT_BUDGET;
      }
      if (!this.goOn(reason)) return EXIT_SHUTDOWN;
    }
  }

  /** Runs as a debugger steps: interrupts wait, unless nothing else makes the vCPU go on. */
  private runSteps(): VmExit {
    const { state, debug } = this;
    debug.moved();
    for (;;) {
      if (this.exitRequested) {
        this.exitRequested = false;
        return EXIT_BUDGET;
      }
      if (state.get("halted") !== 0) {
        while (state.get("event") !== 0 && state.get("halted") !== 0) if (!this.handleEvent()) return EXIT_SHUTDOWN;
        if (state.get("halted") !== 0) return EXIT_HALT;
      } else {
        if (this.budgetLeft <= 0) return EXIT_BUDGET;
        if (!this.debugStep()) return EXIT_SHUTDOWN;
      }
      if (debug.stop !== null) return this.debugExit(debug.stop);
      if (debug.isDone(state.get64("rip"))) return this.debugExit({ kind: "step" });
      if (this.stopsHere() && debug.stop !== null) return this.debugExit(debug.stop);
    }
  }

  private debugExit(stop: DebugStop): VmExit {
    return { kind: "debug", stop: this.debug.takeStop(stop, this.linearRip) };
  }

  /** Linear address of the next instruction. */
  private get linearRip(): bigint {
    return BigInt.asUintN(64, this.engine.helpers.linearRip(this.record, this.state.get64("rip")));
  }

  /** Whether a debugger has a breakpoint on the next instruction; the vCPU is then to stop. */
  private stopsHere(): boolean {
    const found = this.engine.breakpoints.at(this.linearRip);
    if (found !== null) this.debug.stop = { kind: "breakpoint", hardware: found.hardware };
    return found !== null;
  }

  /** Size of code words. */
  get bits(): 16 | 32 | 64 {
    const size = this.state.get("modeKey") & ModeKey.CodeSizeMask;
    return size === ModeKey.Code64 ? 64 : size === ModeKey.Code32 ? 32 : 16;
  }

  /** Runs generated code, which knows nothing of the time that has passed outside. */
  private enter(): number {
    this.state.set("ticksBudget", NOT_READ);
    return this.engine.enter(0, this.record);
  }

  /** Does what generated code left for. False on a triple fault. */
  private goOn(reason: number): boolean {
    this.statistics.countExit(reason);
    switch (reason) {
      case Exit.Event:
      case Exit.Exception:
        return true;
      case Exit.Decode:
        this.decode();
        return true;
      case Exit.Trap:
        return this.emulate();
      case Exit.Shutdown:
        return false;
      case Exit.Breakpoint:
        // Code that is seen at several addresses may have the breakpoint at another one.
        return this.stopsHere() || this.stepAndGoOn();
      case Exit.Step:
        return this.stepAndGoOn();
      default:
        assert(false, `generated code returned ${reason}`);
    }
  }

  /** One instruction under EFLAGS.TF or breakpoint registers, with the debug exceptions around it. */
  private debugStep(): boolean {
    const { helpers } = this.engine;
    if (helpers.beginStep(this.record) !== 0) {
      // A breakpoint on the first instruction of its own handler: this costs budget, too.
      this.state.set("budget", this.budgetLeft - 1);
      return helpers.raisePending(this.record) === 0;
    }
    if (!this.stepAndGoOn()) return false;
    return helpers.endStep(this.record) === 0 || helpers.raisePending(this.record) === 0;
  }

  /**
   * Executes one instruction, as a block of its own, and returns what {@link run} would switch on: Exception also when
   * the instruction simply retired.
   */
  private step(): number {
    const { state, engine, record } = this;
    const budget = state.get("budget");
    const own = (state.get("modeKey") & ModeKey.Step) === 0;
    if (own) this.setModeKey(state.get("modeKey") | ModeKey.Step);
    const event = state.get("event");
    state.set("event", 0);
    state.set("stepping", 1);
    state.set("watchHit", 0);
    state.set("budget", 1);
    let reason = this.enter();
    while (reason === Exit.Decode) {
      this.statistics.countExit(reason);
      this.decode();
      reason = this.enter();
    }
    state.set("stepping", 0);
    state.set("event", event | state.get("event"));
    const retired = 1 - state.get("budget");
    state.set("budget", budget - retired);
    if (own) engine.helpers.updateMode(record);
    return reason === Exit.Event ? Exit.Exception : reason;
  }

  /** Executes one instruction, whatever it leaves to the run loop included. False on a triple fault. */
  private stepAndGoOn(): boolean {
    const { state } = this;
    const reason = this.step();
    state.set("stepping", 1);
    const alive = this.goOn(reason);
    state.set("stepping", 0);
    const hit = state.get("watchHit");
    if (hit !== 0) this.stopForWatchpoint(hit);
    return alive;
  }

  private stopForWatchpoint(hit: number): void {
    this.state.set("watchHit", 0);
    const point = this.engine.breakpoints.watchpoint(hit - 1);
    if (point !== null) this.debug.stop = { kind: "watchpoint", access: point.access, address: point.address };
  }

  private setModeKey(mode: number): void {
    this.state.set("modeKey", mode);
    this.engine.helpers.refreshJumpContext(this.record);
  }

  /** Looks at what waits for this vCPU and delivers at most one interrupt. False on a triple fault. */
  private handleEvent(): boolean {
    const { state } = this;
    if (state.get("interruptShadow") !== 0) {
      if (this.stopsHere()) return true;
      state.set("interruptShadow", 0);
      return (state.get("modeKey") & ModeKey.Step) !== 0 ? this.debugStep() : this.stepAndGoOn();
    }
    state.set("event", 0);
    let delivered = true;
    if (state.get("nmiBlocked") === 0 && this.interrupts.takeNmi()) {
      delivered = this.deliver(NMI_VECTOR);
    } else if ((state.get("eflags") & IF) !== 0) {
      const vector = this.interrupts.acknowledge();
      if (vector >= 0) delivered = this.deliver(vector);
    }
    // What is masked now is delivered when IF is set again: the instruction that does so sets the event word.
    state.set("interruptPending", this.interrupts.pending() ? 1 : 0);
    return delivered;
  }

  private deliver(vector: number): boolean {
    this.onInterrupt?.(vector);
    return this.engine.helpers.deliverInterrupt(this.record, vector) === 0;
  }

  private decode(): void {
    const { state, engine, record } = this;
    const frame = state.get("exitData");
    const offset = state.get("exitData", 1);
    const rip = state.get64("rip");
    const vex = (state.get64("cr0") & 1n) !== 0n && (state.get("eflags") & (1 << 17)) === 0;
    const block = engine.decoder.decode(frame, offset, state.get("modeKey"), vex, () => {
      const next = (BigInt.asUintN(64, engine.helpers.linearRip(record, rip)) & ~0xfffn) + 0x1000n;
      const code64 = (state.get("modeKey") & ModeKey.CodeSizeMask) === ModeKey.Code64;
      const page = engine.helpers.translateCode(record, BigInt.asUintN(code64 ? 64 : 32, next)) >>> 0;
      if (page !== NOT_RAM) return page;
      // A device has no instructions, nor parts of them: what the helpers say of an instruction that is there as a whole.
      if (state.get("fault") === 0) state.set("fault", INVALID_OPCODE + 1);
      return -1;
    });
    if (block.address === 0) return;
    this.statistics.countBlock();
    engine.helpers.insertBlock(block.address, block.end, block.secondEnd);
    engine.translator.noteDecoded(block.address);
    if (engine.translator.policy.atOnce !== true) return;
    const head = block.address + BLOCK_HEADER_SIZE;
    engine.translator.translate([
      { head, cpu: record, context: state.get("jumpContext"), codeBase: rip - BigInt(offset) },
    ]);
  }

  /** Emulates the instruction that trapped. False on a triple fault. */
  private emulate(): boolean {
    const { state, engine, record } = this;
    const at = state.get("currentRecord");
    const handler = engine.view.getUint32(at + RecordField.Handler, true);
    const form = engine.formOf(handler);
    this.statistics.countTrap(handler - Special.Count);
    const rest = engine.view.getUint8(at + RecordField.Remaining);
    const next = engine.helpers.nextRip(record, at);
    state.set64("rip", engine.helpers.recordRip(record, at));
    const result = this.traps.trap(this, form, at);
    if (result === TrapResult.Fault) {
      const reason = engine.helpers.deliverFault(record, at);
      return reason === Exit.Step ? this.stepAndGoOn() : reason !== Exit.Shutdown;
    }
    // A part of a repeated instruction counts as one, so that no guest can keep the vCPU from returning.
    state.set("budget", state.get("budget") + rest - 1);
    if (result === TrapResult.Done || result === TrapResult.Halt) state.set64("rip", next);
    if (result === TrapResult.Halt) state.set("halted", 1);
    return true;
  }
}
