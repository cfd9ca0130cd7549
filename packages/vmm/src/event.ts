// SPDX-License-Identifier: Apache-2.0
import type { DebugStop } from "@isola/ports";
import type { VmState } from "./state.js";

/** Why a machine has stopped for good. */
export type StopReason =
  /** The guest switched itself off through ACPI. */
  | { readonly kind: "power-off" }
  /** The guest asked for a reset, and the machine was told not to restart. */
  | { readonly kind: "reset" }
  /** Triple fault: an exception while the double-fault handler was called. `report` shows the vCPU's registers. */
  | { readonly kind: "triple-fault"; readonly vcpu: number; readonly report: string }
  /** The guest wrote the debug-exit port; `status` is (value << 1) | 1. */
  | { readonly kind: "debug-exit"; readonly status: number }
  /** A `stop` action. */
  | { readonly kind: "stopped" }
  /** A bug of ours, or a host that fails. The guest cannot go on. */
  | { readonly kind: "failed"; readonly error: unknown };

/** What a machine tells whoever listens. */
export type VmmEvent =
  | { readonly type: "state"; readonly state: VmState; readonly previous: VmState }
  /** The guest (or an operator) reset the machine, and it starts again. */
  | { readonly type: "restarted" }
  /** A vCPU has stopped for a debugger (null: by a triple fault); comes after the change to `paused`. */
  | { readonly type: "debug-stop"; readonly vcpu: number; readonly stop: DebugStop | null }
  /** Everything typed into this serial port has been taken. */
  | { readonly type: "input-drained"; readonly port: number }
  /** Comes once, after the change to `stopped`. */
  | { readonly type: "stopped"; readonly reason: StopReason };
