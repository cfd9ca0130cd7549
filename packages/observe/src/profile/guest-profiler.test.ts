// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { kallsymsImage } from "../symbols/kallsyms.fixture.js";
import { type GuestSymbol, SymbolTable } from "../symbols/symbol-table.js";
import { FakeMemory, fakeSample } from "./guest-memory.fixture.js";
import { GuestProfiler } from "./guest-profiler.js";
import { collapsedStacks } from "./profile.js";

const code = (address: bigint, name: string): GuestSymbol => ({ address, name, size: 0x100n, code: true });
const LINKED = 0xffff_ffff_8100_0000n;
const KERNEL = new SymbolTable([code(LINKED, "entry_SYSCALL_64"), code(LINKED + 0x1000n, "do_idle")]);
const PROGRAM = new SymbolTable([code(0x40_1000n, "main"), code(0x40_2000n, "a;b <c>\n")]);
const MEMORY = new FakeMemory();

function profiler(kernel: SymbolTable | null = null, programs: readonly SymbolTable[] = []): GuestProfiler {
  return new GuestProfiler({ period: 1000, kernel, programs });
}

const lines = (of: GuestProfiler) => collapsedStacks(of.profile()).trimEnd().split("\n");

describe("GuestProfiler", () => {
  it("adds up time by function, and keeps time outside the guest", () => {
    const one = profiler(null, [PROGRAM]);
    one.sample(fakeSample({ rip: 0x40_1004n, user: true, time: 5000 }), MEMORY);
    one.sample(fakeSample({ rip: 0x40_1040n, user: true, time: 6000 }), MEMORY);
    one.sample(fakeSample({ rip: 0x7f12_3456n, user: true, time: 3000 }), MEMORY);
    one.outside(2000);
    expect(lines(one)).toEqual(["user;main 11", "user;0x7f123000 3", "[outside the guest] 2"]);
    const { time, samples, stacks } = one.profile();
    expect([time, samples]).toEqual([16_000, 3]);
    expect(stacks[0]?.samples).toBe(2);
  });

  it("finds a kernel that was moved by where its system calls enter it", () => {
    const one = profiler(KERNEL);
    const moved = 0x1c0_0000n;
    const rip = LINKED + moved + 0x1010n;
    // Before the kernel says where it is, samples are kept; they get their names later.
    one.sample(fakeSample({ rip }), MEMORY);
    one.sample(fakeSample({ rip, systemCall: LINKED + moved }), MEMORY);
    one.sample(fakeSample({ rip: 0xffff_ffff_c012_3456n }), MEMORY);
    expect(lines(one)).toEqual(["kernel;do_idle 2", "kernel;[module] 1"]);
    expect(one.profile().kernelSymbols).toBe(true);
  });

  it("finds the symbols of a kernel in the guest's memory", () => {
    const base = 0xffff_ffff_9a00_0000n;
    const entry = base + 0x1_0000n;
    const functions = Array.from({ length: 1200 }, (_, i) => ["t", `f${i}`, base + BigInt(i) * 16n] as const);
    const image = kallsymsImage(
      [...functions, ["T", "entry_SYSCALL_64", entry]],
      { offsets: "first", absolutePercpu: true, base },
      0x1000,
      1 << 20,
    );
    const memory = {
      translate: (linear: bigint) => (linear >= base && linear < base + 0x10_0000n ? Number(linear - base) : -1),
      physical: (at: number, length: number) => (at + length <= image.length ? image.subarray(at, at + length) : null),
    };
    const one = profiler();
    one.sample(fakeSample({ rip: base + 0x7n * 16n, systemCall: entry }), memory);
    expect(lines(one)).toEqual(["kernel;f7 1"]);
  });

  it("names what it has before a reset, and starts anew", () => {
    const one = profiler(KERNEL);
    one.sample(fakeSample({ rip: LINKED + 0x1000n, systemCall: LINKED }), MEMORY);
    one.settle();
    one.sample(fakeSample({ rip: LINKED + 0x2000n + 0x1000n, systemCall: LINKED + 0x2000n }), MEMORY);
    expect(lines(one)).toEqual(["kernel;do_idle 2"]);
  });

  it("lets no name from the guest break the format", () => {
    const one = profiler(null, [PROGRAM]);
    one.sample(fakeSample({ rip: 0x40_2000n, user: true }), MEMORY);
    expect(lines(one)).toEqual(["user;a_b_<c>_ 1"]);
  });

  it("keeps a bounded number of stacks", () => {
    const one = profiler();
    for (let i = 0n; i < 50_010n; i++) one.sample(fakeSample({ rip: i * 0x1000n }), MEMORY);
    expect(lines(one)[0]).toBe("[too many stacks] 10");
    expect(one.profile().samples).toBe(50_010);
  });
});
