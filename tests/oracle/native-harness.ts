// SPDX-License-Identifier: Apache-2.0
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Family } from "./vector-file.js";

/** Root of the repository: the nearest directory above this file that has layers.json, bundled or not. */
export function repositoryRoot(): string {
  let at = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(at, "layers.json"))) {
    if (dirname(at) === at) throw new Error("not inside the repository");
    at = dirname(at);
  }
  return at;
}

function tryRun(command: string, args: readonly string[]): { ok: boolean; output: string } {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return { ok: result.status === 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

/** Why this machine cannot serve as the oracle, or null. Undefined results and #UD differ between vendors: Intel only. */
function obstacle(): string | null {
  if (process.platform !== "linux" || process.arch !== "x64") return "needs Linux on x86-64";
  const info = readFileSync("/proc/cpuinfo", "utf8");
  if (!info.includes("GenuineIntel")) return "the CPU is not an Intel one, results the manual leaves open would differ";
  if (!tryRun("cc", ["--version"]).ok) return "no C compiler (cc)";
  if (!tryRun("make", ["--version"]).ok) return "no make";
  return null;
}

export interface Generation {
  readonly mode: 32 | 64;
  readonly seed: number;
  readonly count: number;
  /** All when left out. */
  readonly families?: readonly Family[];
}

/** The C program that executes instructions on the real CPU. */
export class NativeHarness {
  private constructor(
    private readonly binary: string,
    private readonly scratch: string,
  ) {}

  /** Builds the program; returns a sentence instead when this machine cannot do that. */
  static build(): NativeHarness | string {
    const reason = obstacle();
    if (reason !== null) return reason;
    const out = join(repositoryRoot(), "build", "oracle");
    const made = tryRun("make", ["-s", "-C", join(repositoryRoot(), "tests/oracle/native"), `OUT=${out}`]);
    if (!made.ok) return `the harness did not compile:\n${made.output}`;
    return new NativeHarness(join(out, "oracle"), out);
  }

  /** Records vectors, in a process of its own, and returns the file's bytes. */
  async generate(generation: Generation): Promise<Uint8Array> {
    mkdirSync(this.scratch, { recursive: true });
    const { mode, seed, count, families } = generation;
    const path = join(this.scratch, `${process.pid}-${mode}-${seed}.vec`);
    const args = ["gen", path, "--mode", String(mode), "--seed", String(seed), "--count", String(count)];
    for (const family of families ?? []) args.push("--family", family);
    const child = spawn(this.binary, args, { stdio: ["ignore", "ignore", "inherit"] });
    const status = await new Promise((resolve, reject) => child.on("error", reject).on("exit", resolve));
    if (status !== 0) throw new Error(`recording vectors failed: ${this.binary} ${args.join(" ")}`);
    const bytes = readFileSync(path);
    rmSync(path);
    return bytes;
  }

  /** Executes the vectors of a file again; returns the program's verdict. */
  verify(path: string): { ok: boolean; output: string } {
    return tryRun(this.binary, ["verify", path]);
  }
}
