// SPDX-License-Identifier: Apache-2.0
import type { DebugStop } from "@isola/ports";

/** Why a vCPU gave control back. */
export type VcpuExit =
  /** The slice is over, or it was asked to return. */
  | { readonly kind: "budget" }
  /** HLT; it has nothing to do until an interrupt comes. */
  | { readonly kind: "halt" }
  /** Triple fault. */
  | { readonly kind: "shutdown" }
  /** It has come to where a debugger wanted it to stop. */
  | { readonly kind: "debug"; readonly stop: DebugStop };

/** A virtual CPU as the scheduler drives it. */
export interface Vcpu {
  /** Runs about `instructions` instructions. */
  run(instructions: number): VcpuExit;
  /** Instructions of the slice under way, or of the last one, that have not retired. May be negative. */
  readonly budgetLeft: number;
  /** Makes `run` return soon. */
  requestExit(): void;
  /** INIT: back to the state after reset, waiting for a start-up IPI. */
  init(): void;
  /** Begins at `vector << 12` in real mode. */
  startUp(vector: number): void;
}
