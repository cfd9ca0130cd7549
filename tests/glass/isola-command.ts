// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "../oracle/native-harness.js";
import type { FlatGuest } from "./flat-guest.js";

export interface CommandResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Options of `isola run` that boot a flat guest. */
export function flatGuestOptions(guest: FlatGuest): string[] {
  const boot = ["--kernel", guest.binary, "--load-address", "0x100000", "--mode", "long"];
  return [...boot, "--memory", "16M", "--device", "isa-debug-exit"];
}

/** Runs `isola` with `args`; sends it `signal` as soon as it has written a line. */
export function isolaCommand(args: readonly string[], signal?: NodeJS.Signals): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(repositoryRoot(), "build/isola.mjs"), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk: Buffer) => {
      if (signal !== undefined && output === "") child.kill(signal);
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output, errors }));
  });
}
