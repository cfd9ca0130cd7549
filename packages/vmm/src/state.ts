// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";

/**
 * Where a machine stands in its life.
 * ```
 * created --start--> running <--pause/resume--> paused
 *    |                  |                          |
 *    +------------------+---- stop, or its end ----+--> stopped
 * ```
 */
export type VmState = "created" | "running" | "paused" | "stopped";

/** An action came at a time when it means nothing. Code `bad-state`. */
export class StateError extends OperatorError {
  constructor(
    readonly action: string,
    readonly state: VmState,
    allowed: readonly VmState[],
  ) {
    super("bad-state", `cannot ${action} a machine that is ${state}; it must be ${allowed.join(" or ")}`);
  }
}
