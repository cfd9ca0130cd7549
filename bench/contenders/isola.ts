// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../capture.js";
import type { Contender, SelfReport } from "./contender.js";

/** The counters of the compiler that the statistics hold, in nanoseconds. */
const TRANSLATION = ["generationTime", "moduleTime"] as const;

/** Finds the compiler's times in the JSON object that `--stats=json` writes on a line of its own. */
export function readStatistics(errors: string): SelfReport | null {
  for (const line of errors.split("\n")) {
    if (!line.startsWith("{")) continue;
    let statistics: { readonly compiler?: { readonly [K in (typeof TRANSLATION)[number]]?: number } | null };
    try {
      statistics = JSON.parse(line);
    } catch {
      // A guest's or a library's brace.
      continue;
    }
    const { compiler } = statistics;
    const times = TRANSLATION.flatMap((name) => compiler?.[name] ?? []);
    if (times.length === TRANSLATION.length) return { translationTime: times.reduce((a, b) => a + b) / 1e6 };
  }
  return null;
}

/** The monitor of this checkout, as the bundle that people run. */
export function isola(root: string): Contender {
  const bundle = join(root, "build", "isola.mjs");
  let statistics: readonly string[] = [];
  return {
    name: "Isola",
    architectures: ["amd64", "i386"],
    setup: "`isola run` under the project's Node, as bundled for release; it loads the kernel itself, without a BIOS",
    async presence() {
      if (!existsSync(bundle)) return { missing: `${bundle} is not there: run npm run build` };
      const commit = (await capture("git", ["-C", root, "rev-parse", "--short=12", "HEAD"])) ?? "unknown commit";
      const help = await capture(process.execPath, [bundle, "run", "--help"]);
      if (help?.includes("--stats")) statistics = ["--stats=json"];
      const changes = await capture("git", ["-C", root, "status", "--porcelain", "--untracked-files=no", "packages"]);
      return { version: `${commit}${changes ? " with changes" : ""}, Node ${process.versions.node}` };
    },
    command: ({ kernel, initrd, append, memoryMiB, disks }) => ({
      program: process.execPath,
      args: [
        bundle,
        "run",
        ...["--kernel", kernel, "--initrd", initrd],
        ...["--append", append, "--memory", `${memoryMiB}M`],
        ...disks.flatMap(({ path, mode }) => ["--disk", `${path},${mode}`]),
        ...statistics,
      ],
    }),
    selfReport: readStatistics,
  };
}
