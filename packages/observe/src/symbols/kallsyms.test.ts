// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { findKallsyms } from "./kallsyms.js";
import { type KallsymsEntry, kallsymsImage } from "./kallsyms.fixture.js";

const BASE = 0xffff_ffff_9a00_0000n;
const ENTRY = BASE + 0x80_0000n;

/** As many symbols as it takes to be believed, with one that is known and one with a very long name. */
const SYMBOLS: readonly KallsymsEntry[] = [
  ["A", "percpu_thing", 0x2000n],
  ["T", "_text", BASE],
  ...Array.from({ length: 1500 }, (_, i): KallsymsEntry => [
    "t",
    `w1_function_${i}.part.0`,
    BASE + 0x1000n + BigInt(i) * 64n,
  ]),
  ["t", "a".repeat(300), BASE + 0x70_0000n],
  ["T", "entry_SYSCALL_64", ENTRY],
  ["D", "data", ENTRY + 0x100n],
];

const LAYOUTS = [
  { offsets: "first", absolutePercpu: true, base: BASE },
  { offsets: "last", absolutePercpu: true, base: BASE },
  { offsets: "last", absolutePercpu: false, base: BASE },
] as const;

describe("findKallsyms", () => {
  it.each(LAYOUTS)("finds the symbols, offsets $offsets, per-CPU ones absolute: $absolutePercpu", (layout) => {
    const symbols = layout.absolutePercpu ? SYMBOLS : SYMBOLS.slice(1);
    const table = findKallsyms(kallsymsImage(symbols, layout), ENTRY, "entry_SYSCALL_64");
    expect(table?.nameOf(ENTRY + 4n)).toBe("entry_SYSCALL_64");
    expect(table?.nameOf(BASE + 0x1000n + 64n * 700n + 63n)).toBe("w1_function_700.part.0");
    expect(table?.nameOf(BASE + 0x70_0010n)).toBe("a".repeat(300));
    expect(table?.addressOf("percpu_thing")).toBe(undefined);
    expect(table?.addressOf("data")).toBe(ENTRY + 0x100n);
  });

  it("believes only tables that agree with what is known", () => {
    const image = kallsymsImage(SYMBOLS, LAYOUTS[0]);
    expect(findKallsyms(image, ENTRY + 16n, "entry_SYSCALL_64")).toBe(null);
    expect(findKallsyms(image, ENTRY, "entry_SYSENTER_32")).toBe(null);
  });

  it("goes on behind what only looks like tokens", () => {
    const image = kallsymsImage(SYMBOLS, LAYOUTS[0], 0x2000);
    image.set(new TextEncoder().encode("\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00"), 0x100);
    expect(findKallsyms(image, ENTRY, "entry_SYSCALL_64")?.addressOf("_text")).toBe(BASE);
  });

  it("finds nothing in other memory, and survives tables that a guest has damaged", () => {
    expect(findKallsyms(new Uint8Array(1 << 16), ENTRY, "entry_SYSCALL_64")).toBe(null);
    expect(findKallsyms(new Uint8Array(1 << 16).fill(0x30), ENTRY, "entry_SYSCALL_64")).toBe(null);
    const image = kallsymsImage(SYMBOLS, LAYOUTS[0], 0x1000, 0x2_0000);
    for (let at = 0x1000; at < 0x1_0000; at += 97) {
      const damaged = image.slice();
      damaged[at] = 0xff;
      damaged[at + 1] = 0x30;
      expect(() => findKallsyms(damaged, ENTRY, "entry_SYSCALL_64")).not.toThrow();
    }
    for (let length = 0x1000; length < image.length; length += 4999)
      expect(() => findKallsyms(image.slice(0, length), ENTRY, "entry_SYSCALL_64")).not.toThrow();
  });

  it("gives up on a guest that has filled its memory with bait", () => {
    const bait = new TextEncoder().encode("\x000\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00");
    const image = new Uint8Array(8 << 20);
    for (let at = 0; at + bait.length < image.length; at += bait.length) image.set(bait, at);
    const start = performance.now();
    expect(findKallsyms(image, ENTRY, "entry_SYSCALL_64")).toBe(null);
    // Real tokens, and in front of them nothing but counts with names that lead on and on.
    const deep = kallsymsImage(SYMBOLS, LAYOUTS[0], 0x40_0000, 8 << 20);
    new BigUint64Array(deep.buffer, 0, 0x40_0000 / 8).fill(1000n);
    expect(findKallsyms(deep, ENTRY + 1n, "entry_SYSCALL_64")).toBe(null);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
