// SPDX-License-Identifier: Apache-2.0
import { ReplaceableFile } from "@isola/host-node";
import type { MachinePorts } from "@isola/machine";
import { ChromeTrace } from "@isola/observe";
import type { Vm } from "@isola/vmm";
import type { InsightRequest, StatisticsFormat } from "./insight-request.js";
import { stderrLog } from "./machine-files.js";
import { statisticsText } from "./statistics-text.js";

/** A trace beyond this is of no use to any viewer. */
const MAX_TRACE_BYTES = 256 * 2 ** 20;

function printStatistics(vm: Vm, format: StatisticsFormat): void {
  const statistics = vm.statistics();
  process.stderr.write(
    format === "json" ? `${JSON.stringify(statistics)}\n` : `\nisola: what was counted\n${statisticsText(statistics)}`,
  );
}

/** What the operator wants to see of a machine: gathered while it runs, shown at its end. */
export class Insight {
  /** What the machine needs for that. */
  readonly ports: Pick<MachinePorts, "trace">;
  private readonly statistics: StatisticsFormat | null;
  private readonly trace: { readonly events: ChromeTrace; readonly file: ReplaceableFile } | null = null;

  /** Throws OperatorError if a file cannot be made. */
  constructor(request: InsightRequest) {
    this.statistics = request.statistics;
    if (request.trace !== null) {
      const file = new ReplaceableFile(request.trace, stderrLog);
      this.trace = { file, events: new ChromeTrace(file, { maxBytes: MAX_TRACE_BYTES }) };
    }
    this.ports = this.trace === null ? {} : { trace: this.trace.events };
  }

  /** Prints and writes what was gathered. The machine has stopped. */
  show(vm: Vm): void {
    if (this.statistics !== null) printStatistics(vm, this.statistics);
  }

  /** Closes files, whether a machine ran or not. */
  close(): void {
    this.trace?.events.close();
    this.trace?.file.close();
  }
}
