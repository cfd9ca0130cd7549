// SPDX-License-Identifier: Apache-2.0
import type { LabelledCounts } from "@isola/base";
import { compilerCounters, type X86Engine } from "@isola/isa-x86";
import type { AccessCounts, Bus } from "@isola/memory";
import type { Board } from "./board.js";
import type { MachineStatistics } from "./counters.js";
import type { ObservedWasm } from "./observed-wasm.js";
import type { Scheduler } from "./scheduler.js";
import type { TimerQueue } from "./timer-queue.js";
import type { X86Vcpu } from "./x86-vcpu.js";

/** Where a machine's counters are kept. */
export interface StatisticsSources {
  readonly engine: X86Engine;
  readonly wasm: ObservedWasm;
  readonly vcpus: readonly X86Vcpu[];
  readonly scheduler: Scheduler;
  readonly timers: TimerQueue;
  readonly board: Board;
  readonly io: Bus;
  readonly mmio: Bus;
}

/** What the machine itself counts. */
export interface MachineUsage {
  guestTime: number;
  hostTime: number;
  shares: number;
  boots: number;
}

function byDevice(bus: Bus, direction: keyof AccessCounts): LabelledCounts {
  const counts: Record<string, number> = {};
  for (const [device, accesses] of bus.accesses()) if (accesses[direction] > 0) counts[device] = accesses[direction];
  return counts;
}

/** Collects all counters of a machine. */
export function readStatistics(sources: StatisticsSources, usage: MachineUsage): MachineStatistics {
  const { engine, wasm, vcpus, scheduler, timers, board, io, mmio } = sources;
  const cpus = vcpus.map((vcpu, index) => ({ ...vcpu.statistics.read(), ...scheduler.sleepCounts(index) }));
  return {
    version: 1,
    machine: {
      ...usage,
      timersFired: timers.fired,
      portReads: byDevice(io, "reads"),
      portWrites: byDevice(io, "writes"),
      mmioReads: byDevice(mmio, "reads"),
      mmioWrites: byDevice(mmio, "writes"),
    },
    vcpus: cpus,
    code: engine.codeCounters(cpus.reduce((sum, { instructions }) => sum + instructions, 0)),
    compiler: {
      ...compilerCounters(engine.translator),
      moduleTime: wasm.time,
      backgroundTime: wasm.backgroundTime,
    },
    disks: board.stores.map((store) => store.counters()),
    networks: board.networkCounters(),
    serial: board.serialCounters(),
  };
}
