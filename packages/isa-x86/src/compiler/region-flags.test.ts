// SPDX-License-Identifier: Apache-2.0
// Regions keep flags as the operands of what set them last. Wherever a region is left, the flags must be those that the
// interpreter has.
import { describe, expect, it } from "vitest";
import { BareMachine, CODE } from "../cpu/bare-machine.fixture.js";
import type { Translation } from "./policy.js";

const REGISTERS = 16;
const SLICES = 12;
const FIRST_BUDGET = 64;

/** Instructions that set flags, in loops where the flags of the round before are alive. */
const LOOPS = {
  "add of 8 bits": "00d8",
  "add of 16 bits": "6601d8",
  "add of 32 bits": "01d8",
  "add of 64 bits": "4801d8",
  "sub of 64 bits": "4829d8",
  "cmp of 8 bits, high registers": "38fc",
  "adc of 32 bits": "11d8",
  "sbb of 64 bits": "4819d8",
  "xor, then inc": "31d8ffc1",
  "inc of 64 bits": "49ffc3",
  "dec of 8 bits": "fecb",
  "add, then inc, then adc": "01d8ffc183d200",
  "dec, then sbb": "66ffc94819d8",
  neg: "48f7d8",
  "shl by cl, which may be 0": "ffc1d3e0",
  "rcl by cl": "ffc1d3d0",
  "mul, then setc": "f7e30f92c1",
  "bt, then cmov": "ffc10fa3c80f42d9",
  "comisd, then lahf": "660f2fc19f",
  "pushf and popf": "01d89c9d",
  "a condition over a jump": "01d87002ffc1",
  "two ways with different flags": "01d87204ffc1eb0231d1",
  "a loop in the loop": "b90500000001d8ffc975fa",
  "std, then cld": "fdfc01d8",
} as const;

/** Flags and registers after each of several slices of a loop that never ends. */
function slices(translation: Translation, body: string, address: number = CODE): string[] {
  const machine = new BareMachine(undefined, null, { translation });
  const { cpu, engine } = machine;
  const back = (256 - (body.length / 2 + 2)).toString(16);
  machine.load(address, `${body} eb${back}`);
  for (let register = 0; register < REGISTERS; register++)
    if (register !== 4) machine.set(register, 0x7fff_fff0_7fff_fff3n + BigInt(register) * 0x1357n);
  cpu.state.set64("rip", BigInt(address));
  return Array.from({ length: SLICES }, (_, i) => {
    cpu.run(FIRST_BUDGET + 7 * i);
    const registers = Array.from({ length: REGISTERS }, (__, register) => machine.get(register).toString(16));
    const rip = cpu.state.get64("rip").toString(16);
    return `flags ${engine.helpers.readFlags(cpu.record).toString(16)} rip ${rip} left ${cpu.budgetLeft} ${registers}`;
  });
}

describe.each(Object.entries(LOOPS))("%s", (_name, body) => {
  const expected = slices("off", body);
  it.each(["early", "at-once"] as const)("leaves the same state at the end of every slice (%s)", (translation) => {
    expect(slices(translation, body)).toEqual(expected);
  });
});

describe("an indirect jump into another page, after flags of unknown kind", () => {
  // add eax,ebx; setc dl; movzx edx,dl; inc ecx; shl eax,cl; lea rdi,[rip+6]; lea rdi,[rdi+rdx*4]; jmp rdi
  const upToJump = "01d80f92c20fb6d2ffc1d3e0488d3d06000000488d3c97ffe7";
  // 0: inc esi; jmp 8; 4: inc ebx; nop; nop; 8:
  const body = `${upToJump}ffc6eb02ffc39090`;
  const address = CODE + 0x1000 - upToJump.length / 2;
  const expected = slices("off", body, address);
  it.each(["early", "at-once"] as const)("goes where the register says (%s)", (translation) => {
    expect(slices(translation, body, address)).toEqual(expected);
  });
});
