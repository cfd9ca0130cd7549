// SPDX-License-Identifier: Apache-2.0
import type { GuestSample } from "@isola/ports";
import type { X86Cpu } from "../cpu/x86-cpu.js";
import { ModeKey } from "../decode/mode.js";
import { Gpr } from "../semantics/x86-emitter.js";

const BITS = { [ModeKey.Code16]: 16, [ModeKey.Code32]: 32, [ModeKey.Code64]: 64 } as const;
const USER_PRIVILEGE = 3;
const LOW_HALF = 0xffff_ffffn;

/** What a vCPU between two runs is about to execute. `time` is handed on. */
export function sampleCpu(cpu: X86Cpu, time: number): GuestSample {
  const { state } = cpu;
  const bits = BITS[(state.get("modeKey") & ModeKey.CodeSizeMask) as keyof typeof BITS] ?? 64;
  const based = (offset: bigint, base: "csBase" | "ssBase") =>
    bits === 64 ? offset : (state.get64(base) + (bits === 16 ? offset & 0xffffn : offset)) & LOW_HALF;
  return {
    vcpu: cpu.index,
    time,
    bits,
    user: state.get("cpl") === USER_PRIVILEGE,
    rip: based(state.get64("rip"), "csBase"),
    rsp: based(state.get64("gpr", Gpr.RSP), "ssBase"),
    rbp: based(state.get64("gpr", Gpr.RBP), "ssBase"),
    systemCall: state.get64("lstar"),
    systemEnter: state.get64("sysenterEip"),
  };
}
