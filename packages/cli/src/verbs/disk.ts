// SPDX-License-Identifier: Apache-2.0
import { didYouMean } from "../suggestion.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";
import type { DiskAction } from "./disk/action.js";
import { check } from "./disk/check.js";
import { convert } from "./disk/convert.js";
import { create } from "./disk/create.js";
import { info } from "./disk/info.js";
import { resize } from "./disk/resize.js";

const ACTIONS: readonly DiskAction[] = [create, info, check, convert, resize];
const NAMES = ACTIONS.map(({ name }) => name);

export const disk: Verb = {
  name: "disk",
  synopsis: "ACTION ARGUMENTS [options]",
  summary: `disk images in files: ${ACTIONS.map(({ name, synopsis }) => `${name} ${synopsis}`).join(" | ")}`,
  options: Object.assign({}, ...ACTIONS.map(({ options }) => options)),
  async run(line) {
    const [word = "", ...rest] = line.positionals;
    const action = ACTIONS.find(({ name }) => name === word);
    if (action === undefined)
      throw new UsageError(
        `disk: there is no "${word}"${didYouMean(word, NAMES) || `; there are ${NAMES.join(", ")}`}`,
      );
    for (const option of Object.keys(disk.options))
      if (line.has(option) && !Object.hasOwn(action.options, option))
        throw new UsageError(`disk ${word} has no --${option}`);
    if (rest.length < action.least || rest.length > action.most)
      throw new UsageError(`disk ${word} takes ${action.synopsis}`);
    return action.run(rest, line);
  },
};
