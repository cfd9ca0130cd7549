// SPDX-License-Identifier: Apache-2.0
import type { CommandLine, OptionSpecs } from "./command-line.js";

/** Exit status for a command line that makes no sense. */
export const USAGE_STATUS = 2;
/** Exit status when a machine ended by a triple fault. */
export const TRIPLE_FAULT_STATUS = 3;
export const FAILURE_STATUS = 1;

/** One word after `isola`. */
export interface Verb {
  readonly name: string;
  /** What follows the name, for example `[IMAGE] [options]`. */
  readonly synopsis: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  readonly options: OptionSpecs;
  /** Does it; resolves with the exit status of the program. */
  run(line: CommandLine): Promise<number>;
}
