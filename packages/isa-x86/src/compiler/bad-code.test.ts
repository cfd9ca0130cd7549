// SPDX-License-Identifier: Apache-2.0
// Code that translators get wrong: it changes itself, overlaps itself, straddles pages that go away, or is just too much.
import { describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";
import type { Translation, TranslationPolicy } from "./policy.js";

const [RAX, RCX, RDX, RBX, RSP, RSI] = [0, 1, 2, 3, 4, 6];
/** Page-table entry of MAPPED in the bare machine. */
const TABLE = 0x4000;
const DEVICE = 0xfee0_0000;
const FRAME_A = 0x80_0000;
const FRAME_B = 0x90_0000;
/** Often enough for everything to become hot under "early". */
const ROUNDS = 8;
/** 1 + 2 + ... + 20: what the loops below add up when every change of the code is seen. */
const SUM = 210n;

const WAYS: readonly Translation[] = ["off", "early", "at-once"];

const machineWith = (translation: Translation | TranslationPolicy, ramSize?: number): BareMachine =>
  new BareMachine(ramSize, null, { translation });

/**
 * Loads the program afresh and runs it, several times; `check` looks at the end of each.
 * @param retired instructions that each takes
 */
function repeat(machine: BareMachine, hex: string, retired: number, check: () => void): void {
  for (let round = 0; round < ROUNDS; round++) {
    machine.load(CODE, hex);
    for (const register of [RAX, RCX, RDX, RBX]) machine.set(register, 0);
    expect(machine.run()).toBe(retired);
    check();
  }
}

describe.each(WAYS)("code that changes itself (%s)", (way) => {
  const sums = (hex: string, retired: number): void => {
    const machine = machineWith(way);
    repeat(machine, hex, retired, () => expect(machine.get(RBX)).toBe(SUM));
  };

  it("ahead in its block, by STOS", () => {
    // mov ecx,20; 1: lea rdi,[t+1]; mov eax,ecx; stosb; t: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne 1
    sums("b914000000 488d3d04000000 89c8 aa b200 0fb6d2 4801d3 ffc9 75ea", 162);
  });

  it("in the block that it jumps to, by MOV", () => {
    // mov ecx,20; 1: mov [t+1],cl; jmp t; nop; t: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne 1
    sums("b914000000 880d04000000 eb01 90 b200 0fb6d2 4801d3 ffc9 75eb", 142);
  });

  it("in the block that it jumps to, by STOS", () => {
    // mov ecx,20; 1: lea rdi,[t+1]; mov eax,ecx; stosb; jmp t; nop; t: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne 1
    sums("b914000000 488d3d07000000 89c8 aa eb01 90 b200 0fb6d2 4801d3 ffc9 75e7", 182);
  });

  it("ahead in its block, by XCHG", () => {
    // mov ecx,20; 1: mov eax,ecx; xchg [t+1],al; t: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne 1
    sums("b914000000 89c8 860501000000 b200 0fb6d2 4801d3 ffc9 75ec", 142);
  });

  it("behind itself, by INC", () => {
    // mov ecx,20; 1: add ebx,1; inc byte [1+2]; dec ecx; jne 1
    sums("b914000000 83c301 fe05f9ffffff ffc9 75f3", 82);
  });

  it("by a PUSH onto it", () => {
    const machine = machineWith(way);
    // mov r8,rsp; mov ecx,20; 1: lea rsp,[t+9]; mov rax,...; push rax; t: mov dl,0; nop * 5; inc rbx; dec ecx; jne 1
    const hex = "4989e0 b914000000 488d2514000000 48b807909090909048ff 50 b200 9090909090 48ffc3 ffc9 75e0 4c89c4";
    repeat(machine, hex, 244, () => {
      expect(machine.get(RDX)).toBe(7n);
      expect(machine.get(RBX)).toBe(20n);
    });
  });

  it("by an FNSTCW into the next instruction", () => {
    const machine = machineWith(way);
    machine.cpu.state.set("fcw", 0x37f);
    // mov ecx,20; 1: fnstcw [t+1]; t: mov edx,0; dec ecx; jne 1
    repeat(machine, "b914000000 d93d01000000 ba00000000 ffc9 75f1", 82, () => expect(machine.get(RDX)).toBe(0x37fn));
  });

  it("by a REP STOS over itself, which ends when its bytes are gone", () => {
    const machine = machineWith(way);
    // lea rdi,[1]; mov eax,0x90; mov ecx,2; 1: rep stosb; inc rbx
    repeat(machine, "488d3d0a000000 b890000000 b902000000 f3aa 48ffc3", 6, () => {
      expect(machine.get(RBX)).toBe(1n);
      expect(machine.engine.ram.u16(CODE + 0x11)).toBe(0x9090);
    });
  });

  it("by a device that it writes to", () => {
    const machine = machineWith(way);
    machine.mmio.map(DEVICE, 0x1000, {
      read: () => 0,
      write: (_offset, _size, value) => void machine.engine.ram.setU8(CODE + 8, value),
    });
    machine.map(MAPPED, DEVICE);
    machine.set(RSI, MAPPED);
    // mov ecx,20; 1: mov [rsi],ecx; t: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne 1
    const hex = "b914000000 890e b200 0fb6d2 4801d3 ffc9 75f2";
    repeat(machine, hex, 122, () => expect(machine.get(RBX)).toBe(SUM));
  });

  it("through another mapping, in another page of the same loop", () => {
    const machine = machineWith(way);
    machine.map(MAPPED, FRAME_A);
    machine.map(MAPPED + 0x1000, FRAME_B);
    machine.map(MAPPED + 0x2000, FRAME_B);
    for (let round = 0; round < ROUNDS; round++) {
      // A: mov ecx,20; 1: mov [rsi+1],cl; jmp B
      machine.load(FRAME_A, "b914000000 884e01 e9f30f0000");
      // B: mov dl,0; movzx edx,dl; add rbx,rdx; dec ecx; jne A.1; hlt
      machine.load(FRAME_B, "b200 0fb6d2 4801d3 ffc9 0f85f5efffff");
      machine.set(RSI, MAPPED + 0x2000);
      machine.set(RBX, 0);
      machine.run(MAPPED);
      expect(machine.get(RBX)).toBe(SUM);
    }
  });
});

describe.each(WAYS)("code of other strange kinds (%s)", (way) => {
  it("overlaps itself", () => {
    const machine = machineWith(way);
    // mov ecx,20; eb ff c0: jmp into its own second byte, inc eax; mov edx,0x90c3ff48 hides inc rbx; nop; dec ecx; jne there
    repeat(machine, "b914000000 ebffc0 ba48ffc390 ffc9 75f8", 83, () => {
      expect(machine.get(RAX)).toBe(1n);
      expect(machine.get(RBX)).toBe(19n);
    });
  });

  it("straddles two pages of which the second goes away and comes back as another one", () => {
    const machine = machineWith(way);
    machine.map(MAPPED, FRAME_A);
    // A loop whose last instruction is put together from two frames: dec ecx; jne 1; mov eax,0x04030201.
    machine.load(FRAME_A + 0xff2, "b905000000 90 ffc9 75fb 90 b80102");
    machine.load(FRAME_B, "0304");
    machine.load(FRAME_B + 0x1000, "aabb");
    // #PF: count it in RBX, map the page again as RSI says, return.
    machine.load(0xb000, "48ffc3 4889342508400000 4883c408 48cf");
    const handler = BigInt(0xb000);
    machine.engine.ram.setU64(0x5000 + 14 * 16, (handler & 0xffffn) | (8n << 16n) | (0x8e00n << 32n));
    for (let round = 0; round < ROUNDS; round++) {
      const frame = round % 2 === 0 ? FRAME_B : FRAME_B + 0x1000;
      machine.engine.ram.setU64(TABLE + 8, 0n);
      machine.engine.helpers.invalidatePage(machine.cpu.record, BigInt(MAPPED + 0x1000));
      machine.set(RBX, 0);
      machine.set(RSI, frame | 3);
      machine.run(MAPPED + 0xff2);
      expect(machine.get(RBX)).toBe(1n);
      expect(machine.get(RAX)).toBe(round % 2 === 0 ? 0x0403_0201n : 0xbbaa_0201n);
    }
  });

  it("calls itself very deeply", () => {
    const machine = machineWith(way);
    const depth = 100_000;
    for (let round = 0; round < 2; round++) {
      machine.set(RSP, 0x70_0000);
      machine.set(RBX, 0);
      machine.set(RDX, 0);
      // mov ecx,depth; call f; hlt; f: inc rbx; dec ecx; je 1; call f; 1: inc rdx; ret
      machine.load(CODE, "b9a0860100 e801000000 f4 48ffc3 ffc9 7405 e8f4ffffff 48ffc2 c3");
      machine.run();
      expect(machine.get(RBX)).toBe(BigInt(depth));
      expect(machine.get(RDX)).toBe(BigInt(depth));
      expect(machine.get(RSP)).toBe(0x70_0000n);
    }
  });
});
