// SPDX-License-Identifier: Apache-2.0
// Enforces layers.json: a package imports only packages of strictly lower rank, says so in package.json and in its
// tsconfig references, and a kernel package sees neither Node nor the DOM nor any npm dependency.
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, matchesGlob, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { filesBelow } from "./build-step.mjs";

const SCOPE = "@isola/";
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)["']([\w@./:-]+)["']/g;
const TEST_TOOLS = new Set(["vitest", "fast-check"]);

const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Import specifiers of one source file, comments ignored. */
function specifiersOf(file) {
  const text = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  return [...text.matchAll(IMPORT)].map((match) => match[1]);
}

function checkImport({ root, name, kernel, rankOf, declared, dependencies, folder, excluded }, file, specifier) {
  const where = relative(root, file);
  // What the package's own compilation leaves out is test code; the kernel's restrictions are not for it.
  const isTest = excluded.some((pattern) => matchesGlob(relative(folder, file), pattern));
  if (specifier.startsWith(".")) {
    const target = resolve(dirname(file), specifier);
    return target.startsWith(folder + sep) ? [] : [`${where}: "${specifier}" leaves its package`];
  }
  if (specifier.startsWith(SCOPE)) {
    const target = specifier.slice(SCOPE.length);
    if (!rankOf.has(target)) return [`${where}: "${specifier}" is not a package of layers.json`];
    if (target === name) return [`${where}: imports its own package by name`];
    if (rankOf.get(target) >= rankOf.get(name))
      return [`${where}: ${name} (rank ${rankOf.get(name)}) may not import ${target} (rank ${rankOf.get(target)})`];
    return declared.has(target) ? [] : [`${where}: "${specifier}" is missing from package.json`];
  }
  if (isTest && (specifier.startsWith("node:") || TEST_TOOLS.has(specifier))) return [];
  if (kernel) return [`${where}: kernel package ${name} imports "${specifier}"`];
  const known = specifier.startsWith("node:") || dependencies.some((dep) => `${specifier}/`.startsWith(`${dep}/`));
  return known ? [] : [`${where}: "${specifier}" is missing from package.json`];
}

function checkManifest({ name, kernel, rankOf, declared, dependencies }, tsconfig) {
  const problems = [];
  for (const target of declared) {
    if (!rankOf.has(target)) problems.push(`packages/${name}/package.json: ${SCOPE}${target} is not in layers.json`);
    else if (rankOf.get(target) >= rankOf.get(name))
      problems.push(`packages/${name}/package.json: may not depend on ${SCOPE}${target} (not of a lower rank)`);
  }
  const foreign = dependencies.filter((dependency) => !dependency.startsWith(SCOPE));
  if (kernel && foreign.length > 0)
    problems.push(`packages/${name}/package.json: kernel package depends on ${foreign.join(", ")}`);
  const references = (tsconfig.references ?? []).map(({ path }) => path.replace(/^\.\.\//, ""));
  const expected = [...declared].toSorted().join(" ");
  if (references.toSorted().join(" ") !== expected)
    problems.push(`packages/${name}/tsconfig.json: references must be those of package.json: ${expected}`);
  const { types, lib } = tsconfig.compilerOptions ?? {};
  if (kernel && (lib !== undefined || (types !== undefined && types.length > 0)))
    problems.push(`packages/${name}/tsconfig.json: a kernel package may not set lib or types`);
  return problems;
}

/** Every breach of the layering in the checkout at `root`, one line each. */
export function checkLayers(root) {
  const layers = readJson(join(root, "layers.json"));
  const rankOf = new Map(Object.values(layers).flatMap((group) => Object.entries(group)));
  const problems = [];
  const base = readJson(join(root, "tsconfig.base.json")).compilerOptions;
  if (base.lib?.join() !== "ES2023" || base.types?.length !== 0)
    problems.push('tsconfig.base.json: must have lib ["ES2023"] and types []');
  for (const entry of readdirSync(join(root, "packages"))) {
    const folder = join(root, "packages", entry);
    if (!existsSync(join(folder, "package.json"))) continue;
    if (!rankOf.has(entry)) {
      problems.push(`packages/${entry}: not in layers.json`);
      continue;
    }
    const dependencies = Object.keys(readJson(join(folder, "package.json")).dependencies ?? {});
    const declared = new Set(
      dependencies.filter((name) => name.startsWith(SCOPE)).map((name) => name.slice(SCOPE.length)),
    );
    const tsconfig = readJson(join(folder, "tsconfig.json"));
    const excluded = tsconfig.exclude ?? [];
    const unit = {
      root,
      name: entry,
      kernel: entry in layers.kernel,
      rankOf,
      declared,
      dependencies,
      folder,
      excluded,
    };
    problems.push(...checkManifest(unit, tsconfig));
    for (const file of filesBelow(join(folder, "src")).filter((path) => /\.[cm]?tsx?$/.test(path)))
      for (const specifier of specifiersOf(file)) problems.push(...checkImport(unit, file, specifier));
  }
  for (const name of rankOf.keys())
    if (!existsSync(join(root, "packages", name, "package.json"))) problems.push(`layers.json: no package ${name}`);
  return problems;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const problems = checkLayers(dirname(dirname(fileURLToPath(import.meta.url))));
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exit(problems.length === 0 ? 0 : 1);
}
