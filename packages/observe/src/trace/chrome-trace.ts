// SPDX-License-Identifier: Apache-2.0
import type { TraceArgs, TraceSink } from "@isola/ports";

/** Where the text of a trace goes. ASCII only, so that characters are bytes. */
export interface TraceOutput {
  /** Puts `text` in place of the last `replaced` characters written. */
  write(text: string, replaced: number): void;
}

export interface ChromeTraceOptions {
  /** The trace takes no more than about this many bytes; what comes later is counted, not kept. */
  readonly maxBytes: number;
}

const HEADER = '{"displayTimeUnit":"ns","traceEvents":[\n';
const FOOTER = "\n]}\n";
/** Characters that are collected before they are written. */
const CHUNK = 1 << 16;
const NS_PER_US = 1000;

/** Letters of the format's event phases. */
type Phase = "X" | "i" | "C" | "M";

interface Track {
  readonly group: number;
  readonly id: number;
}

/**
 * Writes events in the JSON format of Chrome's trace viewer, which Perfetto reads too. Memory is bounded by one chunk, and
 * every write ends the text properly and is continued in place of that end: what is on disk is always valid JSON.
 */
export class ChromeTrace implements TraceSink {
  private readonly groups = new Map<string, number>();
  private readonly tracks: Track[] = [];
  private pending = "";
  private written = HEADER.length;
  private first = true;
  private droppedTotal = 0;
  private latest = 0;

  constructor(
    private readonly output: TraceOutput,
    private readonly options: ChromeTraceOptions,
  ) {
    output.write(HEADER + FOOTER, 0);
  }

  /** Events that found no room. */
  get dropped(): number {
    return this.droppedTotal;
  }

  track(group: string, name: string): number {
    const id = this.tracks.length;
    const pid = this.group(group);
    this.tracks.push({ group: pid, id });
    this.metadata("thread_name", pid, id, { name });
    this.metadata("thread_sort_index", pid, id, { sort_index: id });
    return id;
  }

  slice(track: number, name: string, start: number, duration: number, args?: TraceArgs): void {
    this.latest = Math.max(this.latest, start + duration);
    this.event("X", this.tracks[track], name, start, `,"dur":${microseconds(duration)}`, args);
  }

  instant(track: number, name: string, time: number, args?: TraceArgs): void {
    this.latest = Math.max(this.latest, time);
    this.event("i", this.tracks[track], name, time, ',"s":"t"', args);
  }

  counter(name: string, time: number, values: { readonly [series: string]: number }): void {
    this.latest = Math.max(this.latest, time);
    this.event("C", { group: this.group("counters"), id: 0 }, name, time, "", values);
  }

  /** Writes what is pending. */
  flush(): void {
    if (this.pending === "") return;
    this.output.write(this.pending + FOOTER, FOOTER.length);
    this.pending = "";
  }

  /** Writes the rest, and says so if events were dropped. */
  close(): void {
    if (this.droppedTotal > 0) {
      const at = { group: this.group("host"), id: 0 };
      this.append(text("i", at, `trace full: ${this.droppedTotal} events dropped`, this.latest, ',"s":"g"', undefined));
    }
    this.flush();
  }

  private group(name: string): number {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const id = this.groups.size + 1;
    this.groups.set(name, id);
    this.metadata("process_name", id, 0, { name });
    this.metadata("process_sort_index", id, 0, { sort_index: id });
    return id;
  }

  /** Names of rows: few, and the rest means nothing without them, so that they are never dropped. */
  private metadata(name: string, group: number, id: number, args: TraceArgs): void {
    this.append(text("M", { group, id }, name, 0, "", args));
  }

  private event(
    phase: Phase,
    track: Track | undefined,
    name: string,
    time: number,
    more: string,
    args: TraceArgs | undefined,
  ): void {
    if (track === undefined) return;
    if (this.written >= this.options.maxBytes) {
      this.droppedTotal++;
      return;
    }
    this.append(text(phase, track, name, time, more, args));
  }

  private append(event: string): void {
    const line = this.first ? event : `,\n${event}`;
    this.first = false;
    this.pending += line;
    this.written += line.length;
    if (this.pending.length >= CHUNK) this.flush();
  }
}

/** The format counts microseconds, with a fraction. */
function microseconds(ns: number): number {
  return Math.round(ns) / NS_PER_US;
}

/** JSON of ASCII characters only. */
function ascii(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function text(
  phase: Phase,
  { group, id }: Track,
  name: string,
  time: number,
  more: string,
  args: TraceArgs | undefined,
): string {
  const known = args === undefined ? "" : `,"args":${ascii(args)}`;
  return `{"ph":"${phase}","name":${ascii(name)},"pid":${group},"tid":${id},"ts":${microseconds(time)}${more}${known}}`;
}
