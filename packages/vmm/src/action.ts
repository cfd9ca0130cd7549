// SPDX-License-Identifier: Apache-2.0
import type { KeyInput, MouseInput } from "@isola/machine";
import type { VmState } from "./state.js";

/** Everything that can be asked of a machine. */
export type VmmAction =
  /** Loads the boot source and begins to run. Legal while created. */
  | { readonly type: "start" }
  /** Stops guest time between two instructions. Legal while running. */
  | { readonly type: "pause" }
  /** Lets a paused machine go on; the guest does not see the time between. Legal while paused. */
  | { readonly type: "resume" }
  /** Switches the machine off at once, as by pulling the plug. Legal while created, running or paused. */
  | { readonly type: "stop" }
  /** Presses the reset button. Legal while running or paused. */
  | { readonly type: "reset" }
  /** Asks the guest, through ACPI, to shut down. Legal while running or paused. */
  | { readonly type: "press-power-button" }
  /** Raises a non-maskable interrupt on the first vCPU. Legal while running or paused. */
  | { readonly type: "inject-nmi" }
  /** Types into a serial port; what its FIFO does not take waits in order. Legal while running or paused. */
  | { readonly type: "serial-input"; readonly port: number; readonly bytes: Uint8Array }
  /** Presses or lets go a key of the keyboard. Legal while running. */
  | ({ readonly type: "key-input" } & KeyInput)
  /** Moves the mouse. Legal while running. */
  | ({ readonly type: "mouse-input" } & MouseInput)
  /**
   * Asks a guest with a balloon driver to get by with `memory` bytes of its RAM and to give back the rest, or to take back
   * what it gave. How far it is, `vm.balloon()` tells. Legal while created, running or paused.
   */
  | { readonly type: "set-balloon"; readonly memory: number };

export type VmmActionType = VmmAction["type"];

/** The states in which each action is legal. */
export const LEGAL_STATES: { readonly [K in VmmActionType]: readonly VmState[] } = {
  start: ["created"],
  pause: ["running"],
  resume: ["paused"],
  stop: ["created", "running", "paused"],
  reset: ["running", "paused"],
  "press-power-button": ["running", "paused"],
  "inject-nmi": ["running", "paused"],
  "serial-input": ["running", "paused"],
  "key-input": ["running"],
  "mouse-input": ["running"],
  "set-balloon": ["created", "running", "paused"],
};
