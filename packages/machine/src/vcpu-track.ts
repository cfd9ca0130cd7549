// SPDX-License-Identifier: Apache-2.0
import type { CpuStatistics } from "@isola/isa-x86";
import type { TraceSink } from "@isola/ports";
import type { VcpuExit } from "./vcpu.js";

/** The row of one vCPU in a trace: slices of guest code, sleeps, interrupts. */
export class VcpuTrack {
  private start = 0;
  private haltedAt = -1;
  private exits: number;
  private blocks: number;
  private faults: number;

  constructor(
    private readonly sink: TraceSink,
    private readonly track: number,
    private readonly statistics: CpuStatistics,
  ) {
    this.exits = statistics.exitCount;
    this.blocks = statistics.blocksDecoded;
    this.faults = statistics.word("pageFaults");
  }

  begin(now: number): void {
    this.start = now;
  }

  end(now: number, instructions: number, exit: VcpuExit["kind"]): void {
    const { exitCount, blocksDecoded } = this.statistics;
    const faults = this.statistics.word("pageFaults");
    this.sink.slice(this.track, "guest", this.start, now - this.start, {
      instructions,
      end: exit,
      exits: exitCount - this.exits,
      blocksDecoded: blocksDecoded - this.blocks,
      pageFaults: faults - this.faults,
    });
    this.exits = exitCount;
    this.blocks = blocksDecoded;
    this.faults = faults;
    if (exit === "halt") this.haltedAt = now;
  }

  woken(now: number): void {
    if (this.haltedAt < 0) return;
    this.sink.slice(this.track, "HLT", this.haltedAt, now - this.haltedAt);
    this.haltedAt = -1;
  }

  interrupt(vector: number, now: number): void {
    this.sink.instant(this.track, `interrupt 0x${vector.toString(16)}`, now);
  }
}
