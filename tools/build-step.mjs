// SPDX-License-Identifier: Apache-2.0
// Skips a build step whose inputs have not changed since it last succeeded. Inputs are compared by content, so a
// checkout, a touch or a copied tree does not cause a rebuild.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

const IGNORED = new Set(["node_modules", "dist", "build", "generated", "coverage"]);

/** Files below `path` (or `path` itself) in a fixed order. A missing path is an empty list. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => (IGNORED.has(entry.name) ? [] : filesBelow(join(path, entry.name))));
}

/** SHA-256 over the names and contents of `files`, names taken relative to `root`. */
export function digest(root, files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file).split(sep).join("/")}\0${bytes.length}\0`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}

/**
 * Runs `action` unless `inputs` (files or folders, relative to `root`) are what they were when it last succeeded and
 * every one of `outputs` still exists. `filter` drops inputs. Returns whether the action ran.
 */
export async function buildStep({ root, name, inputs, outputs, filter = () => true }, action) {
  const stamp = join(root, "build", ".stamps", name);
  const files = inputs.flatMap((input) => filesBelow(join(root, input))).filter(filter);
  const now = digest(root, files);
  const done = outputs.every((output) => existsSync(join(root, output)));
  if (done && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return false;
  rmSync(stamp, { force: true });
  await action();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, now);
  return true;
}
