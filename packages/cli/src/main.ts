// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { describeOptions, parseCommandLine } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";
import { FAILURE_STATUS, USAGE_STATUS, type Verb } from "./verb.js";

const HELP = { help: { short: "h", help: "show this text" } };

function overview(verbs: readonly Verb[]): string {
  const lines = verbs.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}\n`);
  return `usage: isola VERB [arguments]\n\n${lines.join("")}\n"isola VERB --help" tells more about one of them.\n`;
}

function verbHelp({ name, synopsis, summary, options }: Verb): string {
  return `usage: isola ${name} ${synopsis}\n\n${summary}\n\n${describeOptions({ ...options, ...HELP })}`;
}

/** Where the program writes its own words. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** Runs the verb that `args` name and returns the exit status. Never throws. */
export async function main(args: readonly string[], verbs: readonly Verb[], output: Output): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === "--help" || word === "-h" || word === "help") {
    output.out(overview(verbs));
    return word === undefined ? USAGE_STATUS : 0;
  }
  const verb = verbs.find(({ name }) => name === word);
  try {
    if (verb === undefined) {
      const names = verbs.map(({ name }) => name);
      throw new UsageError(`there is no verb "${word}"${didYouMean(word, names) || `; there are ${names.join(", ")}`}`);
    }
    const line = parseCommandLine(rest, { ...verb.options, ...HELP });
    if (line.has("help")) {
      output.out(verbHelp(verb));
      return 0;
    }
    return await verb.run(line);
  } catch (error) {
    if (error instanceof UsageError) {
      output.err(`isola: ${error.message}\n`);
      return USAGE_STATUS;
    }
    if (error instanceof OperatorError) output.err(`isola: ${error.message}\n`);
    else
      output.err(`isola: internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return FAILURE_STATUS;
  }
}
