// SPDX-License-Identifier: Apache-2.0
// Compiles a recorder of this folder with gcc and runs it: what the processor underneath does is the reference.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Why the recorders cannot be used here, or undefined when they can. The results they are compared with are Intel's. */
export function recorderObstacle(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs an x86-64 Linux host";
  if (!/vendor_id\s*: GenuineIntel/.test(readFileSync("/proc/cpuinfo", "latin1"))) return "needs an Intel processor";
  if (spawnSync("gcc", ["--version"]).status !== 0) return "needs gcc";
  return undefined;
}

/** Output of the recorder `name`.c, run with these arguments. */
export function record(name: string, ...options: string[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "isola-recorder-"));
  try {
    const program = join(folder, name);
    const source = join(dirname(fileURLToPath(import.meta.url)), `${name}.c`);
    const compiled = spawnSync("gcc", ["-O1", "-mno-red-zone", "-mfma", "-mf16c", "-msse4.1", "-o", program, source], {
      encoding: "utf8",
    });
    if (compiled.status !== 0) throw new Error(`${name}.c does not compile:\n${compiled.stderr}`);
    const result = spawnSync(program, options, { maxBuffer: 1 << 30 });
    if (result.status !== 0) throw new Error(`${name} failed: status ${result.status}, signal ${result.signal}`);
    return result.stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
