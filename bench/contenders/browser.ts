// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture } from "../capture.js";
import { CHROMIUM } from "./chromium.js";
import type { Contender } from "./contender.js";
import { readStatistics } from "./isola.js";

/** The monitor of this checkout in a tab of Chromium. */
export function browser(root: string): Contender {
  const driver = join(root, "build", "bench", "browser-machine.mjs");
  return {
    name: "Isola in Chromium",
    architectures: ["amd64", "i386"],
    setup:
      "the same sources in a worker of a page, served from this host; the time of a boot includes Chromium's start",
    rehearses: false,
    lacksHostIo: true,
    async presence() {
      if (!existsSync(CHROMIUM)) return { missing: `${CHROMIUM} is not there (Debian: chromium)` };
      if (!existsSync(join(root, "node_modules", "playwright-core")))
        return { missing: "npm package playwright-core is not installed: run npm install" };
      const version = await capture(CHROMIUM, ["--version"]);
      return version === null ? { missing: `${CHROMIUM} does not start` } : { version: version.trim() };
    },
    command: (guest) => ({ program: process.execPath, args: [driver, JSON.stringify(guest)] }),
    selfReport: readStatistics,
  };
}
