// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../capture.js";
import type { Contender } from "./contender.js";

/** The monitor of this checkout, as the bundle that people run. */
export function isola(root: string): Contender {
  const bundle = join(root, "build", "isola.mjs");
  return {
    name: "Isola",
    architectures: ["amd64", "i386"],
    setup: "`isola run` under the project's Node, as bundled for release; it loads the kernel itself, without a BIOS",
    async presence() {
      if (!existsSync(bundle)) return { missing: `${bundle} is not there: run npm run build` };
      const commit = (await capture("git", ["-C", root, "rev-parse", "--short=12", "HEAD"])) ?? "unknown commit";
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
      ],
    }),
  };
}
