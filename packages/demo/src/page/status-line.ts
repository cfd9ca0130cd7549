// SPDX-License-Identifier: Apache-2.0
import type { MachineStatistics, VmState } from "@isola/vmm";
import { element, sizeText } from "./element.js";

const show = (id: string, text: string): void => {
  element(id, HTMLSpanElement).textContent = text;
};

const instructionsOf = ({ vcpus }: MachineStatistics): number => vcpus.reduce((sum, one) => sum + one.instructions, 0);

/** What the machine does, in a line. */
export class StatusLine {
  private readonly line = element("status", HTMLElement);
  private last: { readonly statistics: MachineStatistics; readonly at: number } | null = null;

  constructor(memory: number) {
    this.line.hidden = false;
    show("usage", `${sizeText(memory)} memory`);
    for (const id of ["speed", "tier", "traffic"]) show(id, "");
  }

  state(state: VmState | "loading", detail = ""): void {
    show("state", detail === "" ? state : `${state}: ${detail}`);
    this.line.dataset["state"] = state;
  }

  update(statistics: MachineStatistics): void {
    const at = performance.now();
    const { last } = this;
    this.last = { statistics, at };
    const { regionsLive, generationTime, moduleTime } = statistics.compiler;
    show("tier", `${regionsLive} compiled regions, ${((generationTime + moduleTime) / 1e9).toFixed(1)} s compiling`);
    const moved = (which: "bytesRead" | "bytesWritten"): number =>
      statistics.disks.reduce((sum, disk) => sum + disk[which], 0);
    show("traffic", `${sizeText(moved("bytesRead"))} read, ${sizeText(moved("bytesWritten"))} written`);
    if (last === null) return;
    const worked = statistics.machine.hostTime - last.statistics.machine.hostTime;
    const busy = Math.min(1, worked / (1e6 * (at - last.at)));
    const executed = instructionsOf(statistics) - instructionsOf(last.statistics);
    const speed = worked > 0 ? (executed * 1e3) / worked : 0;
    show("speed", `${speed.toFixed(0)} MIPS, ${(100 * busy).toFixed(0)} % busy`);
  }

  close(): void {
    this.line.hidden = true;
  }
}
