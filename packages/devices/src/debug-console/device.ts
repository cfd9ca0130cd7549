// SPDX-License-Identifier: Apache-2.0
import type { IoHandler } from "@isola/memory";
import type { ByteSink } from "@isola/ports";
import { checkState, type Device } from "../device.js";
import { DEBUG_CONSOLE_PRESENT } from "./registers.js";
import { type DebugConsoleState, debugConsoleResetState } from "./state.js";

/** A write-only console of one port, for firmware and early boot messages. */
export class DebugConsole implements Device<DebugConsoleState> {
  readonly handler: IoHandler = {
    read: () => DEBUG_CONSOLE_PRESENT,
    write: (_offset, _size, value) => this.sink.write(Uint8Array.of(value & 0xff)),
  };

  constructor(private readonly sink: ByteSink) {}

  reset(): void {}

  save(): DebugConsoleState {
    return debugConsoleResetState();
  }

  restore(state: DebugConsoleState): void {
    checkState(state, "debug-console", 1);
  }
}
