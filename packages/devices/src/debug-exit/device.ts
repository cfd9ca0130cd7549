// SPDX-License-Identifier: Apache-2.0
import type { IoHandler } from "@isola/memory";
import { checkState, type Device } from "../device.js";
import { type DebugExitState, debugExitResetState } from "./state.js";

/** A port by which a test ends the machine: writing `value` asks for the exit code `value * 2 + 1`. */
export class DebugExit implements Device<DebugExitState> {
  readonly handler: IoHandler = {
    read: () => 0,
    write: (_offset, _size, value) => this.onExit(((value << 1) | 1) >>> 0),
  };

  constructor(private readonly onExit: (code: number) => void) {}

  reset(): void {}

  save(): DebugExitState {
    return debugExitResetState();
  }

  restore(state: DebugExitState): void {
    checkState(state, "debug-exit", 1);
  }
}
