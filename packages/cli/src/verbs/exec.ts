// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { type ControlClient, type GuestCommand, guestUser, requestFor, ROOT, startWhenReady } from "@isola/control";
import type { CommandLine, OptionSpecs } from "../command-line.js";
import { machineForExec, patienceOf, WAIT_OPTION } from "../exec-machine.js";
import { attachProgram, terminalSize } from "../exec-streams.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

/** Status for what goes wrong before the command has begun, or with the machine: as of `env` and others of its kind. */
const EXEC_FAILURE = 125;

const OPTIONS: OptionSpecs = {
  interactive: { short: "i", help: "pass standard input on to the command" },
  tty: { short: "t", help: "give the command a terminal" },
  env: { short: "e", value: "NAME=VALUE", many: true, help: "set a variable of its environment" },
  workdir: { short: "w", value: "DIRECTORY", help: "where it starts (default: the user's home)" },
  user: { short: "u", value: "USER[:GROUP]", help: "as whom it runs (default: root)" },
  ...WAIT_OPTION,
};

async function commandOf(line: CommandLine, client: ControlClient, words: readonly string[]): Promise<GuestCommand> {
  const environment = line.all("env");
  const nameless = environment.find((text) => !/^[^=]+=/.test(text));
  if (nameless !== undefined) throw new UsageError(`--env: "${nameless}" is not like NAME=VALUE`);
  const wanted = line.get("user");
  const user = wanted === undefined ? ROOT : await guestUser(client, wanted, patienceOf(line));
  const terminal = line.has("tty") ? { ...terminalSize(), type: process.env["TERM"] ?? "linux" } : null;
  return { words, directory: line.get("workdir") ?? null, environment, user, terminal };
}

async function execute(line: CommandLine, words: readonly string[]): Promise<number> {
  const [name = ""] = line.positionals;
  if (line.has("tty") && !process.stdin.isTTY && line.has("interactive"))
    throw new UsageError("-t with -i needs a terminal as standard input");
  try {
    const { client } = await machineForExec(name);
    const command = await commandOf(line, client, words);
    const session = await startWhenReady(client, requestFor(command), patienceOf(line));
    return await attachProgram(session, line.has("interactive"), command.terminal !== null);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stderr.write(`isola: ${error.message}\n`);
    return EXEC_FAILURE;
  }
}

export const exec: Verb = {
  name: "exec",
  synopsis: "VM [options] -- COMMAND [ARGUMENT...]",
  summary: "run a command in a machine whose image was built by Isola; ends with the command's status",
  options: OPTIONS,
  async run(line) {
    const words = line.positionals.slice(1);
    if (words.length === 0) throw new UsageError("exec takes a machine and a command: isola exec VM -- COMMAND");
    return execute(line, words);
  },
};
