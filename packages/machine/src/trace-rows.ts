// SPDX-License-Identifier: Apache-2.0
import type { TraceArgs, TraceSink } from "@isola/ports";

/** Rows of a trace for work that may overlap, as the requests of one disk: what does not fit a row goes to another. */
export class TraceRows {
  private readonly rows: { readonly track: number; end: number }[] = [];

  constructor(
    private readonly sink: TraceSink,
    private readonly group: string,
    private readonly name: string,
  ) {}

  slice(name: string, start: number, end: number, args: TraceArgs): void {
    let row = this.rows.find((one) => one.end <= start);
    if (row === undefined) {
      const number = this.rows.length === 0 ? "" : ` (${this.rows.length + 1})`;
      row = { track: this.sink.track(this.group, `${this.name}${number}`), end: 0 };
      this.rows.push(row);
    }
    row.end = end;
    this.sink.slice(row.track, name, start, end - start, args);
  }
}
