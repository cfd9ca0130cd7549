// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { TrapHandler, TrapResult, X86Cpu } from "../cpu/x86-cpu.js";
import { trap } from "../semantics/system.js";
import type { Form } from "../table/form.js";
import type { Opcode } from "../table/opcode.js";
import { integerHint } from "../table/integer-hint.js";
import { systemOpcodes } from "../table/system.js";
import { readCr8, writeCr8 } from "./control-register.js";
import { cpuid } from "./cpuid.js";
import { readDebugRegister, writeDebugRegister } from "./debug-register.js";
import { hlt, pause } from "./halt.js";
import { rdmsr, wrmsr } from "./msr.js";
import { inPort, insPort, outPort, outsPort } from "./port-io.js";
import type { SystemPorts } from "./ports.js";
import { rdrand } from "./random.js";
import { type Emulation, TrappedInstruction } from "./trapped-instruction.js";

/** By mnemonic and, where that is not enough, operands. */
const EMULATIONS: { readonly [line: string]: Emulation } = {
  "mov Ry,Cd": readCr8,
  "mov Cd,Ry": writeCr8,
  "mov Ry,Dd": readDebugRegister,
  "mov Dd,Ry": writeDebugRegister,
  hlt,
  pause,
  cpuid,
  rdmsr,
  wrmsr,
  rdrand,
  rdseed: rdrand,
  in: inPort,
  out: outPort,
  ins: insPort,
  outs: outsPort,
};

function emulationOf(opcode: Opcode): Emulation | undefined {
  return EMULATIONS[opcode.name] ?? EMULATIONS[`${opcode.name} ${opcode.operands.join()}`];
}

/** Table lines that trap, with what emulates them. */
const EMULATION_BY_LINE: ReadonlyMap<Opcode, Emulation> = new Map(
  [...systemOpcodes, ...integerHint].flatMap((opcode) => {
    const emulation = emulationOf(opcode);
    assert(emulation !== undefined || opcode.semantics !== trap, `${opcode.name} traps but nothing emulates it`);
    return emulation === undefined ? [] : [[opcode, emulation] as const];
  }),
);

/** Trap and emulate for one vCPU: the rare instructions that generated code leaves to the run loop. */
export class SystemInstructions implements TrapHandler {
  private insn: TrappedInstruction | null = null;

  constructor(private readonly ports: SystemPorts) {}

  trap(cpu: X86Cpu, form: Form, record: number): TrapResult {
    const emulation = EMULATION_BY_LINE.get(form.opcode);
    assert(emulation !== undefined, `nothing emulates ${form.opcode.name}`);
    this.insn ??= new TrappedInstruction(cpu, this.ports, form);
    const { insn } = this;
    assert(insn.cpu === cpu, "one SystemInstructions serves one vCPU");
    insn.form = form;
    insn.record = record;
    return emulation(insn);
  }
}
