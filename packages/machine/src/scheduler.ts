// SPDX-License-Identifier: Apache-2.0
import type { DebugStop } from "@isola/ports";
import type { MachineClock } from "./machine-clock.js";
import type { TimerQueue } from "./timer-queue.js";
import type { Vcpu, VcpuExit } from "./vcpu.js";

/** Watches what the scheduler does with vCPUs. Called between slices; must not call the scheduler back. */
export interface SchedulerObserver {
  /** vCPU `vcpu` is about to run. Returns the most instructions that it may run until its next slice. */
  sliceBegins(vcpu: number): number;
  /** It has run, and retired this many instructions. */
  sliceEnds(vcpu: number, instructions: number, exit: VcpuExit["kind"]): void;
  /** Its sleep in HLT is over. */
  woken(vcpu: number): void;
}

/** Why the machine gave the thread back to its host. */
export type RunOutcome =
  /** Its share of time is over. */
  | { readonly kind: "yield" }
  /** Every vCPU waits. `delay` is the time in ns until the next timer, null if only an outside event can go on. */
  | { readonly kind: "idle"; readonly delay: number | null }
  /** The guest switched the machine off. */
  | { readonly kind: "power-off" }
  /** The guest asked for a reset. */
  | { readonly kind: "reset" }
  /** Triple fault on a vCPU. */
  | { readonly kind: "shutdown"; readonly vcpu: number }
  /** A vCPU has stopped for a debugger. */
  | { readonly kind: "debug"; readonly vcpu: number; readonly stop: DebugStop }
  /** The guest ended the machine through the debug-exit port. */
  | { readonly kind: "debug-exit"; readonly status: number };

/** An outcome that ends the run, asked for by a device. */
export type StopRequest = Extract<RunOutcome, { kind: "power-off" | "reset" | "debug-exit" }>;

/**
 * Instructions a vCPU may run before the next one gets its turn and timers are looked at. One that is alone keeps no other
 * waiting; every return into the middle of compiled code begins in the interpreter.
 */
const SLICE_IN_TURN = 50_000;
const SLICE_ALONE = 200_000;
/** Shortest slice that is cut to meet a timer: shorter ones cost more than the lateness they avoid. */
const MIN_SLICE = 500;
/** The same on a virtual clock, where a slice ends as close to its timer as blocks of instructions allow. */
const MIN_VIRTUAL_SLICE = 64;
/** First guess of the speed, in instructions a nanosecond. */
const INITIAL_SPEED = 0.1;
/** Weight of the latest slice in the running estimate of speed. */
const SPEED_GAIN = 0.1;

const enum SlotState {
  /** Has instructions to run. */
  Runnable,
  /** HLT. */
  Halted,
  /** After INIT: only a start-up IPI counts. */
  WaitForStartUp,
}

interface Slot {
  readonly vcpu: Vcpu;
  state: SlotState;
  initPending: boolean;
  /** A debugger lets it stand still. */
  held: boolean;
  /** Vector of a start-up IPI that has arrived, or -1. */
  startUpVector: number;
  /** Time on the machine's clock at which it halted. */
  haltedAt: number;
  sleeps: number;
  sleepTime: number;
}

/** How a vCPU has slept. Times are on the machine's clock, in ns. */
export interface SleepCounts {
  readonly sleeps: number;
  readonly sleepTime: number;
}

const YIELD: RunOutcome = { kind: "yield" };

/**
 * Shares one thread between the vCPUs of a machine, in turn, and fires timers between their slices. Events that other
 * parts raise (interrupts, INIT, requests to stop) are only noted when they come and acted upon between slices, so
 * nothing here is re-entered.
 */
export class Scheduler {
  /** Who watches; empty unless somebody asked for a trace or a profile. */
  observers: readonly SchedulerObserver[] = [];
  /** Called when there may be something to do again. Also called while {@link run} is busy between two slices. */
  onWake: () => void = () => {};
  private readonly slots: Slot[];
  private running = -1;
  private sliceLength = 0;
  private sliceEnd = 0;
  private turn = 0;
  private speed = INITIAL_SPEED;
  private stop: StopRequest | null = null;
  private retiredTotal = 0;

  constructor(
    vcpus: readonly Vcpu[],
    private readonly clock: MachineClock,
    private readonly timers: TimerQueue,
  ) {
    this.slots = vcpus.map((vcpu) => ({
      vcpu,
      state: SlotState.WaitForStartUp,
      initPending: false,
      held: false,
      startUpVector: -1,
      haltedAt: 0,
      sleeps: 0,
      sleepTime: 0,
    }));
    timers.onEarlier = (deadline) => {
      if (this.running < 0) this.onWake();
      else if (deadline < this.sliceEnd) this.slots[this.running].vcpu.requestExit();
    };
  }

  /** Number of the vCPU that is running guest code, or -1. */
  get current(): number {
    return this.running;
  }

  /** Instructions that have retired on all vCPUs since the machine was made. */
  get retired(): number {
    return this.retiredTotal + this.retiredInSlice();
  }

  /** Instructions that the vCPU which is running has retired in its slice. */
  retiredInSlice(): number {
    return this.running < 0 ? 0 : Math.max(0, this.sliceLength - this.slots[this.running].vcpu.budgetLeft);
  }

  /** How vCPU `index` has slept; a sleep that still lasts counts up to now. */
  sleepCounts(index: number): SleepCounts {
    const { state, haltedAt, sleeps, sleepTime } = this.slots[index];
    const now = state === SlotState.Halted ? this.clock.now() - haltedAt : 0;
    return { sleeps, sleepTime: sleepTime + now };
  }

  /** What a vCPU is doing. */
  stateOf(index: number): "running" | "halted" | "waiting for start-up" {
    const { state } = this.slots[index];
    if (state === SlotState.Halted) return "halted";
    return state === SlotState.Runnable ? "running" : "waiting for start-up";
  }

  /** Lets a vCPU stand still, or go on, from its next slice. */
  hold(index: number, held: boolean): void {
    this.slots[index].held = held;
  }

  /** The first vCPU begins to run; the others wait for their start-up IPI. */
  reset(): void {
    this.slots.forEach((slot, i) => {
      this.endSleep(slot);
      slot.state = i === 0 ? SlotState.Runnable : SlotState.WaitForStartUp;
      slot.initPending = false;
      slot.startUpVector = -1;
    });
    this.stop = null;
    this.turn = 0;
  }

  /** An interrupt or NMI waits for a vCPU. */
  wake(index: number): void {
    const slot = this.slots[index];
    if (slot.state === SlotState.Halted) {
      this.endSleep(slot);
      slot.state = SlotState.Runnable;
    }
    this.interruptOthers(index);
  }

  /** INIT arrives at a vCPU. */
  init(index: number): void {
    this.slots[index].initPending = true;
    this.slots[index].startUpVector = -1;
    this.interruptOthers(index);
    if (this.running === index) this.slots[index].vcpu.requestExit();
  }

  /** A start-up IPI arrives at a vCPU; it counts only if that one waits for it, and the first of several wins. */
  startUp(index: number, vector: number): void {
    const slot = this.slots[index];
    const waits = slot.state === SlotState.WaitForStartUp || slot.initPending;
    if (waits && slot.startUpVector < 0) slot.startUpVector = vector;
    this.interruptOthers(index);
  }

  /** Ends the run at the end of the instruction block under way. The first request wins. */
  requestStop(stop: StopRequest): void {
    this.stop ??= stop;
    if (this.running >= 0) this.slots[this.running].vcpu.requestExit();
    else this.onWake();
  }

  /** Runs the machine until its host's turn has come: after `share` ns, or earlier for any of the other reasons. */
  run(share: number): RunOutcome {
    const start = this.clock.now();
    // A virtual clock may stand still or leap, so the share is then counted in instructions at the nominal speed.
    let used = 0;
    for (;;) {
      if (this.stop !== null) return this.takeStop();
      const now = this.clock.now();
      this.timers.fireDue(now);
      if (this.stop !== null) return this.takeStop();
      const index = this.nextRunnable();
      if (index < 0) {
        if (!this.clock.virtual || this.timers.nextDeadline() === Number.POSITIVE_INFINITY) return this.idle();
        if (used >= share) return YIELD;
        used += MIN_SLICE;
        this.clock.skipTo(this.timers.nextDeadline());
        continue;
      }
      if (this.clock.virtual ? used >= share : now - start >= share) return YIELD;
      const before = this.retiredTotal;
      const exit = this.runSlice(index, now, this.clock.virtual ? Number.POSITIVE_INFINITY : start + share);
      if (exit.kind === "shutdown") return { kind: "shutdown", vcpu: index };
      if (exit.kind === "debug") return { kind: "debug", vcpu: index, stop: exit.stop };
      // At least one, so that slices that are cut before their first instruction do not keep the thread for ever.
      used += Math.max(1, this.retiredTotal - before);
    }
  }

  /** Runs one vCPU until its slice is over or it has nothing to do. The slice ends near `shareEnd` at the latest. */
  private runSlice(index: number, now: number, shareEnd: number): VcpuExit {
    const slot = this.slots[index];
    // Only now: whoever was next when the share was over is next when the thread comes back.
    this.turn = (index + 1) % this.slots.length;
    const speed = this.clock.virtual ? 1 : this.speed;
    const deadline = this.timers.nextDeadline();
    const until = Math.ceil((Math.min(deadline, shareEnd) - now) * speed);
    let limit = Math.min(this.slots.length === 1 ? SLICE_ALONE : SLICE_IN_TURN, until);
    for (const observer of this.observers) limit = Math.min(limit, observer.sliceBegins(index));
    const length = Math.max(this.clock.virtual ? MIN_VIRTUAL_SLICE : MIN_SLICE, limit);
    this.sliceLength = length;
    this.sliceEnd = now + length / speed;
    this.running = index;
    const exit = slot.vcpu.run(length);
    const retired = this.retiredInSlice();
    this.running = -1;
    this.retiredTotal += retired;
    this.clock.retire(retired);
    if (!this.clock.virtual && retired >= MIN_SLICE) {
      const elapsed = this.clock.now() - now;
      if (elapsed > 0) this.speed += (retired / elapsed - this.speed) * SPEED_GAIN;
    }
    for (const observer of this.observers) observer.sliceEnds(index, retired, exit.kind);
    if (exit.kind === "halt") {
      slot.state = SlotState.Halted;
      slot.haltedAt = this.clock.now();
      slot.sleeps++;
    }
    return exit;
  }

  /** The next vCPU in turn that has something to run, or -1. */
  private nextRunnable(): number {
    const count = this.slots.length;
    for (let i = 0; i < count; i++) {
      const index = (this.turn + i) % count;
      const slot = this.slots[index];
      this.settle(slot);
      if (slot.state !== SlotState.Runnable || slot.held) continue;
      return index;
    }
    return -1;
  }

  private settle(slot: Slot): void {
    if (slot.initPending) {
      slot.initPending = false;
      this.endSleep(slot);
      slot.state = SlotState.WaitForStartUp;
      slot.vcpu.init();
    }
    if (slot.startUpVector >= 0) {
      slot.vcpu.startUp(slot.startUpVector);
      slot.startUpVector = -1;
      slot.state = SlotState.Runnable;
    }
  }

  private endSleep(slot: Slot): void {
    if (slot.state !== SlotState.Halted) return;
    slot.sleepTime += this.clock.now() - slot.haltedAt;
    for (const observer of this.observers) observer.woken(this.slots.indexOf(slot));
  }

  private takeStop(): RunOutcome {
    const stop = this.stop ?? YIELD;
    this.stop = null;
    return stop;
  }

  private idle(): RunOutcome {
    const deadline = this.timers.nextDeadline();
    return {
      kind: "idle",
      delay: deadline === Number.POSITIVE_INFINITY ? null : Math.max(0, deadline - this.clock.now()),
    };
  }

  /** Something happened for vCPU `index`: another one that runs now makes room, an idle machine is woken. */
  private interruptOthers(index: number): void {
    if (this.running < 0) this.onWake();
    else if (this.running !== index) this.slots[this.running].vcpu.requestExit();
  }
}
