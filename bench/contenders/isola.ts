// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../capture.js";
import type { Guest, GuestDisk } from "../guest.js";
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

/** The name of Isola as it is when a guest is started for the first time. */
export const FIRST_START = "Isola, first start";

const SETUP = {
  usual: "`isola run` under the project's Node, as bundled for release; it loads the kernel itself, without a BIOS",
  kept: "; it has run the same guest and work once before, and kept the code that it compiled then",
  off: "the same with `--translation-cache off`: nothing is known of the guest",
} as const;

/** What Isola finds of earlier runs: what the test kept in the build directory, nothing, or what it keeps by default. */
export type Keeping = "kept" | "off" | "default";

/** Where measured machines keep translations. */
export function translationDirectory(root: string): string {
  return join(root, "build", "bench", "translations");
}

function keepingOptions(keeping: Keeping, root: string, { kernel, initrd, disks }: Guest): readonly string[] {
  if (keeping === "default") return [];
  if (keeping === "off") return ["--translation-cache", "off"];
  const name = createHash("sha256")
    .update(JSON.stringify([kernel, initrd, disks]))
    .digest("hex")
    .slice(0, 16);
  return ["--translation-cache", join(translationDirectory(root), name)];
}

function diskOption({ path, format, mode }: GuestDisk): readonly string[] {
  return ["--disk", `${path.replaceAll(",", ",,")},format=${format}${mode === "writable" ? "" : `,${mode}`}`];
}

/** The monitor of this checkout, as the bundle that people run. */
export function isola(root: string, keeping: Keeping): Contender {
  const bundle = join(root, "build", "isola.mjs");
  let statistics: readonly string[] = [];
  return {
    name: keeping === "off" ? FIRST_START : "Isola",
    architectures: ["amd64", "i386"],
    setup: keeping === "off" ? SETUP.off : `${SETUP.usual}${keeping === "kept" ? SETUP.kept : ""}`,
    rehearses: keeping === "kept",
    async presence() {
      if (!existsSync(bundle)) return { missing: `${bundle} is not there: run npm run build` };
      const commit = (await capture("git", ["-C", root, "rev-parse", "--short=12", "HEAD"])) ?? "unknown commit";
      const help = await capture(process.execPath, [bundle, "run", "--help"]);
      if (help?.includes("--stats")) statistics = ["--stats=json"];
      const changes = await capture("git", ["-C", root, "status", "--porcelain", "--untracked-files=no", "packages"]);
      return { version: `${commit}${changes ? " with changes" : ""}, Node ${process.versions.node}` };
    },
    command: (guest) => ({
      program: process.execPath,
      args: [
        ...process.execArgv,
        bundle,
        "run",
        ...["--kernel", guest.kernel, "--initrd", guest.initrd],
        ...["--append", guest.append, "--memory", `${guest.memoryMiB}M`],
        ...guest.disks.flatMap(diskOption),
        ...(guest.network ? ["--network", "user,host-loopback"] : []),
        ...keepingOptions(keeping, root, guest),
        ...statistics,
      ],
    }),
    selfReport: readStatistics,
  };
}
