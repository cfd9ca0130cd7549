// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Contender } from "./contenders/contender.js";
import type { Guest } from "./guest.js";
import { measureSecondStart } from "./second-start.js";

const guest = {
  description: "test",
  console: { booted: /login: (.*)\n/, timeouts: { boot: 20_000, prepare: 1, work: 1, shell: 1 } },
} as unknown as Guest;

/** A monitor that boots slowly unless the cache directory says that it has booted before. */
function monitor(script: string): Contender {
  return {
    name: "A",
    architectures: ["amd64"],
    setup: "",
    rehearses: false,
    presence: () => Promise.resolve({ version: "1" }),
    command: () => ({ program: process.execPath, args: ["-e", script] }),
    selfReport: () => null,
  };
}

const KEEPS = `
  const fs = require("node:fs"), kept = process.env.ISOLA_CACHE_DIR + "/kept";
  setTimeout(() => console.log("login: " + process.env.ISOLA_CACHE_DIR), fs.existsSync(kept) ? 0 : 600);
  process.on("SIGTERM", () => { fs.writeFileSync(kept, ""); process.exit(0); });
  setInterval(() => {}, 1000);`;

describe("measureSecondStart", () => {
  test("the second start finds what the first kept when it ended; the next round starts anew", async () => {
    const results = await measureSecondStart(guest, monitor(KEEPS), { rounds: 2, say: () => {} });
    expect(results.failure).toBeNull();
    for (const round of [0, 1]) {
      const first = results.times.first.get(round) ?? 0;
      expect(first - (results.times.second.get(round) ?? first)).toBeGreaterThan(300);
    }
  });
  test("a start that fails ends the measurement, and leaves no directory", async () => {
    const script = 'console.error("dir=" + process.env.ISOLA_CACHE_DIR); process.exit(4)';
    const results = await measureSecondStart(guest, monitor(script), { rounds: 2, say: () => {} });
    expect(results.failure).toContain("status 4");
    expect(results.times.first.size).toBe(0);
    const directory = /dir=([^\\"]+)/.exec(results.failure ?? "")?.[1] ?? "";
    expect(directory).not.toBe("");
    expect(existsSync(directory)).toBe(false);
  });
});
