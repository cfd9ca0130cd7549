// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { VirtualClock, WallClock } from "./machine-clock.js";
import { Scheduler } from "./scheduler.js";
import { TimerQueue } from "./timer-queue.js";
import type { Vcpu, VcpuExit } from "./vcpu.js";

/** A vCPU that follows a script: how many instructions it retires before it does something. */
class ScriptedVcpu implements Vcpu {
  budgetLeft = 0;
  exitRequested = false;
  readonly log: string[] = [];
  work: (vcpu: ScriptedVcpu, budget: number) => VcpuExit = (vcpu, budget) => vcpu.retire(budget);

  run(instructions: number): VcpuExit {
    this.budgetLeft = instructions;
    if (this.exitRequested) {
      this.exitRequested = false;
      return { kind: "budget" };
    }
    return this.work(this, instructions);
  }

  retire(count: number): VcpuExit {
    this.budgetLeft -= count;
    return { kind: "budget" };
  }

  requestExit(): void {
    this.exitRequested = true;
  }

  init(): void {
    this.log.push("init");
  }

  startUp(vector: number): void {
    this.log.push(`start ${vector}`);
  }
}

function machine(count: number) {
  const clock = new VirtualClock(0);
  const timers = new TimerQueue(() => clock.now());
  const vcpus = Array.from({ length: count }, () => new ScriptedVcpu());
  const scheduler = new Scheduler(vcpus, clock, timers);
  clock.inSlice = () => scheduler.retiredInSlice();
  scheduler.reset();
  const [first, second] = vcpus;
  if (first === undefined) throw new Error("no vCPU");
  return { clock, timers, scheduler, first, second: second ?? first };
}

describe("Scheduler", () => {
  it("gives the thread back after its share, time being what has retired", () => {
    const { scheduler, clock } = machine(1);
    expect(scheduler.run(120_000)).toEqual({ kind: "yield" });
    expect(scheduler.retired).toBe(200_000);
    expect(clock.now()).toBe(200_000);
  });

  it("runs vCPUs in turn once they have been started", () => {
    const { scheduler, first, second } = machine(2);
    const order: number[] = [];
    first.work = (vcpu, budget) => {
      order.push(0);
      if (order.length === 1) {
        scheduler.init(1);
        scheduler.startUp(1, 0x99);
        scheduler.startUp(1, 0x98);
      }
      return vcpu.retire(budget);
    };
    second.work = (vcpu, budget) => {
      order.push(1);
      return vcpu.retire(budget);
    };
    // INIT and start-up ask the sender to make room, which its script does not notice until its next slice.
    scheduler.run(200_000);
    expect(second.log).toEqual(["init", "start 153"]);
    expect(order.slice(0, 4)).toEqual([0, 1, 1, 0]);
  });

  it("runs vCPUs in turn when each share of the thread is only one slice", () => {
    const { scheduler, first, second } = machine(2);
    scheduler.init(1);
    scheduler.startUp(1, 0x99);
    const order: number[] = [];
    for (const [i, vcpu] of [first, second].entries())
      vcpu.work = (self, budget) => {
        order.push(i);
        return self.retire(budget);
      };
    for (let i = 0; i < 4; i++) scheduler.run(1);
    expect(order).toEqual([0, 1, 0, 1]);
  });

  it("ignores a start-up IPI to a vCPU that does not wait for one", () => {
    const { scheduler, first } = machine(1);
    scheduler.startUp(0, 7);
    scheduler.run(1);
    expect(first.log).toEqual([]);
  });

  it("is idle when all halt, wakes for interrupts, and skips a virtual clock to the next timer", () => {
    const { scheduler, clock, timers, first } = machine(1);
    let wakes = 0;
    scheduler.onWake = () => wakes++;
    first.work = () => ({ kind: "halt" });
    expect(scheduler.run(1e6)).toEqual({ kind: "idle", delay: null });
    scheduler.wake(0);
    expect(wakes).toBe(1);
    const timer = timers.create(() => scheduler.wake(0));
    timer.set(5e9);
    scheduler.run(1e3);
    expect(clock.now()).toBe(5e9);
  });

  it("tells how long a machine with a wall clock may sleep", () => {
    let now = 0;
    const clock = new WallClock({ now: () => now, wallTimeMs: () => 0 });
    const timers = new TimerQueue(() => clock.now());
    const vcpu = new ScriptedVcpu();
    vcpu.work = () => ({ kind: "halt" });
    const scheduler = new Scheduler([vcpu], clock, timers);
    scheduler.reset();
    clock.resume();
    timers.create(() => {}).set(1000);
    now = 400;
    expect(scheduler.run(1e6)).toEqual({ kind: "idle", delay: 600 });
    clock.pause();
    now = 5000;
    expect(clock.now()).toBe(400);
    clock.resume();
    now = 5100;
    expect(clock.now()).toBe(500);
  });

  it("ends a slice where a timer is due, and cuts it when one is armed meanwhile", () => {
    const { scheduler, timers, clock, first } = machine(1);
    const fired: number[] = [];
    const timer = timers.create(() => fired.push(clock.now()));
    timer.set(10_000);
    const early = timers.create(() => fired.push(-clock.now()));
    first.work = (vcpu, budget) => {
      if (clock.now() === 10_000) {
        vcpu.retire(100);
        early.set(clock.now() + 50);
        expect(vcpu.exitRequested).toBe(true);
        return { kind: "budget" };
      }
      return vcpu.retire(budget);
    };
    scheduler.run(20_000);
    // A slice on a virtual clock has at least 64 instructions.
    expect(fired).toEqual([10_000, -10_164]);
  });

  it("reports stops and triple faults, the first stop wins", () => {
    const { scheduler, first } = machine(1);
    first.work = (vcpu) => {
      scheduler.requestStop({ kind: "power-off" });
      scheduler.requestStop({ kind: "reset" });
      return vcpu.retire(10);
    };
    expect(scheduler.run(1e6)).toEqual({ kind: "power-off" });
    first.work = () => ({ kind: "shutdown" });
    first.exitRequested = false;
    expect(scheduler.run(1e6)).toEqual({ kind: "shutdown", vcpu: 0 });
  });

  it("does not spin for ever on slices that retire nothing, nor on timers that fire at once", () => {
    const { scheduler, first, timers } = machine(1);
    first.work = () => ({ kind: "budget" });
    expect(scheduler.run(1000)).toEqual({ kind: "yield" });
    first.work = () => ({ kind: "halt" });
    const timer = timers.create(() => timer.set(0));
    timer.set(0);
    expect(scheduler.run(1e6)).toEqual({ kind: "yield" });
  });
});
