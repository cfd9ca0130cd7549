// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { basename, dirname } from "node:path";
import { OperatorError } from "@isola/base";

/** An image that is ready: paths of its files, and the kernel's command line. */
export interface ReadyImage {
  /** Changes with the contents. */
  readonly key: string;
  readonly kernel: string;
  readonly initrd: string;
  readonly disk: string | null;
  readonly append: string;
}

/**
 * Has the command line make an image ready, since a new disk needs a machine that runs once. Its progress goes to
 * standard error. Rejects with an OperatorError of its last line if it fails.
 * @param program the bundled command line
 */
export async function pullImage(program: string, reference: string): Promise<ReadyImage> {
  const child = spawn(process.execPath, [...process.execArgv, program, "pull", reference], {
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
    child.on("error", () => resolve(null));
    child.on("close", resolve);
  });
  if (status !== 0) {
    const reason = errors.trim().split("\n").at(-1) ?? "";
    throw new OperatorError("pull-failed", reason.replace(/^isola: /, "") || `isola pull ${reference} failed`);
  }
  // A name, blanks, a value.
  const rows = new Map(
    output.split("\n").flatMap((line) => {
      const match = /^(\S+)\s+(.*)$/.exec(line);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""] as const];
    }),
  );
  const kernel = rows.get("kernel") ?? "";
  return {
    key: basename(dirname(kernel)),
    kernel,
    initrd: rows.get("initrd") ?? "",
    disk: rows.get("disk") ?? null,
    append: rows.get("append") ?? "",
  };
}
