// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { BareMachine, CODE } from "../../cpu/bare-machine.fixture.js";
import { TRANSLATION_POLICIES } from "../policy.js";
import { CodeInMemory } from "./code-in-memory.js";

const [RAX, RCX] = [0, 1];
const KIB = 1 << 10;
const MAX_BYTES = 1 << 20;
/** Another page, of another alignment to larger ones. */
const ELSEWHERE = CODE + 5 * 4096;
const LOOPS = 50;

/**
 * mov ecx, LOOPS
 * 1: add rax, IMMEDIATE
 *    call 2f
 *    dec ecx
 *    jnz 1b
 *    hlt
 * 2: add eax, [rip + DISTANCE]; ret
 */
const program = (immediate: string, distance = "00000000"): string =>
  `b9${hex32(LOOPS)} 4805${immediate} e805000000 ffc9 75f1 f4 0305${distance} c3`;

function hex32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes.toString("hex");
}

function machine(saved: Uint8Array | null = null): BareMachine {
  return new BareMachine(16 << 20, null, {
    translation: { ...TRANSLATION_POLICIES.early, promotion: 0 },
    keptTranslations: { code: new CodeInMemory(saved), secret: [1, 2], maxBytes: MAX_BYTES },
  });
}

/** Runs a program and returns what it leaves in RAX. */
function run(on: BareMachine, hex: string, address = CODE): bigint {
  on.load(address, hex);
  on.set(RAX, 0);
  on.run(address);
  expect(on.get(RCX)).toBe(0n);
  return on.get(RAX);
}

/** The same, interpreted. */
function expected(hex: string, address = CODE): bigint {
  return run(new BareMachine(16 << 20, null, { translation: "off" }), hex, address);
}

function save(on: BareMachine): Uint8Array {
  const pieces = on.engine.translator.saveTranslations();
  if (pieces === null) throw new Error("nothing has been kept");
  return Buffer.concat(Array.from(pieces, (piece) => Buffer.from(piece)));
}

/** What is kept after a program has been run. */
function kept(hex: string, address = CODE): Uint8Array {
  const first = machine();
  run(first, hex, address);
  expect(first.engine.translator.statistics.regions).toBeGreaterThan(0);
  return save(first);
}

const reused = (on: BareMachine): number => on.engine.translator.statistics.reused;
const compiled = (on: BareMachine): number => on.engine.translator.statistics.regions - reused(on);

describe("code that is kept", () => {
  const small = program("01000000");

  it("is used again by the next machine, which compiles nothing", () => {
    const second = machine(kept(small));
    expect(run(second, small)).toBe(expected(small));
    expect(reused(second)).toBeGreaterThan(0);
    expect(compiled(second)).toBe(0);
    // There is nothing new to be saved.
    expect(second.engine.translator.saveTranslations()).toBeNull();
  });

  it("is used wherever the same bytes are", () => {
    const second = machine(kept(small));
    expect(run(second, small, ELSEWHERE)).toBe(expected(small, ELSEWHERE));
    expect(compiled(second)).toBe(0);
  });

  it("is used in the same machine, after the code has been there, gone, and come back", () => {
    const only = machine();
    run(only, small);
    run(only, program("02000000"));
    const before = reused(only);
    expect(run(only, small)).toBe(expected(small));
    expect(reused(only)).toBeGreaterThan(before);
  });

  it("works with other addresses in its constants, as in a kernel that is placed anew at every start", () => {
    const [before, after] = [program(hex32(-0x7f00_0000)), program(hex32(-0x7d20_0000))];
    const second = machine(kept(before));
    expect(run(second, after)).toBe(expected(after));
    expect(compiled(second)).toBe(0);
    expect(reused(second)).toBeGreaterThan(0);
  });

  it("jumps to what is far away where it is now, as a kernel's modules do with the kernel", () => {
    const loops = 20_000;
    const places = [CODE, ELSEWHERE] as const;
    const make = (saved: Uint8Array | null): BareMachine =>
      new BareMachine(80 << 20, null, {
        translation: { ...TRANSLATION_POLICIES.early, promotion: 0 },
        keptTranslations: { code: new CodeInMemory(saved), secret: [1, 2], maxBytes: MAX_BYTES },
      });
    // mov ecx, LOOPS; 1: inc eax; dec ecx; jz FAR; jmp 1b
    const leave = (on: BareMachine, from: number, to: number): bigint => {
      for (const place of places) on.load(place, place === to ? "83c003 f4" : "83c005 f4");
      on.load(from, `b9${hex32(loops)} ffc0 ffc9 0f84${hex32(to - (from + 15))} ebf4`);
      on.set(RAX, 0);
      on.cpu.state.set64("rip", BigInt(from));
      on.cpu.state.set("halted", 0);
      // New code is put in its place between two slices.
      for (let slice = 0; slice < loops && on.cpu.run(loops).kind !== "halt"; slice++);
      return on.get(RAX);
    };
    // Beyond 64 MiB the same code serves both places.
    for (const [from, serves] of [
      [20 << 20, false],
      [72 << 20, true],
    ] as const) {
      const first = make(null);
      expect(leave(first, from, places[0])).toBe(BigInt(loops + 3));
      const second = make(save(first));
      expect(leave(second, from, places[1])).toBe(BigInt(loops + 3));
      expect(reused(second) > 0).toBe(serves);
    }
  });

  it("does not take a far target into the region when it is elsewhere now", () => {
    const from = 72 << 20;
    const far = [CODE, ELSEWHERE] as const;
    const make = (saved: Uint8Array | null): BareMachine =>
      new BareMachine(80 << 20, null, {
        translation: { ...TRANSLATION_POLICIES.early, promotion: 0 },
        keptTranslations: { code: new CodeInMemory(saved), secret: [1, 2], maxBytes: MAX_BYTES },
      });
    // mov ecx, LOOPS; 1: jmp FAR; 2: dec ecx; jnz 1b; hlt
    const back = from + 10;
    const ADDEND = -0x7f00_0000;
    const jump = (on: BareMachine, to: number): bigint => {
      // FAR: add rax, ADDEND; jmp BACK. What is at the other place has the same key: both numbers may be addresses.
      for (const place of far) {
        const addend = place === to ? ADDEND : ADDEND - 1;
        on.load(place, `4805${hex32(addend)} e9${hex32(back - place - 11)}`);
      }
      on.load(from, `b9${hex32(LOOPS)} e9${hex32(to - back)} ffc9 75f7 f4`);
      // What is at the other place is to be decoded as well.
      on.set(RCX, 1);
      on.run(to === far[0] ? far[1] : far[0]);
      on.set(RAX, 0);
      on.cpu.state.set64("rip", BigInt(from));
      on.cpu.state.set("halted", 0);
      for (let slice = 0; slice < 10_000 && on.cpu.run(50).kind !== "halt"; slice++);
      return on.get(RAX);
    };
    const first = make(null);
    const sum = BigInt.asUintN(64, BigInt(LOOPS * ADDEND));
    for (let i = 0; i < 5; i++) expect(jump(first, far[0])).toBe(sum);
    const second = make(save(first));
    for (let i = 0; i < 5; i++) expect(jump(second, far[1])).toBe(sum);
  });

  it("is not used for other constants, or for other code", () => {
    // The last one adds ECX instead of the memory operand.
    for (const other of [
      program("02000000"),
      program("01000000", "01000000"),
      small.replace("030500000000", "01c890909090"),
    ]) {
      const second = machine(kept(small));
      expect(run(second, other)).toBe(expected(other));
      expect(compiled(second)).toBeGreaterThan(0);
    }
  });

  it("is dropped like other code when its bytes are written", () => {
    const second = machine(kept(small));
    run(second, small);
    const changed = program("05000000");
    expect(run(second, changed)).toBe(expected(changed));
    expect(second.engine.translator.statistics.invalidated).toBeGreaterThan(0);
  });

  it("goes when nobody has used it for some starts", () => {
    let saved = kept(small);
    const size = saved.length;
    for (let start = 0; start < 10; start++) {
      const next = machine(saved);
      run(next, program(hex32(start + 100)));
      saved = save(next);
    }
    const last = machine(saved);
    expect(run(last, small)).toBe(expected(small));
    expect(compiled(last)).toBeGreaterThan(0);
    expect(saved.length).toBeLessThan(10 * size);
  });

  it("goes on without what the host has lost", () => {
    const code = new CodeInMemory(kept(small));
    const lossy = {
      length: code.length,
      read: (at: number, length: number) => (length > 400 ? null : code.read(at, length)),
    };
    const second = new BareMachine(16 << 20, null, {
      translation: { ...TRANSLATION_POLICIES.early, promotion: 0 },
      keptTranslations: { code: { ...lossy, append: () => false }, secret: [1, 2], maxBytes: MAX_BYTES },
    });
    expect(run(second, small)).toBe(expected(small));
    expect(second.engine.translator.saveTranslations()).toBeNull();
  });

  it("is bounded", () => {
    const code = new CodeInMemory();
    const only = new BareMachine(16 << 20, null, {
      translation: TRANSLATION_POLICIES.early,
      keptTranslations: { code, secret: [1, 2], maxBytes: 64 * KIB },
    });
    for (let i = 0; i < 100; i++) run(only, program(hex32(i)));
    expect(save(only).length).toBeLessThan(80 * KIB);
    const last = program(hex32(99));
    const before = compiled(only);
    expect(run(only, last)).toBe(expected(last));
    expect(compiled(only)).toBe(before);
    for (let i = 100; i < 300; i++) run(only, program(hex32(i)));
    expect(code.length).toBeLessThan(4 * 64 * KIB);
  });
});
