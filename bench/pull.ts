// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { join } from "node:path";
import { OperatorError } from "@isola/base";

/** What `isola pull` says of an image: paths, and the kernel's command line. */
export interface ImageRows {
  readonly kernel: string;
  readonly initrd: string;
  readonly disk?: string;
  readonly append: string;
}

/** Reads the table that `isola pull` prints: a name, blanks, a value. Throws OperatorError if something is missing. */
export function parseImageRows(text: string): ImageRows {
  const rows = new Map(
    text.split("\n").flatMap((line) => {
      const match = /^(\S+)\s+(.*)$/.exec(line);
      return match === null ? [] : [[match[1], match[2]] as const];
    }),
  );
  const need = (name: string): string => {
    const value = rows.get(name);
    if (value === undefined) throw new OperatorError("PULL_FAILED", `isola pull printed no line "${name}"`);
    return value;
  };
  const disk = rows.get("disk");
  const image = { kernel: need("kernel"), initrd: need("initrd"), append: need("append") };
  return disk === undefined ? image : { ...image, disk };
}

/**
 * Pulls an image by the command line of this checkout, which also runs the machine that a new disk needs once. Its
 * progress goes to standard error. Throws OperatorError with its last line if it fails.
 */
export async function pullImage(root: string, reference: string, signal: AbortSignal): Promise<ImageRows> {
  const bundle = join(root, "build", "isola.mjs");
  const child = spawn(process.execPath, [...process.execArgv, bundle, "pull", reference], {
    signal,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (bytes: Buffer) => (output += bytes.toString("utf8")));
  child.stderr.on("data", (bytes: Buffer) => {
    errors = (errors + bytes.toString("utf8")).slice(-2000);
    process.stderr.write(bytes);
  });
  const status = await new Promise<number | null>((resolve) => {
    child.on("error", (error) => {
      errors = error.message;
      resolve(null);
    });
    child.on("close", resolve);
  });
  signal.throwIfAborted();
  if (status === 0) return parseImageRows(output);
  const reason = errors.trim().split("\n").at(-1) ?? "";
  throw new OperatorError("PULL_FAILED", `isola pull ${reference} ended with status ${status}: ${reason}`);
}
