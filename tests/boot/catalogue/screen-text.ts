// SPDX-License-Identifier: Apache-2.0

/** What `--display text` sends beside text: clear all, clear the rest of the line, go home, go to the start of a line. */
const SEQUENCE = new RegExp(`^${String.fromCharCode(0x1b)}\\[(?:(2J)|(K)|(?:(\\d+);1)?H)`, "u");
const LONGEST = 12;

/** The text screen of a machine, put together from what `--display text` writes. */
export class ScreenText {
  private lines: string[] = [];
  private row = 0;
  private column = 0;
  /** The beginning of a sequence whose end has not arrived. */
  private rest = "";
  /** How often something has been drawn. */
  draws = 0;

  write(output: string): void {
    const text = this.rest + output;
    this.rest = "";
    for (let at = 0; at < text.length;) {
      const escape = text.indexOf("\x1b", at);
      this.put(text.slice(at, escape < 0 ? text.length : escape));
      if (escape < 0) return;
      const sequence = SEQUENCE.exec(text.slice(escape, escape + LONGEST));
      if (sequence === null) {
        this.rest = text.slice(escape);
        return;
      }
      this.perform(sequence);
      at = escape + sequence[0].length;
    }
  }

  /** The lines that are on the screen, each without the spaces that trail it; empty ones at the end are left out. */
  toString(): string {
    return Array.from(this.lines, (line) => (line ?? "").trimEnd())
      .join("\n")
      .trimEnd();
  }

  private put(text: string): void {
    if (text === "") return;
    const line = (this.lines[this.row] ?? "").padEnd(this.column);
    this.lines[this.row] = line.slice(0, this.column) + text + line.slice(this.column + text.length);
    this.column += text.length;
    this.draws++;
  }

  private perform([, clear, clearLine, row]: RegExpExecArray): void {
    if (clear !== undefined) this.lines = [];
    else if (clearLine !== undefined) this.lines[this.row] = (this.lines[this.row] ?? "").slice(0, this.column);
    else {
      this.row = Number(row ?? 1) - 1;
      this.column = 0;
    }
    this.draws++;
  }
}
