// SPDX-License-Identifier: Apache-2.0
import type { DebugResume, DebugStop } from "@isola/ports";

/** What a debugger on the host wants of one vCPU, and why that one has stopped for it. */
export class VcpuDebug {
  /** How it goes on. */
  resume: DebugResume = { kind: "continue" };
  /** Set when the vCPU must stop; taken by {@link takeStop}. */
  stop: DebugStop | null = null;
  /** Linear address at which it stopped: the instruction there is executed first, whatever breakpoint it has. */
  private stoppedAt: bigint | null = null;

  /** Whether instructions are executed one at a time. */
  get stepping(): boolean {
    return this.resume.kind === "step" || this.resume.kind === "range";
  }

  /** Whether the vCPU has just stopped at `linear`, so that it must not stop there again without having moved. */
  passes(linear: () => bigint): boolean {
    if (this.stoppedAt === null) return false;
    const passes = this.stoppedAt === linear();
    this.stoppedAt = null;
    return passes;
  }

  /** Whether a step to `rip` is all that was asked for. */
  isDone(rip: bigint): boolean {
    return this.resume.kind !== "range" || rip < this.resume.from || rip >= this.resume.to;
  }

  takeStop(stop: DebugStop, linear: bigint): DebugStop {
    this.stop = null;
    this.stoppedAt = linear;
    return stop;
  }

  /** The instruction pointer was changed, or the processor reset: whatever breakpoint is there now counts. */
  moved(): void {
    this.stoppedAt = null;
  }
}
