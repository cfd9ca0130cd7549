// SPDX-License-Identifier: Apache-2.0
import type { X86Engine } from "@isola/isa-x86";
import type { TraceSink, WasmHost } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { MachineTracer } from "./machine-tracer.js";
import { ObservedStore } from "./observed-store.js";
import { ObservedWasm } from "./observed-wasm.js";

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
  const host = {
    compile: () => ({}),
    compileInBackground: async () => ({}),
    instantiate: () => ({}),
  } as unknown as WasmHost;
  const wasm = new ObservedWasm(host, clock);
  const engine = {} as X86Engine;
  const tracer = new MachineTracer(sink, clock, { vcpus: [], engine, wasm, stores: [store], sinks: [] });
  return { tracer, wasm, store, events, releases };
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

  it("shows the modules of compiled code, but not those that the engine starts with", async () => {
    const { wasm, events } = setUp();
    wasm.instantiate(wasm.compile(new Uint8Array(5000)), {});
    wasm.begin();
    wasm.instantiate(wasm.compile(new Uint8Array(700)), {});
    await Promise.all([wasm.compileInBackground(new Uint8Array(800)), wasm.compileInBackground(new Uint8Array(900))]);
    expect(events.map(([track, name, , , args]) => [track, name, args])).toEqual([
      ["host/compiler", "compile", { bytes: 700 }],
      ["host/compiler", "instantiate", { bytes: 700 }],
      ["host/compiler on other threads", "compile", { bytes: 800 }],
      ["host/compiler on other threads (2)", "compile", { bytes: 900 }],
    ]);
    expect([wasm.time, wasm.backgroundTime]).toEqual([20, 40]);
  });
});
