// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { frameChain } from "./frame-pointers.js";
import { FakeMemory, fakeSample } from "./guest-memory.fixture.js";

const CODE = 0x40_0000n;
const STACK = 0x7ff0_0000n;
const CALL = [0xe8, 0, 0, 0, 0];

/** Frames at STACK + 0x100 and on, 0x100 bytes apart; each returns behind a CALL in CODE. */
function stack(frames: number): FakeMemory {
  const memory = new FakeMemory();
  memory.put(CODE, new Uint8Array(0x1000));
  for (let i = 0; i < frames; i++) {
    const frame = STACK + BigInt(i + 1) * 0x100n;
    memory.word(frame, i + 1 === frames ? 0n : frame + 0x100n);
    memory.put(CODE + BigInt(i) * 16n, CALL);
    memory.word(frame + 8n, CODE + BigInt(i) * 16n + 5n);
  }
  return memory;
}

const sample = fakeSample({ rip: CODE, rsp: STACK, rbp: STACK + 0x100n });

describe("frameChain", () => {
  it("follows the chain up the stack", () => {
    expect(frameChain(sample, stack(3))).toEqual([CODE + 5n, CODE + 21n, CODE + 37n]);
  });

  it("knows other calls, and words of 32 bits", () => {
    const memory = stack(1);
    memory.put(CODE, [0xff, 0xd0, 0, 0, 0]);
    memory.word(STACK + 0x108n, CODE + 2n);
    expect(frameChain(sample, memory)).toEqual([CODE + 2n]);
    const narrow = new FakeMemory();
    narrow.put(CODE, CALL);
    narrow.int32(STACK + 0x100n, 0);
    narrow.int32(STACK + 0x104n, Number(CODE) + 5);
    expect(frameChain({ ...sample, bits: 32 }, narrow)).toEqual([CODE + 5n]);
    expect(frameChain({ ...sample, bits: 16 }, narrow)).toEqual([]);
  });

  it.each([
    ["below the stack", { rbp: STACK - 0x100n }],
    ["far above it", { rbp: STACK + 0x20_0000n }],
    ["not aligned", { rbp: STACK + 0x101n }],
    ["nowhere", { rsp: 0x1000n, rbp: 0x1100n }],
    ["negative by far", { rsp: 0n, rbp: 0n }],
  ])("does not believe a frame pointer that is %s", (_, registers) => {
    expect(frameChain({ ...sample, ...registers }, stack(3))).toEqual([]);
  });

  it("stops at a return address that no call left, and at a chain that turns back", () => {
    const memory = stack(3);
    memory.put(CODE + 16n, [0, 0, 0, 0, 0]);
    expect(frameChain(sample, memory)).toHaveLength(1);
    const loop = stack(3);
    loop.word(STACK + 0x200n, STACK + 0x100n);
    expect(frameChain(sample, loop)).toHaveLength(2);
  });

  it("ends on chains without end", () => {
    const memory = new FakeMemory();
    memory.put(CODE, CALL);
    for (let at = STACK; at < STACK + 0x4000n; at += 16n) {
      memory.word(at, at + 16n);
      memory.word(at + 8n, CODE + 5n);
    }
    expect(frameChain({ ...sample, rbp: STACK }, memory)).toHaveLength(128);
  });
});
