// SPDX-License-Identifier: Apache-2.0
import type { X86Engine } from "@isola/isa-x86";
import type { Clock, TraceSink } from "@isola/ports";
import type { ObservedSink } from "./observed-sink.js";
import type { ObservedWasm } from "./observed-wasm.js";
import type { ObservedStore } from "./observed-store.js";
import type { RunOutcome, SchedulerObserver } from "./scheduler.js";
import { TraceRows } from "./trace-rows.js";
import type { VcpuExit } from "./vcpu.js";
import { VcpuTrack } from "./vcpu-track.js";
import type { X86Vcpu } from "./x86-vcpu.js";

/** What a tracer watches. */
export interface TraceSources {
  readonly vcpus: readonly X86Vcpu[];
  readonly engine: X86Engine;
  readonly wasm: ObservedWasm;
  /** Stores behind the disks. */
  readonly stores: readonly ObservedStore[];
  /** Outputs of the serial ports. */
  readonly sinks: readonly ObservedSink[];
}

/** Host time in ns between two points of the graphs. */
const GRAPH_PERIOD = 10e6;
const NS_PER_S = 1e9;

/** Events a second, and bytes now. */
const GRAPHS = ["instructions/s", "exits/s", "TLB misses/s", "blocks decoded/s"] as const;

/**
 * Tells a trace what a machine does: a row for each vCPU with its slices, sleeps and interrupts, rows for the host's
 * thread, disks, serial ports and the compiler, and graphs of rates. All times are the host's.
 */
export class MachineTracer implements SchedulerObserver {
  private readonly tracks: readonly VcpuTrack[];
  private readonly host: number;
  private readonly compiler: number;
  private readonly serial: readonly { readonly track: number; readonly sink: ObservedSink; bytes: number }[];
  private graphTime: number;
  private graphCounts: number[];

  constructor(
    private readonly sink: TraceSink,
    private readonly clock: Clock,
    private readonly sources: TraceSources,
  ) {
    this.tracks = sources.vcpus.map(
      (vcpu, i) => new VcpuTrack(sink, sink.track("guest", `vCPU ${i}`), vcpu.statistics),
    );
    this.host = sink.track("host", "machine's thread");
    this.compiler = sink.track("host", "compiler");
    sources.stores.forEach((store, i) => this.watchStore(store, `disk ${i}`));
    this.serial = sources.sinks.map((output, i) => ({
      track: sink.track("devices", `serial port ${i}`),
      sink: output,
      bytes: output.bytes,
    }));
    sources.vcpus.forEach((vcpu, i) =>
      vcpu.listenToInterrupts((vector) => this.tracks[i].interrupt(vector, clock.now())),
    );
    const background = new TraceRows(sink, "host", "compiler on other threads");
    sources.wasm.onStep = ({ step, bytes, start, end }) => {
      if (step === "background") background.slice("compile", start, end, { bytes });
      else sink.slice(this.compiler, step, start, end - start, { bytes });
    };
    this.graphTime = clock.now();
    this.graphCounts = this.counts();
  }

  sliceBegins(vcpu: number): number {
    this.tracks[vcpu].begin(this.clock.now());
    return Number.POSITIVE_INFINITY;
  }

  sliceEnds(vcpu: number, instructions: number, exit: VcpuExit["kind"]): void {
    const now = this.clock.now();
    this.tracks[vcpu].end(now, instructions, exit);
    for (const port of this.serial) {
      const { bytes } = port.sink;
      if (bytes !== port.bytes) this.sink.instant(port.track, "output", now, { bytes: bytes - port.bytes });
      port.bytes = bytes;
    }
    if (now - this.graphTime >= GRAPH_PERIOD) this.drawGraphs(now);
  }

  woken(vcpu: number): void {
    this.tracks[vcpu].woken(this.clock.now());
  }

  /** The machine has had the thread since `start`. */
  ran(start: number, outcome: RunOutcome["kind"]): void {
    this.sink.slice(this.host, "run", start, this.clock.now() - start, { outcome });
  }

  /** The machine is switched on or reset. */
  booted(): void {
    this.sink.instant(this.host, "boot", this.clock.now());
  }

  /** The machine ends: sleeps that still last are shown up to now. */
  close(): void {
    const now = this.clock.now();
    for (const track of this.tracks) track.close(now);
    this.drawGraphs(now);
  }

  private watchStore(store: ObservedStore, name: string): void {
    const rows = new TraceRows(this.sink, "devices", name);
    store.onRequest = ({ operation, offset, bytes, start, end, failed }) =>
      rows.slice(operation, start, end, { offset, bytes, ...(failed && { failed: "yes" }) });
  }

  private counts(): number[] {
    const all = this.sources.vcpus.map(({ statistics }) => [
      statistics.instructions,
      statistics.exitCount,
      statistics.word("pageWalks"),
      statistics.blocksDecoded,
    ]);
    return GRAPHS.map((_, i) => all.reduce((sum, counts) => sum + counts[i], 0));
  }

  private drawGraphs(now: number): void {
    const elapsed = now - this.graphTime;
    if (elapsed <= 0) return;
    const counts = this.counts();
    GRAPHS.forEach((name, i) => {
      const rate = Math.round(((counts[i] - this.graphCounts[i]) * NS_PER_S) / elapsed);
      this.sink.counter(name, now, { all: rate });
    });
    const { decoder, translator } = this.sources.engine;
    this.sink.counter("decoded code", now, { bytes: decoder.bytesUsed });
    this.sink.counter("compiled regions", now, { live: translator.statistics.live });
    this.graphTime = now;
    this.graphCounts = counts;
  }
}
