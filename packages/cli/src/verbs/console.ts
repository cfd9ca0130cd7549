// SPDX-License-Identifier: Apache-2.0
import { onProcessEnd, Terminal } from "@isola/host-node";
import { onlyMachineOf } from "../running-machine.js";
import type { Verb } from "../verb.js";

export const console: Verb = {
  name: "console",
  synopsis: "VM",
  summary: "attach this terminal to the first serial port of a machine; Ctrl-] leaves it running",
  options: {},
  async run(line) {
    const { client } = await onlyMachineOf(line, "console");
    const stream = await client.stream("/console");
    const terminal = new Terminal({
      onInput(bytes) {
        if (!stream.write(bytes)) terminal.holdInput();
      },
      onEscape: () => stream.destroy(),
    });
    stream.on("drain", () => terminal.resumeInput());
    const unlisten = onProcessEnd(() => stream.destroy());
    const done = new Promise<void>((resolve) => stream.on("close", () => resolve()));
    stream.on("error", () => {});
    stream.on("data", (bytes: Buffer) => {
      terminal.write(bytes);
      const wait = terminal.congestion();
      if (wait === null) return;
      stream.pause();
      void wait.then(() => stream.resume());
    });
    terminal.open();
    await done;
    terminal.close();
    unlisten();
    if (process.stderr.isTTY) process.stderr.write("\r\n");
    return 0;
  },
};
