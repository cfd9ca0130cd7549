// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";

/** What a short program prints on standard output, trimmed; null if it is missing or fails. */
export function capture(program: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, LC_ALL: "C" }, timeout: 30_000 };
    execFile(program, [...args], options, (error, stdout) => resolve(error ? null : stdout.trim()));
  });
}
