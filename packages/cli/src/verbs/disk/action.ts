// SPDX-License-Identifier: Apache-2.0
import type { CommandLine, OptionSpecs } from "../../command-line.js";

/** What can be done with a disk image: one word after `isola disk`. */
export interface DiskAction {
  readonly name: string;
  /** Its arguments. */
  readonly synopsis: string;
  /** How many arguments there must and may be. */
  readonly least: number;
  readonly most: number;
  readonly options: OptionSpecs;
  /** Does it; resolves with the exit status. */
  run(words: readonly string[], line: CommandLine): Promise<number>;
}

export const FORMAT_OPTION: OptionSpecs = {
  format: {
    value: "FORMAT",
    help: "format of the image; if it is not given, its first bytes tell, and a new one is qcow2",
  },
};
