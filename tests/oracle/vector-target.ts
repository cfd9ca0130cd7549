// SPDX-License-Identifier: Apache-2.0
import type { StateImage } from "./state-image.js";

/** `what` of an instruction that ran to its end. Every other value is the vector of the exception it raised. */
export const COMPLETED = 255;

export interface Outcome {
  what: number;
  /** 0 for exceptions without one. */
  errorCode: number;
  /** Halves of CR2; meaningful for page faults, else 0. */
  cr2Low: number;
  cr2High: number;
}

export const enum WindowRights {
  Read = 1,
  Write = 2,
  Execute = 4,
}

/** A range of linear addresses that is mapped for the guest's user mode. */
export interface MemoryWindow {
  readonly base: number;
  readonly size: number;
  readonly rights: number;
  readonly initial: Uint8Array;
}

export interface Selectors {
  readonly cs: number;
  readonly ss: number;
  readonly ds: number;
  readonly es: number;
  readonly fs: number;
  readonly gs: number;
}

/** What a target must set up before vectors can run on it; README.md lists the control register bits. */
export interface Environment {
  readonly mode: 32 | 64;
  readonly hasAvx: boolean;
  /** The instruction under test ends here; nothing is mapped from here on. */
  readonly codeEnd: number;
  readonly selectors: Selectors;
  readonly windows: readonly MemoryWindow[];
}

/** Something that executes instructions: our engine, or a stand-in for it in the tests of this harness. */
export interface VectorTarget {
  /** Called once per file: build page tables and segments, and fill the windows with their initial contents. */
  prepare(environment: Environment): void;
  /** Writes guest memory from outside, code included. The range lies inside one window. */
  write(address: number, bytes: Uint8Array): void;
  /** Live contents of window `index`. */
  window(index: number): Uint8Array;
  setState(state: StateImage): void;
  /** Executes one instruction; a repeated string instruction runs until it ends or faults. */
  step(): void;
  /** State after the instruction, or as the exception handler would find it saved. */
  getState(into: StateImage): void;
  /** How the last step ended. */
  readonly outcome: Outcome;
}
