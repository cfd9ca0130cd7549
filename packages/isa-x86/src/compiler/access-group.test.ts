// SPDX-License-Identifier: Apache-2.0
// Accesses around one register share a probe of the soft TLB. Whether their bytes lie in one page or in two, they must
// read and write what the interpreter does.
import { describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";
import type { Translation } from "./policy.js";

const [RBX, RSP, R9, R10] = [3, 4, 9, 10];
const REGISTERS = 16;
const SLICES = 16;
const BUDGET = 150;
const BORDER = MAPPED + 0x1000;
const FRAMES = [0x18_0000, 0x15_0000] as const;

/**
 * 1: mov rax,[rbx-8]; add [rbx],eax; mov [rbx+16],rax; mov rsp,rbx; push rax; pop rcx; lea rdi,[rbx+40];
 * add dword [rdi-4],3; test eax,1; je 2; inc dword [rbx+24]; mov rdx,[rbx-32]; mov [rdi],rdx; jmp 3;
 * 2: mov edx,[rbx-48]; xor [rdi-40],rdx;
 * 3: add rbx,4; mov esi,ebx; mov r8d,[esi+4]; cmp rbx,r9; jb 1; mov rbx,r10; jmp 1
 */
const LOOP =
  "488b43f80103488943104889dc5059488d7b288347fc03a901000000740cff4318488b53e0488917eb078b53d0483157d8" +
  "4883c30489de67448b46044c39cb72bf4c89d3ebba";

/** Registers and both pages after each of several slices, while RBX goes from `below` a page's end to beyond it. */
function slices(translation: Translation, below: number): string[] {
  const machine = new BareMachine(undefined, null, { translation });
  const { cpu, engine } = machine;
  machine.map(MAPPED, FRAMES[0]);
  machine.map(BORDER, FRAMES[1]);
  const bytes = Uint8Array.from({ length: 0x1000 }, (_, i) => (i * 37) & 0xff);
  for (const frame of FRAMES) engine.ram.write(frame, bytes);
  machine.load(CODE, LOOP);
  for (const register of [RBX, RSP, R10]) machine.set(register, BORDER - below);
  machine.set(R9, BORDER + 64);
  cpu.state.set64("rip", BigInt(CODE));
  return Array.from({ length: SLICES }, () => {
    cpu.run(BUDGET);
    const registers = Array.from({ length: REGISTERS }, (_, register) => machine.get(register).toString(16));
    const ram = new Uint8Array(engine.buffer, engine.ram.base);
    const memory = FRAMES.map((frame) =>
      ram.subarray(frame, frame + 0x1000).reduce((sum, byte) => (sum * 31 + byte) | 0, 0),
    );
    return `rip ${cpu.state.get64("rip").toString(16)} left ${cpu.budgetLeft} ${registers} ${memory}`;
  });
}

describe.each([256, 96, 33, 8])("from %i bytes below the end of a page", (below) => {
  const expected = slices("off", below);
  it.each(["early", "at-once"] as const)("does what the interpreter does (%s)", (translation) => {
    expect(slices(translation, below)).toEqual(expected);
  });
});
