// SPDX-License-Identifier: Apache-2.0
// On a virtual clock the time is the number of instructions that have retired, and devices ask for it. Compiled code must
// not let them see another one than the interpreter does.
import { describe, expect, it } from "vitest";
import { BareMachine, CODE, MAPPED } from "../cpu/bare-machine.fixture.js";
import type { Translation } from "./policy.js";

const [RCX, RSI, RDI] = [1, 6, 7];
const DEVICE = 0xfee0_0000;
/** RAM behind the device, for accesses that straddle the two. */
const NEXT_FRAME = 0x80_0000;
const BUDGET = 1_000_000;
/** Often enough for the loop to be compiled under "early". */
const RUNS = 4;
const ROUNDS = 10;
const CR4_OSXSAVE = 1n << 18n;

/** What the device sees of the budget while a loop of `instruction` runs several times. */
function budgetsSeen(translation: Translation, instruction: string): number[] {
  const machine = new BareMachine(undefined, null, { translation });
  const seen: number[] = [];
  const note = (): number => seen.push(machine.cpu.budgetLeft);
  machine.mmio.map(DEVICE, 0x1000, { read: note, write: note });
  machine.map(MAPPED, DEVICE);
  machine.map(MAPPED + 0x1000, NEXT_FRAME);
  const { state, record } = machine.cpu;
  state.set("fcw", 0x37f);
  state.set("mxcsr", 0x1f80);
  state.set64("cr4", state.get64("cr4") | CR4_OSXSAVE);
  state.set64("xcr0", 7n);
  machine.engine.helpers.updateMode(record);
  const length = instruction.length / 2;
  // 1: nop; the instruction; nop; dec ecx; jne 1
  const back = (256 - (length + 6)).toString(16);
  machine.load(CODE, `90 ${instruction} 90 ffc9 75${back}`);
  for (let run = 0; run < RUNS; run++) {
    machine.set(RSI, MAPPED);
    machine.set(RDI, MAPPED);
    machine.set(RCX, ROUNDS);
    machine.run(CODE, BUDGET);
  }
  return seen;
}

const INSTRUCTIONS = {
  "mov eax,[rsi]": "8b06",
  "mov [rsi],eax": "8906",
  "add [rsi],eax": "0106",
  "lock xadd [rsi],eax": "f00fc106",
  "movups xmm0,[rsi]": "0f1006",
  "movups [rsi],xmm0": "0f1106",
  "fld tbyte [rsi]": "db2e",
  "fstp tbyte [rsi]": "db3e",
  "push qword [rsi]": "ff36",
  "cmp qword [rsi+0xffc],rax": "483986fc0f0000",
  lodsb: "ac",
  "vmovups ymm0,[rsi]": "c5fc1006",
  "vmovups [rsi],ymm0": "c5fc1106",
  "vmaskmovps xmm0,xmm1,[rsi]": "c5f176c9c4e2712c06",
  "vmaskmovps [rsi],xmm1,xmm0": "c5f176c9c4e2712e06",
  "vpgatherdd xmm0,[rsi+xmm2*4],xmm1": "c5f176c9c4e271900496",
  "vcvtph2ps ymm0,[rsi]": "c4e27d1306",
  "vcvtph2ps xmm0,[rsi]": "c4e2791306",
  "xsave [rsi]": "0fae26",
  "fxsave [rsi]": "0fae06",
  "fxrstor [rsi]": "0fae0e",
  "maskmovdqu xmm0,xmm1": "c5f176c9660ff7c1",
  "cmpxchg16b [rsi]": "480fc70e",
} as const;

describe.each(Object.entries(INSTRUCTIONS))("%s on a device", (_name, hex) => {
  const expected = budgetsSeen("off", hex);
  it.each(["early", "at-once"] as const)("happens at the same time when compiled (%s)", (translation) => {
    expect(expected.length).toBeGreaterThanOrEqual(RUNS * ROUNDS);
    expect(budgetsSeen(translation, hex)).toEqual(expected);
  });
});
