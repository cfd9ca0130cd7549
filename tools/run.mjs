// SPDX-License-Identifier: Apache-2.0
// The project's verbs, run by bootstrap.mjs in the project's own Node: start, demo, test, bench, guests, build, check,
// format.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, root } from "./build.mjs";

const say = (line) => process.stderr.write(`isola: ${line}\n`);

/** Runs a program in the checkout with this terminal; resolves with its exit status (1 if a signal ended it). */
function run(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: process.cwd(), stdio: "inherit" });
    // The child owns the terminal, from which Ctrl-C reaches it too: it alone decides what that means.
    process.on("SIGINT", () => {});
    for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("error", (error) => {
      say(error.message);
      resolve(1);
    });
    child.on("exit", (status) => resolve(status ?? 1));
  });
}

const node = (script, ...args) => run(process.execPath, [...process.execArgv, join(root, script), ...args]);

function quietly(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] }).status === 0;
}

async function buildAll(withDemo = false) {
  await build({ onStep: (name) => say(`building ${name}`), withDemo });
}

const VERBS = {
  /** Boots Debian 12; extra arguments go to `isola run`. */
  async start(args) {
    await buildAll();
    return node("build/isola.mjs", "run", "debian:12", ...args);
  },
  /** Serves the page in which machines run in a browser; extra arguments go to the server. */
  async demo(args) {
    await buildAll(true);
    return node("build/demo.mjs", ...args);
  },
  async build() {
    await buildAll(true);
    return 0;
  },
  /** Everything that can be said about the sources without running them. */
  async check() {
    await buildAll();
    const { STATIC_CHECKS } = await import("./test-run.mjs");
    return STATIC_CHECKS.every(({ name, args }) => {
      say(name);
      return quietly(args);
    })
      ? 0
      : 1;
  },
  async format() {
    return quietly(["node_modules/oxfmt/bin/oxfmt", "."]) ? 0 : 1;
  },
  async test(args) {
    const { testAll } = await import("./test-run.mjs");
    return testAll(args);
  },
  /** Runs other people's software, all of it or what is named, and writes docs/guests.md. */
  async guests(args) {
    return node("tests/boot/main.mjs", "--record", ...args);
  },
  /** Measures Isola against other machines; see bench/. */
  async bench(args) {
    await buildAll(args.includes("--browser"));
    return node("bench/run.mjs", ...args);
  },
};

const [verb = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(VERBS, verb)) {
  say(`no verb "${verb}"; there are ${Object.keys(VERBS).join(", ")}`);
  process.exit(2);
}
try {
  process.exitCode = await VERBS[verb](args);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
