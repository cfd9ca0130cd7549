// SPDX-License-Identifier: Apache-2.0
// Guests that never get anywhere: each must give control back when its budget is used up.
import { writeSync } from "node:fs";
import { HANDLERS_LINEAR, HANDLERS_PHYSICAL, IDT_PHYSICAL, TSS_PHYSICAL } from "../oracle/engine-environment.js";
import { EngineTarget } from "../oracle/engine-target.js";
import { StateImage, StateOffset } from "../oracle/state-image.js";
import { type Environment, WindowRights } from "../oracle/vector-target.js";

const STDOUT = 1;
const BUDGET = 50_000;
const CODE = 0x3000_0000;
const IST1 = 36;
const DB = 1;
const UD = 6;
const PF = 14;
const INVALID_OPCODE = [0x0f, 0x0b];
const RCX = 1;
const RSI = 6;
const RDI = 7;

interface Endless {
  readonly name: string;
  readonly code: readonly number[];
  readonly prepare?: (target: EngineTarget) => void;
}

/** The gate uses a stack of its own, so that exceptions inside its handler never run out of stack. */
function useOwnStack(target: EngineTarget, vector: number): void {
  const { ram } = target.engine;
  ram.setU64(TSS_PHYSICAL + IST1, ram.u64(TSS_PHYSICAL + 4));
  ram.setU8(IDT_PHYSICAL + 16 * vector + 4, 1);
}

const GUESTS: readonly Endless[] = [
  {
    name: "a handler of #UD that raises #UD",
    code: INVALID_OPCODE,
    prepare: (target) => {
      useOwnStack(target, UD);
      target.engine.ram.write(HANDLERS_PHYSICAL + UD, Uint8Array.from(INVALID_OPCODE));
    },
  },
  {
    name: "a handler of #PF that is not mapped",
    code: [0x8a, 0x04, 0x25, 0, 0, 0, 0],
    prepare: (target) => {
      useOwnStack(target, PF);
      target.engine.ram.setU16(IDT_PHYSICAL + 16 * PF + 6, 0x7fff);
    },
  },
  {
    name: "a breakpoint on the handler of breakpoints",
    code: [0xf1],
    prepare: (target) => {
      useOwnStack(target, DB);
      target.cpu.state.set64("dr", HANDLERS_LINEAR + BigInt(DB), 0);
      target.cpu.state.set64("dr", 0x402n, 7);
    },
  },
  { name: "a jump to itself", code: [0xeb, 0xfe] },
  { name: "an endless REP LODS", code: [0xf3, 0xac] },
  { name: "an endless REP STOS", code: [0xf3, 0xaa] },
  { name: "an endless REP MOVS", code: [0xf3, 0xa4] },
  { name: "an endless REPE SCAS", code: [0xf3, 0xae] },
  { name: "an endless REPE CMPS", code: [0xf3, 0xa6] },
];

/** One page that is code and data, mapped again and again, so that string instructions can run for very long. */
function environment(): Environment {
  const page = new Uint8Array(0x1000);
  const rights = WindowRights.Read | WindowRights.Write;
  const windows = [{ base: CODE, size: 0x1000, rights: rights | WindowRights.Execute, initial: page }];
  for (let i = 0; i < 1024; i++) windows.push({ base: 0x4000_0000 + i * 0x1000, size: 0x1000, rights, initial: page });
  const selectors = { cs: 0x33, ss: 0x2b, ds: 0x2b, es: 0x2b, fs: 0, gs: 0 };
  return { mode: 64, hasAvx: false, codeEnd: CODE + 0x1000, selectors, windows };
}

/** Runs every guest with one budget and prints a line for each before and after it. */
export function endless(): number {
  for (const { name, code, prepare } of GUESTS) {
    writeSync(STDOUT, `at ${name}\n`);
    const target = new EngineTarget();
    target.prepare(environment());
    prepare?.(target);
    target.write(CODE, Uint8Array.from(code));
    const state = new StateImage();
    state.view.setUint32(StateOffset.Rip, CODE, true);
    state.view.setUint32(StateOffset.Flags, 0x202, true);
    state.view.setBigUint64(StateOffset.Gpr + 8 * RCX, ~0n, true);
    for (const register of [RSI, RDI]) state.view.setUint32(StateOffset.Gpr + 8 * register, 0x4000_0000, true);
    target.setState(state);
    const { kind } = target.cpu.run(BUDGET);
    writeSync(STDOUT, `${name}: ${kind}\n`);
  }
  return 0;
}
