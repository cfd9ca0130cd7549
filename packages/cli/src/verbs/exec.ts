// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import {
  type ControlClient,
  type GuestCommand,
  type GuestUser,
  guestUser,
  requestFor,
  ROOT,
  startWhenReady,
} from "@isola/control";
import type { CommandLine, OptionSpecs } from "../command-line.js";
import { machineForExec, patienceOf, WAIT_OPTION } from "../exec-machine.js";
import { attachProgram, terminalSize } from "../exec-streams.js";
import { UsageError } from "../usage-error.js";
import type { Verb } from "../verb.js";

/** Status for what goes wrong before the command has begun, or with the machine: as of `env` and others of its kind. */
const EXEC_FAILURE = 125;

const OPTIONS: OptionSpecs = {
  env: { short: "e", value: "NAME=VALUE", many: true, help: "set a variable of its environment" },
  workdir: { short: "w", value: "DIRECTORY", help: "where it starts (default: the user's home)" },
  user: { short: "u", value: "USER[:GROUP]", help: "as whom it runs (default: root)" },
  ...WAIT_OPTION,
};

/** What is to be run, as the options say. */
interface Wanted {
  /** Null for the user's own shell, as at a login. */
  readonly words: readonly string[] | null;
  readonly input: boolean;
  readonly terminal: boolean;
}

async function userOf(line: CommandLine, client: ControlClient, words: readonly string[] | null): Promise<GuestUser> {
  const wanted = line.get("user");
  if (wanted !== undefined) return guestUser(client, wanted, patienceOf(line));
  if (words !== null) return ROOT;
  // Which shell is root's, the guest knows; one without users has at least the usual one.
  return guestUser(client, ROOT.name, patienceOf(line)).catch((error: unknown) => {
    if (error instanceof OperatorError && error.code === "no-such-user") return ROOT;
    throw error;
  });
}

async function commandOf(line: CommandLine, client: ControlClient, wanted: Wanted): Promise<GuestCommand> {
  const environment = line.all("env");
  const nameless = environment.find((text) => !/^[^=]+=/.test(text));
  if (nameless !== undefined) throw new UsageError(`--env: "${nameless}" is not like NAME=VALUE`);
  const user = await userOf(line, client, wanted.words);
  const terminal = wanted.terminal ? { ...terminalSize(), type: process.env["TERM"] ?? "linux" } : null;
  const words = wanted.words ?? [user.shell, "-l"];
  return { words, directory: line.get("workdir") ?? null, environment, user, terminal };
}

async function execute(line: CommandLine, wanted: Wanted): Promise<number> {
  const [name = ""] = line.positionals;
  if (wanted.terminal && wanted.input && !process.stdin.isTTY)
    throw new UsageError("input for a terminal has to come from one: standard input is none");
  try {
    const { client } = await machineForExec(name);
    const command = await commandOf(line, client, wanted);
    const session = await startWhenReady(client, requestFor(command), patienceOf(line));
    return await attachProgram(session, wanted.input, wanted.terminal);
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
  options: {
    interactive: { short: "i", help: "pass standard input on to the command" },
    tty: { short: "t", help: "give the command a terminal" },
    ...OPTIONS,
  },
  async run(line) {
    const words = line.positionals.slice(1);
    if (words.length === 0) throw new UsageError("exec takes a machine and a command: isola exec VM -- COMMAND");
    return execute(line, { words, input: line.has("interactive"), terminal: line.has("tty") });
  },
};

export const shell: Verb = {
  name: "shell",
  synopsis: "VM [options]",
  summary: "open a shell in a machine whose image was built by Isola",
  options: OPTIONS,
  async run(line) {
    if (line.positionals.length !== 1) throw new UsageError("shell takes one machine");
    return execute(line, { words: null, input: true, terminal: process.stdin.isTTY });
  },
};
