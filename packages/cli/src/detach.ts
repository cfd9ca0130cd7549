// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { orFileError } from "@isola/host-node";
import { FAILURE_STATUS } from "./verb.js";

/** Tells a process that it is the one in the background, and where its log is. */
const MARK = "ISOLA_DETACHED_LOG";
const STARTED = "started";

/** Log of a machine in the background: `isola/NAME.log` in XDG_STATE_HOME. */
export function logOf(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "isola", `${name}.log`);
}

/** Path of the log if this process is one in the background, else null. Its children are none. */
export function detachedLog(): string | null {
  const log = process.env[MARK] ?? null;
  delete process.env[MARK];
  return log;
}

/** Tells the process that waits in the foreground that the machine runs. */
export function reportStarted(): void {
  process.send?.(STARTED, () => process.disconnect?.());
}

/**
 * Starts this program once more in the background with `args`, and waits until its machine runs. What it says on
 * standard error before that is the operator's; afterwards it goes to `log`.
 * @returns exit status for this process: 0 when the machine runs
 */
export async function startDetached(args: readonly string[], log: string): Promise<number> {
  const descriptor = orFileError("write", log, () => {
    mkdirSync(join(log, ".."), { recursive: true, mode: 0o700 });
    // Truncated: a log tells of one machine.
    closeSync(openSync(log, "w", 0o600));
    return openSync(log, "a");
  });
  const [script = ""] = process.argv.slice(1);
  const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
    detached: true,
    stdio: ["ignore", "ignore", descriptor, "ipc"],
    env: { ...process.env, [MARK]: log },
  });
  closeSync(descriptor);
  return new Promise((resolve) => {
    child.once("message", () => {
      child.unref();
      child.channel?.unref();
      resolve(0);
    });
    child.once("exit", (status) => {
      process.stderr.write(readFileSync(log));
      resolve(status ?? FAILURE_STATUS);
    });
    child.once("error", (error) => {
      process.stderr.write(`isola: cannot start a process: ${error.message}\n`);
      resolve(FAILURE_STATUS);
    });
  });
}
