// SPDX-License-Identifier: Apache-2.0
import type { ProgressEvent } from "@isola/images";

const BAR_WIDTH = 24;
const REDRAW_MS = 100;
const LABELS: { readonly [K in ProgressEvent["step"]]: string } = {
  release: "reading the archive's release file",
  index: "reading the package index",
  resolve: "choosing packages",
  download: "downloading packages",
  unpack: "unpacking packages",
  initrd: "writing the initial RAM disk",
  disk: "writing the disk",
  configure: "configuring packages inside the machine",
  ready: "ready",
};

/** Bytes of a terminal, standard error as a rule. */
export interface ProgressTerminal {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

/** Draws progress as one line that is overwritten; where there is no terminal, as one line for each step. */
export class ProgressBar {
  private step: ProgressEvent["step"] | null = null;
  private drawnAt = 0;
  private drawn = false;

  constructor(
    private readonly terminal: ProgressTerminal,
    private readonly now: () => number,
  ) {}

  /** Takes one event. */
  show(event: ProgressEvent): void {
    if (event.warning !== undefined) {
      this.clear();
      this.terminal.write(`isola: warning: ${event.warning}\n`);
      return;
    }
    const changed = event.step !== this.step;
    this.step = event.step;
    if (!this.terminal.isTTY) {
      if (changed && event.step !== "ready") this.terminal.write(`isola: ${LABELS[event.step]}\n`);
      return;
    }
    const now = this.now();
    if (!changed && now - this.drawnAt < REDRAW_MS && event.done < event.total) return;
    this.drawnAt = now;
    this.draw(event);
  }

  /** Removes the line, so that other output begins on a clean one. */
  clear(): void {
    if (!this.drawn) return;
    this.drawn = false;
    this.terminal.write("\r\x1b[K");
  }

  private draw({ step, done, total }: ProgressEvent): void {
    const label = LABELS[step];
    let text = label;
    if (total > 0) {
      const part = Math.min(1, done / total);
      const filled = Math.round(part * BAR_WIDTH);
      const bar = "#".repeat(filled) + "-".repeat(BAR_WIDTH - filled);
      text = `${label.padEnd(30)} [${bar}] ${String(Math.floor(part * 100)).padStart(3)}%`;
    }
    this.drawn = true;
    this.terminal.write(`\r${text.slice(0, Math.max(20, this.terminal.columns - 1))}\x1b[K`);
  }
}
