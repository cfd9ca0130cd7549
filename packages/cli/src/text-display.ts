// SPDX-License-Identifier: Apache-2.0
import type { Vm } from "@isola/vmm";

const CLEAR = "\x1b[2J";
const HOME = "\x1b[H";
const PERIOD_MS = 100;
const NO_TEXT = ["(the machine shows graphics; --screenshot saves a picture)"];

function moveTo(row: number): string {
  return `\x1b[${row + 1};1H`;
}

/** Draws a machine's text screen on a terminal, line by line where it has changed. */
export class TextDisplay {
  private shown: readonly string[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly vm: Vm,
    private readonly write: (text: string) => void,
  ) {}

  open(): void {
    this.write(CLEAR + HOME);
    this.timer = setInterval(() => this.draw(), PERIOD_MS);
    this.timer.unref();
  }

  /** Draws what has changed; called by itself while open. */
  draw(): void {
    const lines = this.vm.screenText() ?? NO_TEXT;
    const rows = Math.max(lines.length, this.shown.length);
    let text = "";
    for (let row = 0; row < rows; row++) {
      const line = lines[row] ?? "";
      if (line !== this.shown[row]) text += `${moveTo(row)}${line}\x1b[K`;
    }
    this.shown = lines;
    if (text !== "") this.write(text + moveTo(lines.length - 1));
  }

  close(): void {
    if (this.timer === null) return;
    clearInterval(this.timer);
    this.timer = null;
    this.draw();
    this.write("\r\n");
  }
}
