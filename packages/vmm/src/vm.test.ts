// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { MachineStatistics, RunOutcome } from "@isola/machine";
import type { DebugEvent, DebugMachine, EventLoop } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { LEGAL_STATES, type VmmAction, type VmmActionType } from "./action.js";
import type { VmmEvent } from "./event.js";
import type { MachineControl } from "./machine-control.js";
import { flattenStatistics } from "./statistics.js";
import { StateError, type VmState } from "./state.js";
import { Vm } from "./vm.js";

/** Where debuggers find nothing. */
function fakeDebugMachine(): DebugMachine {
  const none = new Uint8Array();
  return {
    vcpus: 1,
    vcpuState: () => "running",
    readRegister: () => null,
    writeRegister: () => false,
    readMemory: () => none,
    writeMemory: () => false,
    readPhysical: () => none,
    writePhysical: () => false,
    insertPoint: () => false,
    removePoint: () => false,
    removeAllPoints: () => {},
    describeRegisters: () => "",
    describeMappings: () => "",
    setResume: () => {},
  };
}

/** A machine that follows a script of outcomes. */
class FakeMachine implements MachineControl {
  onWake = () => {};
  onSerialReady: (port: number) => void = () => {};
  readonly serialPorts = 1;
  readonly debugger = fakeDebugMachine();
  readonly log: string[] = [];
  readonly shares: number[] = [];
  outcomes: (RunOutcome | Error)[] = [];
  room = 4;

  boot(): void {
    this.log.push("boot");
  }

  run(share: number): RunOutcome {
    this.shares.push(share);
    const next = this.outcomes.shift() ?? { kind: "idle", delay: null };
    if (next instanceof Error) throw next;
    this.log.push(`run:${next.kind}`);
    return next;
  }

  pauseTime(): void {
    this.log.push("time stops");
  }

  resumeTime(): void {
    this.log.push("time runs");
  }

  pressPowerButton(): void {
    this.log.push("power button");
  }

  injectNmi(): void {
    this.log.push("nmi");
  }

  serialInput(_port: number, bytes: Uint8Array): number {
    const taken = Math.min(this.room, bytes.length);
    this.room -= taken;
    if (taken > 0) this.log.push(`input:${String.fromCharCode(...bytes.subarray(0, taken))}`);
    return taken;
  }

  saveTranslations(): Iterable<Uint8Array> | null {
    return null;
  }
  statistics(): MachineStatistics {
    const machine = { guestTime: 1, hostTime: 2, shares: 3, boots: 4, timersFired: 5 };
    const accesses = { portReads: { rtc: 6 }, portWrites: {}, mmioReads: {}, mmioWrites: {} };
    const tiers = { instructionsInterpreted: 0, instructionsCompiled: 0 };
    const code = {
      ...tiers,
      blocksInvalidated: 7,
      blocksEvicted: 0,
      arenaEvictions: 0,
      pagesProtected: 0,
      arenaBytes: 8,
    };
    const regions = {
      modules: 0,
      regions: 0,
      blocks: 0,
      records: 0,
      regionsPromoted: 0,
      regionsReused: 0,
      regionsInvalidated: 0,
      regionsEvicted: 0,
    };
    const compiler = { ...regions, regionsLive: 0, wasmBytes: 0, generationTime: 0, moduleTime: 13, backgroundTime: 0 };
    const disk = { requests: { read: 9 }, bytesRead: 10, bytesWritten: 0, errors: 0, time: 0 };
    return {
      version: 1,
      machine: { ...machine, ...accesses },
      vcpus: [],
      code,
      compiler,
      disks: [disk],
      networks: [],
      serial: [{ bytesOut: 11, bytesIn: 12 }],
    };
  }

  screen(): null {
    return null;
  }

  screenText(): null {
    return null;
  }

  keyInput({ code, pressed }: { code: number; pressed: boolean }): void {
    this.log.push(`key ${code} ${pressed ? "down" : "up"}`);
  }

  setBalloon(memory: number): void {
    this.log.push(`balloon ${memory}`);
  }

  balloonState(): null {
    return null;
  }

  mouseInput({ dx, dy }: { dx: number; dy: number }): void {
    this.log.push(`mouse ${dx} ${dy}`);
  }

  dial(): null {
    this.log.push("dial");
    return null;
  }

  describeVcpu(index: number): string {
    return `registers of ${index}`;
  }

  async close(): Promise<void> {
    this.log.push("close");
  }
}

/** Runs tasks when told to. */
class FakeLoop implements EventLoop {
  readonly share = 4000;
  tasks: (() => void)[] = [];
  timers: { delay: number; task: () => void }[] = [];

  soon(task: () => void): void {
    this.tasks.push(task);
  }

  later(delay: number, task: () => void): () => void {
    const timer = { delay, task };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }

  run(): void {
    while (this.tasks.length > 0) this.tasks.shift()?.();
  }
}

function setUp(onGuestReset: "restart" | "stop" = "restart") {
  const machine = new FakeMachine();
  const loop = new FakeLoop();
  const vm = new Vm(machine, loop, { onGuestReset });
  const events: VmmEvent[] = [];
  vm.listen((event) => events.push(event));
  return { machine, loop, vm, events };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const ACTIONS: readonly VmmAction[] = [
  { type: "start" },
  { type: "pause" },
  { type: "resume" },
  { type: "stop" },
  { type: "reset" },
  { type: "press-power-button" },
  { type: "inject-nmi" },
  { type: "serial-input", port: 0, bytes: Uint8Array.of(65) },
  { type: "key-input", code: 0x1e, pressed: true },
  { type: "mouse-input", dx: 1, dy: 1, wheel: 0, buttons: 0 },
  { type: "set-balloon", memory: 1 << 20 },
];

function inState(state: VmState): Vm {
  const { vm } = setUp();
  if (state !== "created") vm.perform({ type: "start" });
  if (state === "paused") vm.perform({ type: "pause" });
  if (state === "stopped") vm.perform({ type: "stop" });
  return vm;
}

describe("Vm", () => {
  it("runs, sleeps until the next timer, and stops when the guest does", async () => {
    const { machine, loop, vm, events } = setUp();
    machine.outcomes = [{ kind: "yield" }, { kind: "idle", delay: 5000 }, { kind: "power-off" }];
    vm.perform({ type: "start" });
    loop.run();
    expect(loop.timers.map(({ delay }) => delay)).toEqual([5000]);
    loop.timers.shift()?.task();
    await settled();
    expect(machine.log).toEqual(["boot", "time runs", "run:yield", "run:idle", "run:power-off", "time stops", "close"]);
    expect(vm.state).toBe("stopped");
    expect(events).toEqual([
      { type: "state", state: "running", previous: "created" },
      { type: "state", state: "stopped", previous: "running" },
      { type: "stopped", reason: { kind: "power-off" } },
    ]);
  });

  it("looks at the host more often while things come from outside", () => {
    const { machine, loop, vm } = setUp();
    const turns = (count: number): number[] => {
      machine.outcomes = [
        ...Array.from({ length: count }, () => ({ kind: "yield" }) as const),
        { kind: "idle", delay: 1 },
      ];
      machine.shares.length = 0;
      loop.run();
      return machine.shares;
    };
    vm.perform({ type: "start" });
    expect(new Set(turns(5))).toEqual(new Set([4000]));
    machine.onWake();
    const after = turns(100);
    expect(after.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 1000));
    expect(after.at(-1)).toBe(4000);
  });

  it("wakes an idle machine", () => {
    const { machine, loop, vm } = setUp();
    vm.perform({ type: "start" });
    loop.run();
    expect(loop.timers).toHaveLength(1);
    machine.onWake();
    expect(loop.timers).toHaveLength(0);
    loop.run();
    expect(machine.log.filter((entry) => entry === "run:idle")).toHaveLength(2);
  });

  it("hands a stop to its debugger, and a triple fault before it ends", async () => {
    const { machine, loop, vm } = setUp();
    const heard: DebugEvent[] = [];
    const debug = vm.debug();
    debug.onEvent = (event) => heard.push(event);
    machine.outcomes = [
      { kind: "debug", vcpu: 0, stop: { kind: "step" } },
      { kind: "shutdown", vcpu: 0 },
    ];
    vm.perform({ type: "start" });
    loop.run();
    expect([vm.state, debug.state]).toEqual(["paused", "stopped"]);
    debug.resume([]);
    loop.run();
    expect(debug.state).toBe("stopped");
    debug.resume([]);
    await settled();
    expect(heard).toEqual([
      { kind: "stop", vcpu: 0, stop: { kind: "step" } },
      { kind: "triple-fault", vcpu: 0 },
      { kind: "ended", status: 139 },
    ]);
  });

  it("goes on when its debugger goes", () => {
    const { loop, vm } = setUp();
    vm.perform({ type: "start" });
    const debug = vm.debug();
    debug.interrupt();
    expect(vm.state).toBe("paused");
    debug.detach();
    debug.detach();
    loop.run();
    expect(vm.state).toBe("running");
  });

  it("does nothing while paused", () => {
    const { machine, loop, vm } = setUp();
    machine.outcomes = [{ kind: "yield" }, { kind: "yield" }];
    vm.perform({ type: "start" });
    vm.perform({ type: "pause" });
    loop.run();
    machine.onWake();
    loop.run();
    expect(machine.log).toEqual(["boot", "time runs", "time stops"]);
    vm.perform({ type: "resume" });
    loop.run();
    expect(machine.log.slice(3)).toEqual(["time runs", "run:yield", "run:yield", "run:idle"]);
  });

  it.each([
    ["restart", "running"],
    ["stop", "stopped"],
  ] as const)("answers a guest's reset as told: %s", async (onGuestReset, state) => {
    const { machine, loop, vm, events } = setUp(onGuestReset);
    machine.outcomes = [{ kind: "reset" }];
    vm.perform({ type: "start" });
    loop.run();
    await settled();
    expect(vm.state).toBe(state);
    expect(events.some(({ type }) => type === "restarted")).toBe(onGuestReset === "restart");
  });

  it("reports triple faults with registers, debug exits, and its own failures", async () => {
    const outcomes = [
      { kind: "shutdown", vcpu: 2 } as const,
      { kind: "debug-exit", status: 33 } as const,
      new Error("bug"),
    ];
    const reasons = [];
    for (const outcome of outcomes) {
      const { machine, loop, vm, events } = setUp();
      machine.outcomes = [outcome];
      vm.perform({ type: "start" });
      loop.run();
      await settled();
      reasons.push(events.find((event) => event.type === "stopped")?.reason);
    }
    expect(reasons).toEqual([
      { kind: "triple-fault", vcpu: 2, report: "registers of 2" },
      { kind: "debug-exit", status: 33 },
      { kind: "failed", error: outcomes[2] },
    ]);
  });

  it("keeps input in order until the port has room", () => {
    const { machine, loop, vm, events } = setUp();
    vm.perform({ type: "start" });
    loop.run();
    const type = (text: string) => vm.perform({ type: "serial-input", port: 0, bytes: new TextEncoder().encode(text) });
    type("abcdef");
    type("gh");
    expect(vm.pendingInput(0)).toBe(4);
    machine.room = 10;
    machine.onSerialReady(0);
    expect(vm.pendingInput(0)).toBe(0);
    expect(machine.log.filter((entry) => entry.startsWith("input"))).toEqual(["input:abcd", "input:ef", "input:gh"]);
    expect(events.at(-1)).toEqual({ type: "input-drained", port: 0 });
    expect(() => vm.perform({ type: "serial-input", port: 7, bytes: new Uint8Array(1) })).toThrow(/no serial port 7/);
  });

  it("gives its statistics in every state, and they have flat names", () => {
    for (const state of ["created", "running", "paused", "stopped"] as const)
      expect(flattenStatistics(inState(state).statistics())).toMatchObject({
        "machine.guestTime": 1,
        "machine.portReads.rtc": 6,
        "code.arenaBytes": 8,
        "compiler.moduleTime": 13,
        "disk.0.requests.read": 9,
        "serial.0.bytesIn": 12,
      });
  });

  it("stays created when it cannot boot", () => {
    const { machine, vm } = setUp();
    machine.boot = () => {
      throw new OperatorError("kernel-not-bootable", "k is empty");
    };
    expect(() => vm.perform({ type: "start" })).toThrow("k is empty");
    expect(vm.state).toBe("created");
  });

  it.each(["created", "running", "paused", "stopped"] as const)(
    "allows what is legal when %s, and nothing else",
    (state) => {
      for (const action of ACTIONS) {
        const vm = inState(state);
        const legal: readonly VmState[] = LEGAL_STATES[action.type satisfies VmmActionType];
        if (legal.includes(state)) expect(() => vm.perform(action)).not.toThrow();
        else expect(() => vm.perform(action)).toThrow(StateError);
      }
    },
  );
});
