// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from "node:util";

/** Where a check finds the program under test and leaves its traces. */
export interface CheckContext {
  /** The checkout. */
  readonly root: string;
  /** Directory for what machines wrote to their consoles; one file a machine. */
  readonly logs: string;
  /** An empty directory that is removed after the check. */
  readonly scratch: string;
  /** Adds a line to the report of this check. */
  note(line: string): void;
}

/** One thing that is checked from end to end. */
export interface Check {
  readonly name: string;
  /** It takes minutes: it runs only when it is named. */
  readonly slow?: boolean;
  /** Resolves when all is well, throws {@link Skip} when it cannot be checked here, and any other error otherwise. */
  run(context: CheckContext): Promise<void>;
}

/** The check cannot run on this host; the message says why. */
export class Skip extends Error {
  override readonly name = "Skip";
}

/** Something is not as it should be. */
export class CheckFailure extends Error {
  override readonly name = "CheckFailure";
}

export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new CheckFailure(message);
}

export function ensureEqual(actual: unknown, expected: unknown, what: string): void {
  const show = (value: unknown) => JSON.stringify(value) ?? String(value);
  ensure(isDeepStrictEqual(actual, expected), `${what} is ${show(actual)} and should be ${show(expected)}`);
}
