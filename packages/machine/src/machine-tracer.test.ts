// SPDX-License-Identifier: Apache-2.0
import type { X86Engine } from "@isola/isa-x86";
import type { TraceSink } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { MachineTracer } from "./machine-tracer.js";
import { ObservedStore } from "./observed-store.js";

function setUp() {
  let time = 1000;
  const clock = { now: () => (time += 10), wallTimeMs: () => 0 };
  const names: string[] = [];
  const events: unknown[][] = [];
  const sink: TraceSink = {
    track: (group, name) => names.push(`${group}/${name}`) - 1,
    slice: (track, name, start, duration, args) => events.push([names[track], name, start, duration, args]),
    instant: () => {},
    counter: () => {},
  };
  const releases: (() => void)[] = [];
  const later = () => new Promise<void>((resolve) => releases.push(resolve));
  const store = new ObservedStore(
    { size: 4096, readOnly: false, read: later, write: later, flush: () => {}, close: () => {} },
    clock.now,
  );
  const engine = { onCompile: null, decoder: { bytesUsed: 0 } } as unknown as X86Engine;
  const tracer = new MachineTracer(sink, clock, { vcpus: [], engine, stores: [store], sinks: [] });
  return { tracer, engine, store, events, releases };
}

describe("MachineTracer", () => {
  it("puts disk requests that overlap on rows of their own", async () => {
    const { store, events, releases } = setUp();
    const first = store.read(0, new Uint8Array(512));
    const second = store.write(512, new Uint8Array(1024));
    for (const release of releases) release();
    await Promise.all([first, second]);
    void store.flush();
    expect(events.map(([track, name]) => [track, name])).toEqual([
      ["devices/disk 0", "read"],
      ["devices/disk 0 (2)", "write"],
      ["devices/disk 0", "flush"],
    ]);
    expect(events[1]?.[4]).toEqual({ offset: 512, bytes: 1024 });
  });

  it("shows modules that the compiler makes where their time was spent", () => {
    const { engine, events } = setUp();
    const batch = { regions: 2, blocks: 9, instructions: 70, wasmBytes: 4000, generationTime: 300, moduleTime: 200 };
    engine.onCompile?.(batch);
    const [[track, name, start, duration, args] = []] = events;
    expect([track, name, duration, args]).toEqual(["host/compiler", "compile", 500, batch]);
    expect(start).toBeLessThan(1000);
  });
});
