// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import type { Architecture } from "./guest.js";

/** The 32-bit program keeps to SSE2 as the 64-bit one does, so that "double" is not a second x87 workload. */
const FLAGS: { readonly [K in Architecture]: readonly string[] } = {
  amd64: ["-m64"],
  i386: ["-m32", "-msse2", "-mfpmath=sse"],
};

function compile(sources: readonly string[], architecture: Architecture, target: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const args = ["-O2", "-static", "-s", ...FLAGS[architecture], "-o", target, ...sources];
    execFile("gcc", args, (error, _stdout, stderr) => {
      if (!error) return resolve();
      const reason = error.code === "ENOENT" ? "gcc is not installed" : (stderr || error.message).trim().split("\n")[0];
      const hint = "the workloads need gcc and static C libraries (Debian: gcc libc6-dev gcc-multilib)";
      reject(new OperatorError("WORKLOADS_NOT_BUILT", `${reason}; ${hint}`, { cause: error }));
    });
  });
}

/** Where everything goes that is made for a measurement. */
export function outputDirectory(root: string): string {
  return join(root, "build", "bench");
}

/**
 * Compiles the C sources in the folder `bench/FOLDER` of a checkout to a static program, and returns its path. Rejects
 * with an OperatorError if that is not possible here.
 */
export async function compileFolder(root: string, folder: string, architecture: Architecture): Promise<string> {
  const output = outputDirectory(root);
  await mkdir(output, { recursive: true });
  const sources = join(root, "bench", folder);
  const names = (await readdir(sources)).filter((name) => name.endsWith(".c"));
  const program = join(output, `${folder}-${architecture}`);
  await compile(
    names.map((name) => join(sources, name)),
    architecture,
    program,
  );
  return program;
}
