// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { isMachineName } from "@isola/control";
import { UsageError } from "../usage-error.js";

/** Where something is copied from or to. */
export type Location =
  | { readonly kind: "local"; readonly path: string }
  /** An absolute path in the guest. `directory`: it was written with a slash at its end. */
  | { readonly kind: "guest"; readonly machine: string; readonly path: string; readonly directory: boolean };

/** Reads `VM:/path`, or a local path; one with a colon in its first part is written as `./a:b`. */
export function parseLocation(text: string): Location {
  const colon = text.indexOf(":");
  const machine = text.slice(0, Math.max(0, colon));
  // A single letter is a drive of Windows there.
  const drive = process.platform === "win32" && machine.length === 1;
  if (drive || !isMachineName(machine)) {
    if (text === "") throw new UsageError("cp: an empty path names nothing");
    return { kind: "local", path: text };
  }
  const typed = text.slice(colon + 1);
  const path = posix.normalize(`/${typed}`);
  const directory = typed.endsWith("/");
  return { kind: "guest", machine, path: path === "/" ? path : path.replace(/\/$/, ""), directory };
}
