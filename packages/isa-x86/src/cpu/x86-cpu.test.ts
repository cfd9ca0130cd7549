// SPDX-License-Identifier: Apache-2.0
import { ARENA_HALF_SIZE } from "@isola/engine";
import { beforeEach, describe, expect, it } from "vitest";
import { testTranslation } from "../compiler/policy.fixture.js";
import { BareMachine, CODE, MAPPED } from "./bare-machine.fixture.js";

const [RAX, RCX, RBX, RSI, RDI] = [0, 1, 3, 6, 7];
const FRAME_A = 0x80_0000;
const FRAME_B = 0x90_0000;

let machine: BareMachine;
beforeEach(() => {
  machine = new BareMachine();
});

describe("the instruction count", () => {
  it("is exact over loops, links and blocks", () => {
    // mov ecx,1000; loop: inc rax; dec ecx; jne loop
    machine.load(CODE, "b9e8030000 48ffc0 ffc9 75f9");
    expect(machine.run()).toBe(1 + 3 * 1000 + 1);
    expect(machine.get(RAX)).toBe(1000n);
  });

  it("counts the attempt of an instruction that faults, and nothing of what comes behind it in its block", () => {
    // inc rax; ud2 -> handler: add qword [rsp],2 (skips ud2); iretq; then inc rax
    machine.load(CODE, "48ffc0 0f0b 48ffc0");
    machine.handler(6, "4883042402 48cf");
    expect(machine.run()).toBe(1 + 1 + 2 + 1 + 1);
    expect(machine.get(RAX)).toBe(2n);
  });

  it("ends a run at the budget and goes on from there", () => {
    machine.load(CODE, "48ffc0 ebfb");
    machine.cpu.state.set64("rip", BigInt(CODE));
    for (let i = 0; i < 3; i++) expect(machine.cpu.run(1000).kind).toBe("budget");
    expect(machine.get(RAX)).toBe(1500n);
  });
});

describe("self-modifying code", () => {
  it("in the same block takes effect at the next instruction", () => {
    // mov byte [rip+3],0xc3-ish: changes "mov al,1" (b0 01) into "mov al,7"
    machine.load(CODE, "c6050100000007 b001");
    machine.run();
    expect(machine.get(RAX)).toBe(7n);
  });

  it("in a linked block of the same page is seen by the jump", () => {
    // loop: call f; mov byte [f+1],2; dec ecx; jne loop; hlt ... f: mov bl,1; add eax,ebx; ret
    machine.load(CODE, "e80c000000 c6050600000002 ffc9 75f0 f4 b301 01d8 c3");
    machine.set(RCX, 3);
    machine.run();
    expect(machine.get(RAX)).toBe(1n + 2n + 2n);
  });

  it("through another mapping of the page", () => {
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, FRAME_A);
    // mov eax,1; then through the alias: mov byte [rdi+1],5; jump back once
    machine.load(FRAME_A, "b801000000 ffc9 7406 c6470105 ebf1");
    machine.set(RDI, MAPPED + 0x1000);
    machine.set(RCX, 2);
    machine.run(MAPPED);
    expect(machine.get(RAX)).toBe(5n);
  });

  it("by a device", () => {
    machine.load(CODE, "b001");
    machine.run();
    machine.load(CODE, "b009");
    machine.run();
    expect(machine.get(RAX)).toBe(9n);
  });

  it("leaves data on the same page writable at full speed: only bytes that were decoded count", () => {
    machine.load(CODE, "48ffc0");
    machine.run();
    const before = machine.engine.codeCounters(0).blocksInvalidated;
    machine.engine.ram.setU8(CODE + 0x800, 1);
    expect(machine.engine.codeCounters(0).blocksInvalidated).toBe(before);
    machine.engine.ram.setU8(CODE + 1, 0xff);
    expect(machine.engine.codeCounters(0).blocksInvalidated).toBe(before + 1);
  });
});

describe("an instruction across two pages", () => {
  beforeEach(() => {
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, FRAME_B);
    // mov eax,0x04030201 with three bytes in the first page
    machine.load(FRAME_A + 0xffd, "b80102");
    machine.load(FRAME_B, "0304");
  });

  it("is put together from both frames", () => {
    machine.run(MAPPED + 0xffd);
    expect(machine.get(RAX)).toBe(0x0403_0201n);
  });

  it("is decoded again when either frame changes", () => {
    machine.run(MAPPED + 0xffd);
    machine.engine.ram.setU8(FRAME_B, 0x77);
    machine.run(MAPPED + 0xffd);
    expect(machine.get(RAX)).toBe(0x0477_0201n);
    machine.engine.ram.setU8(FRAME_A + 0xfff, 0x66);
    machine.run(MAPPED + 0xffd);
    expect(machine.get(RAX)).toBe(0x0477_6601n);
  });

  it("follows the mapping of its second page", () => {
    machine.run(MAPPED + 0xffd);
    machine.load(FRAME_B + 0x1000, "aabb");
    machine.map(MAPPED + 0x1000, FRAME_B + 0x1000);
    machine.run(MAPPED + 0xffd);
    expect(machine.get(RAX)).toBe(0xbbaa_0201n);
  });

  it("works in RAM beyond 2 GiB", () => {
    machine = new BareMachine(0x8100_0000);
    const high = 0x8080_0000;
    machine.map(MAPPED, high);
    machine.map(MAPPED + 0x1000, high + 0x3000);
    machine.load(high + 0xffd, "b80102");
    machine.load(high + 0x3000, "0304");
    machine.run(MAPPED + 0xffd);
    expect(machine.get(RAX)).toBe(0x0403_0201n);
  });

  it("raises #PF for the second page at the address of its own first byte", () => {
    machine.engine.ram.setU64(0x4000 + 8, 0n);
    machine.engine.helpers.invalidatePage(machine.cpu.record, BigInt(MAPPED + 0x1000));
    // #PF: pop rbx (error code); pop rsi (RIP); hlt
    machine.handler(14, "5b 5e f4");
    machine.run(MAPPED + 0xffd);
    expect(machine.cpu.state.get64("cr2")).toBe(BigInt(MAPPED + 0x1000));
    expect(machine.get(RSI)).toBe(BigInt(MAPPED + 0xffd));
    // Only the I/D bit, which no-execute paging brings.
    expect(machine.get(RBX)).toBe(16n);
  });
});

describe("an instruction that goes on in a device", () => {
  it("raises #UD", () => {
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, 0xfee0_0000);
    machine.load(FRAME_A + 0xffd, "b80102");
    // #UD: pop rsi (RIP); hlt
    machine.handler(6, "5e f4");
    machine.run(MAPPED + 0xffd, 1000);
    expect(machine.get(RSI)).toBe(BigInt(MAPPED + 0xffd));
  });
});

describe("an instruction at the end of 4 GiB", () => {
  it("goes on at address 0 in 32-bit code", () => {
    const { ram, helpers } = machine.engine;
    const { state, record } = machine.cpu;
    // The last page of 4 GiB; there is none behind it.
    ram.setU64(0x2000 + 3 * 8, 0x7003n);
    ram.setU64(0x7000 + 511 * 8, 0x8003n);
    ram.setU64(0x8000 + 511 * 8, BigInt(FRAME_A) | 3n);
    state.set("csAttr", 0xc09b);
    helpers.updateMode(record);
    machine.load(FRAME_A + 0xffd, "b80102");
    machine.load(0, "0304");
    machine.run(0xffff_fffd, 1000);
    expect(machine.get(RAX)).toBe(0x0403_0201n);
  });
});

describe("memory accesses", () => {
  it("across two pages touch both frames", () => {
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, FRAME_B);
    machine.load(CODE, "488907 488b1f");
    machine.set(RDI, MAPPED + 0xffb);
    machine.set(RAX, 0x0807_0605_0403_0201n);
    machine.run();
    expect(machine.get(RBX)).toBe(0x0807_0605_0403_0201n);
    expect(machine.engine.ram.u32(FRAME_A + 0xffb)).toBe(0x0403_0201);
    expect(machine.engine.ram.u16(FRAME_B)).toBe(0x0706);
  });

  it("change nothing if the second page faults", () => {
    machine.map(MAPPED, FRAME_A);
    machine.load(CODE, "4801 07");
    machine.handler(14, "f4");
    machine.set(RDI, MAPPED + 0xffc);
    machine.set(RAX, -1n & 0xffff_ffff_ffff_ffffn);
    machine.run();
    expect(machine.engine.ram.u32(FRAME_A + 0xffc)).toBe(0);
    expect(machine.cpu.state.get64("cr2")).toBe(BigInt(MAPPED + 0x1000));
  });

  it("outside RAM reach the bus", () => {
    machine = new BareMachine();
    machine.engine.ram.setU64(0x4000, 0xfee0_0000n | 3n);
    machine.load(CODE, "8b07");
    machine.set(RDI, MAPPED);
    machine.run();
    expect(machine.get(RAX)).toBe(0xffff_ffffn);
  });
});

describe("interrupts", () => {
  it("wait for IF and for the instruction behind STI", () => {
    // inc rax; sti; inc rax; inc rax; handler stores rax in rbx
    machine.load(CODE, "48ffc0 fb 48ffc0 48ffc0 fa");
    machine.handler(0x40, "4889c3 48cf");
    machine.waiting.push(0x40);
    machine.cpu.notify();
    machine.run();
    expect(machine.get(RBX)).toBe(2n);
    expect(machine.get(RAX)).toBe(3n);
  });

  it("that wait end a HLT right behind STI", () => {
    machine.load(CODE, "fb f4 48ffc0");
    machine.handler(0x40, "4889e3 48cf");
    machine.waiting.push(0x40);
    machine.cpu.notify();
    machine.run();
    expect(machine.get(RBX)).not.toBe(0n);
    expect(machine.get(RAX)).toBe(1n);
  });
});

// A module for each of half a million blocks takes minutes; compiler/translator.test.ts has this with regions.
describe.skipIf(testTranslation() === "at-once")("the cache of decoded code", () => {
  it("is bounded: a guest that runs code all over its RAM evicts old blocks and goes on rightly", () => {
    machine = new BareMachine(32 << 20);
    // Every 16 bytes: inc rax, then a jump to the next stretch; nearly twice what the cache holds.
    const from = 0x40_0000;
    const stretches = (12 << 20) / 16;
    const code = new Uint8Array(stretches * 16).fill(0x90);
    for (let i = 0; i < stretches; i++) code.set([0x48, 0xff, 0xc0, 0xeb, 11], i * 16);
    machine.engine.ram.write(from, code);
    machine.load(from + code.length, "");
    for (let round = 1; round <= 2; round++) {
      expect(machine.run(from)).toBe(stretches * 2 + 1);
      expect(machine.get(RAX)).toBe(BigInt(stretches * round));
    }
    expect(machine.engine.decoder.bytesUsed).toBeLessThanOrEqual(2 * ARENA_HALF_SIZE);
    expect(machine.engine.codeCounters(0).arenaEvictions).toBeGreaterThan(2);
  });
});
