// SPDX-License-Identifier: Apache-2.0
export * from "./cpu-layout.js";
export * from "./cpu/cpu-state.js";
export * from "./cpu/engine.js";
export type { Helpers } from "./cpu/helpers.js";
export * from "./cpu/vm-exit.js";
export { type InterruptSource, type TrapHandler, TrapResult, X86Cpu } from "./cpu/x86-cpu.js";
export { type Disassembly, disassemble } from "./disassemble/disassemble.js";
export { type Translation, TRANSLATION_POLICIES, type TranslationPolicy, TRANSLATIONS } from "./compiler/policy.js";
export type { TranslatorStatistics } from "./compiler/statistics.js";
export { ModeKey } from "./decode/mode.js";
export { cpuidLeaf, type CpuidContext, type CpuidResult } from "./system/cpuid.js";
export { type ApicRegisters, type PortSpace, type SystemPorts, type ClockRates } from "./system/ports.js";
export { resetCpu } from "./system/reset.js";
export { SystemInstructions } from "./system/system-instructions.js";
