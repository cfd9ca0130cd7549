// SPDX-License-Identifier: Apache-2.0
import { chordOf, typedText } from "../key-names.js";
import { mouseActions } from "../mouse-actions.js";
import { machineOf } from "../running-machine.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

export const type: Verb = {
  name: "type",
  synopsis: "VM TEXT...",
  summary: "type text on the keyboard of a machine (US layout; \\n is Enter, \\t Tab, \\e Escape)",
  options: {},
  async run(line) {
    const events = typedText(line.positionals.slice(1).join(" "));
    if (events.length === 0) throw new UsageError("type takes a machine and a text");
    await (await machineOf(line, "type")).client.input(events);
    return 0;
  },
};

export const key: Verb = {
  name: "key",
  synopsis: "VM KEYS...",
  summary: "press keys of a machine together, such as ctrl-alt-delete, f2 or shift-tab; several one after another",
  options: {},
  async run(line) {
    const events = line.positionals.slice(1).flatMap(chordOf);
    if (events.length === 0) throw new UsageError("key takes a machine and keys, such as ctrl-alt-delete");
    await (await machineOf(line, "key")).client.input(events);
    return 0;
  },
};

export const mouse: Verb = {
  name: "mouse",
  synopsis: "VM point X Y | move DX DY | click [left|right|middle] | drag DX DY [BUTTON] | scroll CLICKS",
  summary: "use the mouse of a machine; right, down and towards the user are positive",
  options: {},
  async run(line) {
    const events = mouseActions(line.positionals.slice(1));
    await (await machineOf(line, "mouse")).client.input(events);
    return 0;
  },
};
