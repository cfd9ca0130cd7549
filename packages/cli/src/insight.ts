// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, writeFileSync } from "node:fs";
import { orFileError, ReplaceableFile } from "@isola/host-node";
import type { MachinePorts } from "@isola/machine";
import type { UserNetworkCounters } from "@isola/network";
import {
  ChromeTrace,
  collapsedStacks,
  flameGraph,
  GuestProfiler,
  isKernel,
  loadSymbols,
  type SymbolTable,
} from "@isola/observe";
import type { Vm } from "@isola/vmm";
import type { InsightRequest, ProfileRequest, StatisticsFormat, SymbolFile } from "./insight-request.js";
import { readBootFile, stderrLog } from "./machine-files.js";
import { statisticsText } from "./statistics-text.js";

/** A trace beyond this is of no use to any viewer. */
const MAX_TRACE_BYTES = 256 * 2 ** 20;

function printStatistics(vm: Vm, nat: UserNetworkCounters | null, format: StatisticsFormat): void {
  const statistics = { ...vm.statistics(), ...(nat !== null && { nat }) };
  process.stderr.write(
    format === "json"
      ? `${JSON.stringify(statistics)}\n`
      : `\nisola: what was counted\n${statisticsText(statistics, nat)}`,
  );
}

function readSymbols({ path, base }: SymbolFile): SymbolTable {
  const symbols = loadSymbols(readBootFile(path), path);
  return base === 0n ? symbols : symbols.moved(base);
}

function makeProfiler(request: ProfileRequest): GuestProfiler {
  const tables = request.symbols.map(readSymbols);
  const kernel = tables.find(isKernel) ?? null;
  return new GuestProfiler({ period: request.period, kernel, programs: tables.filter((table) => table !== kernel) });
}

/** Finds out now, and not when a long run is over, that a file cannot be written. */
function checkWritable(path: string): void {
  orFileError("write", path, () => closeSync(openSync(path, "a")));
}

function writeText(path: string, text: string): void {
  orFileError("write", path, () => writeFileSync(path, text));
}

/** What the operator wants to see of a machine: gathered while it runs, shown at its end. */
export class Insight {
  /** What the machine needs for that. */
  readonly ports: Pick<MachinePorts, "trace" | "profile">;
  private readonly statistics: StatisticsFormat | null;
  private readonly trace: { readonly events: ChromeTrace; readonly file: ReplaceableFile } | null = null;

  private readonly profile: { readonly profiler: GuestProfiler; readonly request: ProfileRequest } | null = null;

  /** Throws OperatorError if a file cannot be made or read. */
  constructor(request: InsightRequest) {
    this.statistics = request.statistics;
    if (request.profile !== null) {
      this.profile = { profiler: makeProfiler(request.profile), request: request.profile };
      checkWritable(request.profile.graph);
      checkWritable(request.profile.stacks);
    }
    if (request.trace !== null) {
      const file = new ReplaceableFile(request.trace, stderrLog);
      this.trace = { file, events: new ChromeTrace(file, { maxBytes: MAX_TRACE_BYTES }) };
    }
    this.ports = {
      ...(this.trace !== null && { trace: this.trace.events }),
      ...(this.profile !== null && { profile: this.profile.profiler }),
    };
  }

  /** Prints and writes what was gathered. The machine has stopped. */
  show(vm: Vm, nat: UserNetworkCounters | null): void {
    if (this.statistics !== null) printStatistics(vm, nat, this.statistics);
    if (this.profile !== null) this.writeProfile(this.profile.profiler, this.profile.request);
  }

  /** Closes files, whether a machine ran or not. */
  close(): void {
    this.trace?.events.close();
    this.trace?.file.close();
  }

  private writeProfile(profiler: GuestProfiler, { graph, stacks }: ProfileRequest): void {
    const profile = profiler.profile();
    writeText(stacks, collapsedStacks(profile));
    writeText(graph, flameGraph(profile, "Host time by guest function"));
  }
}
