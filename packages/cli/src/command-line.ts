// SPDX-License-Identifier: Apache-2.0
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** One `--option`. */
export interface OptionSpec {
  /** A letter by which it is also known, behind one dash. */
  readonly short?: string;
  /** What the value is, in capitals, for the help text; absent for a switch. */
  readonly value?: string;
  /** The value may be left out, and is then empty; if given, it follows an equals sign. */
  readonly optional?: boolean;
  /** May be given more than once. */
  readonly many?: boolean;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** A command line after parsing. Option names are without dashes. */
export class CommandLine {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: ReadonlyMap<string, readonly string[]>,
  ) {}

  has(option: string): boolean {
    return this.values.has(option);
  }

  /** The value of an option, or undefined if it was not given. */
  get(option: string): string | undefined {
    return this.values.get(option)?.at(-1);
  }

  all(option: string): readonly string[] {
    return this.values.get(option) ?? [];
  }
}

/** `-it` as `-i -t`, and `-e` as the option that has this letter; words of another kind as they are. */
function longForms(arg: string, specs: OptionSpecs): readonly string[] {
  if (!/^-[a-z]+$/i.test(arg)) return [arg];
  const names = [...arg.slice(1)].map((letter) => Object.keys(specs).find((name) => specs[name]?.short === letter));
  const known = names.filter((name) => name !== undefined);
  // Only the last of several may take a value.
  const switches = known.slice(0, -1).every((name) => specs[name]?.value === undefined);
  return known.length === names.length && switches ? known.map((name) => `--${name}`) : [arg];
}

/**
 * Parses `args` (what follows the verb): `--option VALUE`, `--option=VALUE`, switches, positionals (negative
 * numbers among them), and `--` before others that begin with a dash. Throws UsageError for anything that is not declared.
 */
export function parseCommandLine(args: readonly string[], specs: OptionSpecs): CommandLine {
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  const end = args.indexOf("--");
  const words = (end < 0 ? args : args.slice(0, end)).flatMap((arg) => longForms(arg, specs));
  for (let i = 0; i < words.length; i++) {
    const arg = words[i] ?? "";
    if (!arg.startsWith("-") || arg === "-" || /^-\d+$/.test(arg)) {
      positionals.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = (equals < 0 ? arg : arg.slice(0, equals)).replace(/^--?/, "");
    const spec = Object.hasOwn(specs, name) && arg.startsWith("--") ? specs[name] : undefined;
    if (spec === undefined) {
      const known = Object.keys(specs).map((option) => `--${option}`);
      throw new UsageError(`unknown option ${arg.split("=")[0]}${didYouMean(`--${name}`, known)}`);
    }
    let value = equals < 0 ? undefined : arg.slice(equals + 1);
    if (spec.value === undefined) {
      if (value !== undefined) throw new UsageError(`--${name} takes no value`);
      value = "";
    } else if (value === undefined && spec.optional === true) {
      value = "";
    } else if (value === undefined) {
      value = words[++i];
      if (value === undefined) throw new UsageError(`--${name} needs a value: --${name} ${spec.value}`);
    }
    const seen = values.get(name) ?? [];
    if (seen.length > 0 && spec.many !== true) throw new UsageError(`--${name} was given twice`);
    values.set(name, [...seen, value]);
  }
  if (end >= 0) positionals.push(...args.slice(end + 1));
  return new CommandLine(positionals, values);
}

const HELP_COLUMN = 26;

/** One indented line for each option. */
export function describeOptions(specs: OptionSpecs): string {
  return Object.entries(specs)
    .map(([name, { value, help, many, optional, short }]) => {
      const shown = value === undefined ? "" : optional === true ? `[=${value}]` : ` ${value}`;
      const left = `  ${short === undefined ? "" : `-${short}, `}--${name}${shown}`;
      return `${left.padEnd(HELP_COLUMN)} ${help}${many === true ? " (may be repeated)" : ""}\n`;
    })
    .join("");
}
