// SPDX-License-Identifier: Apache-2.0
import type { DebugStop } from "@isola/ports";

/**
 * Why a vCPU stopped running guest code. MMIO and port I/O are not exits: they are calls to the buses while the vCPU
 * runs, since devices answer at once.
 */
export type VmExit =
  /** The instructions asked for have run, or {@link X86Cpu.requestExit} was called. */
  | { readonly kind: "budget" }
  /** HLT with nothing to do: run again after an interrupt. */
  | { readonly kind: "halt" }
  /** Triple fault. */
  | { readonly kind: "shutdown" }
  /** It has come to where a debugger wanted it to stop. */
  | { readonly kind: "debug"; readonly stop: DebugStop };

export const EXIT_BUDGET: VmExit = { kind: "budget" };
export const EXIT_HALT: VmExit = { kind: "halt" };
export const EXIT_SHUTDOWN: VmExit = { kind: "shutdown" };
