// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { ChromeTrace, type TraceOutput } from "./chrome-trace.js";

/** Keeps the text as a file would, and checks that it is JSON after every write. */
class TextOutput implements TraceOutput {
  text = "";
  writes = 0;

  write(text: string, replaced: number): void {
    this.text = this.text.slice(0, this.text.length - replaced) + text;
    this.writes++;
    JSON.parse(this.text);
  }

  events(): Record<string, unknown>[] {
    return (JSON.parse(this.text) as { traceEvents: Record<string, unknown>[] }).traceEvents;
  }
}

function setUp(maxBytes = 1e9) {
  const output = new TextOutput();
  return { output, trace: new ChromeTrace(output, { maxBytes }) };
}

describe("ChromeTrace", () => {
  it("is a valid, empty trace from the start", () => {
    expect(setUp().output.events()).toEqual([]);
  });

  it("names rows and places events on them, in microseconds", () => {
    const { output, trace } = setUp();
    const cpu = trace.track("guest", "vCPU 0");
    const disk = trace.track("devices", "disk 0");
    trace.slice(cpu, "guest", 1500, 2500, { instructions: 7 });
    trace.instant(cpu, "interrupt", 4001);
    trace.slice(disk, 'read "x" \u00e9', 10, 20);
    trace.counter("speed", 5000, { vcpu0: 1.5 });
    trace.close();
    const events = output.events();
    expect(events.filter(({ ph }) => ph !== "M")).toEqual([
      { ph: "X", name: "guest", pid: 1, tid: 0, ts: 1.5, dur: 2.5, args: { instructions: 7 } },
      { ph: "i", name: "interrupt", pid: 1, tid: 0, ts: 4.001, s: "t" },
      { ph: "X", name: 'read "x" é', pid: 2, tid: 1, ts: 0.01, dur: 0.02 },
      { ph: "C", name: "speed", pid: 3, tid: 0, ts: 5, args: { vcpu0: 1.5 } },
    ]);
    const names = events.filter(({ name }) => name === "thread_name" || name === "process_name");
    expect(names.map(({ pid, tid, args }) => [pid, tid, (args as { name: string }).name])).toEqual([
      [1, 0, "guest"],
      [1, 0, "vCPU 0"],
      [2, 0, "devices"],
      [2, 1, "disk 0"],
      [3, 0, "counters"],
    ]);
  });

  it("writes in pieces, each of which leaves valid JSON", () => {
    const { output, trace } = setUp();
    const track = trace.track("guest", "vCPU 0");
    for (let i = 0; i < 5000; i++) trace.slice(track, "guest", i * 100, 50, { instructions: i });
    expect(output.writes).toBeGreaterThan(3);
    const before = output.events().length;
    trace.close();
    expect(before).toBeGreaterThan(3000);
    expect(output.events().filter(({ ph }) => ph === "X")).toHaveLength(5000);
  });

  it("stops at its limit and says how much is missing", () => {
    const { output, trace } = setUp(10_000);
    const track = trace.track("guest", "vCPU 0");
    for (let i = 0; i < 1000; i++) trace.slice(track, "guest", i, 1);
    trace.close();
    expect(output.text.length).toBeLessThan(11_000);
    const kept = output.events().filter(({ ph }) => ph === "X").length;
    expect(trace.dropped).toBe(1000 - kept);
    expect(output.events().at(-1)).toMatchObject({
      ph: "i",
      name: `trace full: ${1000 - kept} events dropped`,
      s: "g",
    });
  });
});
