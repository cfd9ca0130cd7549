// SPDX-License-Identifier: Apache-2.0
import type { CpuStatistics } from "@isola/isa-x86";
import type { TraceSink } from "@isola/ports";
import type { VcpuExit } from "./vcpu.js";

/** Slices that follow each other within this time, in ns, are shown as one, */
const MAX_GAP = 20_000;
/** as long as that one is not longer than this. */
const MAX_SLICE = 1e6;

/** Slices that are shown as one. */
interface OpenSlice {
  readonly start: number;
  end: number;
  instructions: number;
  slices: number;
  exit: VcpuExit["kind"];
}

/** The row of one vCPU in a trace: slices of guest code, sleeps, interrupts. */
export class VcpuTrack {
  private open: OpenSlice | null = null;
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
    const { open } = this;
    if (open !== null && (now - open.end > MAX_GAP || now - open.start > MAX_SLICE)) this.flush();
  }

  end(now: number, instructions: number, exit: VcpuExit["kind"]): void {
    this.open ??= { start: this.start, end: now, instructions: 0, slices: 0, exit };
    const { open } = this;
    open.end = now;
    open.instructions += instructions;
    open.slices++;
    open.exit = exit;
    if (exit === "budget") return;
    this.flush();
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

  /** The machine ends: shows what is not finished up to now. */
  close(now: number): void {
    this.flush();
    this.woken(now);
  }

  private flush(): void {
    if (this.open === null) return;
    const { start, end, instructions, slices, exit } = this.open;
    const { exitCount, blocksDecoded } = this.statistics;
    const faults = this.statistics.word("pageFaults");
    this.sink.slice(this.track, "guest", start, end - start, {
      instructions,
      slices,
      end: exit,
      exits: exitCount - this.exits,
      blocksDecoded: blocksDecoded - this.blocks,
      pageFaults: faults - this.faults,
    });
    this.exits = exitCount;
    this.blocks = blocksDecoded;
    this.faults = faults;
    this.open = null;
  }
}
