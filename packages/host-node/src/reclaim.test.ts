// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hostReclaimer } from "./reclaim.js";
import { hostWasm } from "./wasm-host.js";

const reclaim = hostReclaimer();
if (reclaim === null) process.stderr.write("SKIPPED giving memory back: this Node or system has no way to do so\n");
const PAGES = 1024;

function resident(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? 0) * 1024;
}

describe.skipIf(reclaim === null)("hostReclaimer", () => {
  it.each([false, true])("gives pages of WebAssembly memory back (shared: %s)", (shared) => {
    const memory = hostWasm.createMemory(PAGES, PAGES, shared);
    const bytes = new Uint8Array(memory.buffer);
    bytes.fill(7);
    const before = resident();
    expect(reclaim?.(bytes.subarray(0x1_0000, 0x200_0000))).toBe(true);
    expect(before - resident()).toBeGreaterThan(0x180_0000);
    expect([bytes[0xffff], bytes[0x1_0000], bytes[0x1ff_ffff], bytes[0x200_0000]]).toEqual([7, 0, 0, 7]);
  });

  it("leaves parts of pages alone", () => {
    const bytes = new Uint8Array(hostWasm.createMemory(1, 1, false).buffer).fill(7);
    expect(reclaim?.(bytes.subarray(1, 4097))).toBe(false);
    expect(reclaim?.(bytes.subarray(0, 100))).toBe(false);
    expect(bytes.every((byte) => byte === 7)).toBe(true);
  });
});
