// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Machine } from "@isola/machine";
import type { TraceArgs, TraceSink } from "@isola/ports";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assembleFlat, flatGuestObstacle, flatMachine, runToExit } from "./flat-guest.js";
import { flatGuestOptions, isolaCommand } from "./isola-command.js";

const obstacle = flatGuestObstacle();
if (obstacle !== null) process.stderr.write(`SKIPPED traces of guests: ${obstacle}\n`);

interface Event {
  readonly track: string;
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly args: TraceArgs;
}

/** Keeps events by the name of their track. */
class RecordedTrace implements TraceSink {
  readonly events: Event[] = [];
  private readonly tracks: string[] = [];

  track(group: string, name: string): number {
    return this.tracks.push(`${group}/${name}`) - 1;
  }

  slice(track: number, name: string, start: number, duration: number, args: TraceArgs = {}): void {
    this.events.push({ track: this.tracks[track] ?? "", name, start, duration, args });
  }

  instant(track: number, name: string, time: number, args: TraceArgs = {}): void {
    this.slice(track, name, time, 0, args);
  }

  counter(name: string, time: number, values: TraceArgs): void {
    this.events.push({ track: "counters", name, start: time, duration: 0, args: values });
  }

  on(track: string, name: string): Event[] {
    return this.events.filter((event) => event.track === track && event.name === name);
  }
}

interface ChromeEvent {
  readonly ph: string;
  readonly name: string;
  readonly ts: number;
  readonly dur?: number;
  readonly pid: number;
  readonly tid: number;
}

describe.skipIf(obstacle !== null)("the trace of a machine", () => {
  let machine: Machine;
  const trace = new RecordedTrace();

  beforeAll(async () => {
    machine = flatMachine(assembleFlat("activity"), {
      trace,
      stores: {
        d: { size: 4096, readOnly: false, read: () => {}, write: () => {}, flush: () => {}, close: () => {} },
      },
    });
    machine.boot();
    runToExit(machine);
    await machine.close();
  });

  it("has every slice, with all instructions", () => {
    const slices = trace.on("guest/vCPU 0", "guest");
    expect(slices.reduce((sum, { args }) => sum + Number(args["instructions"]), 0)).toBe(machine.retired);
    expect(slices.map(({ args }) => args["end"]).filter((end) => end === "halt")).toHaveLength(2);
    expect(slices.reduce((sum, { args }) => sum + Number(args["pageFaults"]), 0)).toBe(2);
  });

  it("has sleeps and interrupts on the row of their vCPU, none of which overlap", () => {
    expect(trace.on("guest/vCPU 0", "HLT")).toHaveLength(2);
    expect(trace.on("guest/vCPU 0", "interrupt 0x40")).toHaveLength(2);
    const lasting = trace.events.filter(({ track, name }) => track === "guest/vCPU 0" && !name.startsWith("interrupt"));
    const sorted = lasting.toSorted((a, b) => a.start - b.start);
    for (const [i, event] of sorted.slice(1).entries()) {
      const previous = sorted[i];
      if (previous !== undefined) expect(event.start).toBeGreaterThanOrEqual(previous.start + previous.duration);
    }
  });

  it("has what the host and the devices did", () => {
    expect(trace.on("host/machine's thread", "boot")).toHaveLength(1);
    expect(trace.on("host/machine's thread", "run").at(-1)?.args).toEqual({ outcome: "debug-exit" });
    const output = trace.on("devices/serial port 0", "output");
    expect(output.reduce((sum, { args }) => sum + Number(args["bytes"]), 0)).toBe(3);
    expect(trace.events.some(({ track, name }) => track === "counters" && name === "instructions/s")).toBe(true);
  });
});

describe.skipIf(obstacle !== null)("isola run --trace", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "isola-test-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const eventsOf = (path: string): ChromeEvent[] =>
    (JSON.parse(readFileSync(path, "utf8")) as { traceEvents: ChromeEvent[] }).traceEvents;

  it("writes a file that a viewer can read", async () => {
    const path = join(folder, "end.json");
    // On the wall clock of a busy host a timer may come before the HLT that waits for it.
    const options = [...flatGuestOptions(assembleFlat("activity")), "--clock", "virtual"];
    const run = await isolaCommand(["run", ...options, "--trace", path]);
    expect([run.status, run.errors]).toEqual([1, ""]);
    const events = eventsOf(path);
    for (const event of events) {
      expect(event.ts).toBeGreaterThanOrEqual(0);
      expect("XiCM").toContain(event.ph);
      if (event.ph === "X") expect(event.dur).toBeGreaterThanOrEqual(0);
    }
    expect(events.filter(({ ph, name }) => ph === "X" && name === "HLT")).toHaveLength(2);
  });

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("leaves valid JSON after %s", async (signal) => {
    const path = join(folder, `${signal}.json`);
    await isolaCommand(["run", ...flatGuestOptions(assembleFlat("spin")), "--trace", path], signal);
    const slices = eventsOf(path).filter(({ ph }) => ph === "X");
    if (signal !== "SIGKILL") expect(slices.length).toBeGreaterThan(0);
  });

  it("needs a file that can be made", async () => {
    const run = await isolaCommand([
      "run",
      ...flatGuestOptions(assembleFlat("spin")),
      "--trace",
      `${folder}/no/t.json`,
    ]);
    expect(run.status).toBe(1);
    expect(run.errors).toMatch(/^isola: cannot write .*: there is no such file\n$/);
  });
});
