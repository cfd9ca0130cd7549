// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { askGuest, type ControlClient, type ExecEnd, type GuestCommand, rootCommand } from "@isola/control";
import { statusOfEnd } from "../exec-streams.js";

/** A script for the guest's shell, with `$1` and so on. */
export function guestScript(script: string, ...parameters: readonly string[]): GuestCommand {
  return rootCommand("/bin/sh", "-c", script, "isola", ...parameters);
}

/** The error that a script's failure is: the last line that it wrote. */
export function scriptError(what: string, errors: string, end: ExecEnd): OperatorError {
  const line = errors.trimEnd().split("\n").at(-1) ?? "";
  return new OperatorError(
    "copy-failed",
    `${what}: ${line || `the guest's command ended with status ${statusOfEnd(end)}`}`,
  );
}

/** Runs a short script and returns its output without the last line break. Throws OperatorError if it fails. */
export async function runScript(
  client: ControlClient,
  what: string,
  command: GuestCommand,
  patience: number,
): Promise<string> {
  const { output, errors, end } = await askGuest(client, command, patience);
  if (statusOfEnd(end) !== 0) throw scriptError(what, errors, end);
  return output.replace(/\n$/, "");
}
