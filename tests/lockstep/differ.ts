// SPDX-License-Identifier: Apache-2.0
import { RandomNumbers } from "../fuzz/random-program.js";
import { difference, differentBytes, differentFields } from "./comparison.js";
import { assemble, type AssembledProgram, type GuestProgram } from "./guest-program.js";
import { LockstepCpu } from "./lockstep-cpu.js";
import type { LockstepPolicy } from "./policies.js";

/** Calls of `run` a program gets, and instructions of each: at least as many as any block has. */
const RUNS = 60;
const MIN_BUDGET = 64;
const MAX_BUDGET = 1000;
const FIRST_VECTOR = 0x48;

export interface Divergence {
  readonly policy: LockstepPolicy;
  /** Number of the run after which the two differ. */
  readonly run: number;
  readonly found: readonly string[];
}

/** What the programs have done so far, to see whether they test anything. */
export interface DifferStatistics {
  instructions: number;
  exceptions: number;
  shutdowns: number;
}

function differences(a: LockstepCpu, b: LockstepCpu): string[] {
  const [left, right] = [a.device.history, b.device.history];
  return [
    ...differentFields(a, b),
    ...(left === right ? [] : [difference("history of the device", BigInt(left), BigInt(right))]),
    ...differentBytes(a.memory, b.memory),
  ];
}

/** What happens around a program: it follows from its seed. */
class Surroundings {
  private readonly random: RandomNumbers;

  constructor(private readonly program: GuestProgram) {
    this.random = new RandomNumbers(program.seed ^ 0x5eed);
  }

  /** Does to all vCPUs what comes before a run. Returns the budget of that. */
  next(run: number, all: readonly LockstepCpu[]): number {
    const { random, program } = this;
    const budget = MIN_BUDGET + random.below(MAX_BUDGET);
    const interrupt = random.below(10) === 0;
    const disturbance = random.below(8) === 0 ? random.below(256) : -1;
    if (random.below(4) === 0) for (const cpu of all) cpu.finishCompilations();
    if (!program.disturbed) return budget;
    for (const cpu of all) {
      if (interrupt) cpu.device.interrupt(FIRST_VECTOR + (run & 7));
      if (disturbance >= 0) cpu.disturb(disturbance);
    }
    return budget;
  }
}

/** Executes a program for the sake of the code that is compiled. */
function rehearse(cpu: LockstepCpu, program: GuestProgram, assembled: AssembledProgram): void {
  cpu.load(program, assembled);
  const surroundings = new Surroundings(program);
  for (let run = 0; run < RUNS; run++) {
    const { kind } = cpu.run(surroundings.next(run, [cpu]));
    if (kind === "shutdown") return;
    if (kind === "halt") cpu.handleHalt();
  }
}

/** A vCPU that only interprets, and those that it is compared with. */
export class Differ {
  readonly statistics: DifferStatistics = { instructions: 0, exceptions: 0, shutdowns: 0 };
  private readonly reference = new LockstepCpu({ name: "off", translation: "off" });
  private readonly others: readonly LockstepCpu[];

  constructor(policies: readonly LockstepPolicy[]) {
    this.others = policies.map((policy) => new LockstepCpu(policy));
  }

  /** What the translators of the others have done, as text. */
  describeTranslators(): string {
    const lines = this.others.map(
      ({ policy, engine }) => `${policy.name}: ${JSON.stringify(engine.translator.statistics)}`,
    );
    return lines.join("\n");
  }

  /** Runs a program on all of them. Null if nothing differs, or if the program does not fit its pages. */
  run(program: GuestProgram): Divergence | null {
    const assembled = assemble(program);
    return assembled === null ? null : this.runAssembled(program, assembled);
  }

  private runAssembled(program: GuestProgram, assembled: AssembledProgram): Divergence | null {
    const { reference } = this;
    const all = [reference, ...this.others];
    for (const cpu of this.others) if (cpu.policy.kept === true) rehearse(cpu, program, assembled);
    for (const cpu of all) cpu.load(program, assembled);
    const surroundings = new Surroundings(program);
    for (let run = 0; run < RUNS; run++) {
      const budget = surroundings.next(run, all);
      const exits = all.map((cpu) => cpu.run(budget).kind);
      for (const [i, other] of this.others.entries()) {
        const found = differences(reference, other);
        if (exits[i + 1] !== exits[0]) found.unshift(`exit: ${exits[0]} against ${exits[i + 1]}`);
        if (found.length > 0) return { policy: other.policy, run, found };
      }
      this.statistics.instructions += budget - reference.cpu.budgetLeft;
      if (exits[0] === "shutdown") {
        this.statistics.shutdowns++;
        return null;
      }
      if (exits[0] !== "halt") continue;
      this.statistics.exceptions++;
      for (const cpu of all) cpu.handleHalt();
    }
    return null;
  }
}
