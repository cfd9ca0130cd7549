// SPDX-License-Identifier: Apache-2.0
import type { PlainAction } from "@isola/control";
import { onlyMachineOf } from "../running-machine.js";
import type { Verb } from "../verb.js";

function actionVerb(name: PlainAction & string, summary: string): Verb {
  return {
    name,
    synopsis: "VM",
    summary,
    options: {},
    async run(line) {
      await (await onlyMachineOf(line, name)).client.perform(name);
      return 0;
    },
  };
}

export const pause: Verb = actionVerb("pause", "stop the time of a machine");
export const resume: Verb = actionVerb("resume", "let a paused machine go on");
export const reset: Verb = actionVerb("reset", "press the reset button of a machine");
