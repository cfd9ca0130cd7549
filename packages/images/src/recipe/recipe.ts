// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { OperatorError } from "@isola/base";
import type { PathRule } from "../debian/path-filter.js";

/** How an image is made: plain data, read from `recipe.json` in a directory below `guests/`. */
export interface Recipe {
  /** The name that people type, e.g. `debian:12`. */
  readonly reference: string;
  readonly description: string;
  /** Debian's name of the architecture: `amd64` or `i386`. */
  readonly architecture: string;
  readonly component: string;
  /** Suites to take packages from; the first one must exist. */
  readonly suites: readonly string[];
  /** A package that depends on the current kernel image, or is one. */
  readonly kernelPackage: string;
  /** Modules that the initramfs loads before it looks for the root disk, or the shell. */
  readonly initrdModules: readonly string[];
  /** Kernel command line. */
  readonly append: string;
  /** The root disk; an image without one lives in its initramfs. */
  readonly disk?: DiskRecipe;
}

export interface DiskRecipe {
  /** Bytes. */
  readonly size: number;
  /** Every package of these priorities, and every essential one, is installed. */
  readonly priorities: readonly string[];
  readonly packages: readonly string[];
  readonly exclude: readonly string[];
  readonly pathRules: readonly PathRule[];
  /** Packages that are configured before all others, in this order. */
  readonly configureFirst: readonly string[];
  /** Files laid over the packages': path below the recipe's `files/` directory, contents and mode. */
  readonly files: ReadonlyMap<string, { readonly bytes: Uint8Array; readonly mode: number }>;
  /** Symbolic links to make: path to target. */
  readonly links: Readonly<Record<string, string>>;
}

type Json = Record<string, unknown>;

/** The directory of recipes that came with this code: `guests/` beside a directory above it. */
export function defaultRecipesDir(): string {
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, "guests", "debian-12", "recipe.json"))) return join(at, "guests");
  }
  throw new OperatorError("RECIPES_MISSING", "no guests/ directory beside this program: reinstall Isola");
}

async function readJson(directory: string): Promise<Json> {
  const path = join(directory, "recipe.json");
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
    throw new Error("not an object");
  } catch (cause) {
    throw new OperatorError("RECIPE_INVALID", `${path}: ${cause instanceof Error ? cause.message : "unreadable"}`, {
      cause,
    });
  }
}

/** The names that can be pulled, sorted. */
export async function listRecipes(recipesDir = defaultRecipesDir()): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(recipesDir, { withFileTypes: true })) {
    if (!entry.isDirectory() || !existsSync(join(recipesDir, entry.name, "recipe.json"))) continue;
    const { reference } = await readJson(join(recipesDir, entry.name));
    if (typeof reference === "string") names.push(reference);
  }
  return names.sort();
}

async function readFiles(directory: string): Promise<Map<string, { bytes: Uint8Array; mode: number }>> {
  const found = new Map<string, { bytes: Uint8Array; mode: number }>();
  if (!existsSync(directory)) return found;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    // The mode cannot come from the host's file system, which may have none; scripts say it by their first line.
    const script = bytes[0] === 0x23 && bytes[1] === 0x21;
    found.set(path.slice(directory.length + 1).replaceAll("\\", "/"), { bytes, mode: script ? 0o755 : 0o644 });
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Reads fields of a JSON object and says what is wrong with them in one line. */
class Fields {
  constructor(
    private readonly json: Json,
    private readonly path: string,
  ) {}

  private fail(name: string, wanted: string): never {
    throw new OperatorError("RECIPE_INVALID", `${this.path}: "${name}" must be ${wanted}`);
  }
  string(name: string): string {
    const value = this.json[name];
    return typeof value === "string" && value !== "" ? value : this.fail(name, "a string");
  }
  strings(name: string): string[] {
    const value = this.json[name] ?? [];
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
      return this.fail(name, "a list of strings");
    return value;
  }
  number(name: string): number {
    const value = this.json[name];
    return typeof value === "number" && Number.isSafeInteger(value) && value > 0
      ? value
      : this.fail(name, "a whole number");
  }
  links(name: string): Record<string, string> {
    const value = this.json[name] ?? {};
    if (typeof value !== "object" || value === null) return this.fail(name, "an object");
    const entries = Object.entries(value);
    if (!entries.every(([, target]) => typeof target === "string")) return this.fail(name, "an object of strings");
    return Object.fromEntries(entries) as Record<string, string>;
  }
}

/** `exclude /usr/share/man/*` and `include ...` as rules. */
function pathRules(lines: readonly string[], path: string): PathRule[] {
  return lines.map((line) => {
    const match = /^(exclude|include) (\/\S*)$/.exec(line);
    if (!match)
      throw new OperatorError("RECIPE_INVALID", `${path}: path rule ${JSON.stringify(line)}: write "exclude /glob"`);
    return { action: match[1] as PathRule["action"], pattern: match[2] };
  });
}

/** Lists of a derived recipe are added to those of its base; everything else replaces. */
function derive(base: Json, own: Json): Json {
  const merged: Json = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const old = merged[name];
    if (Array.isArray(old) && Array.isArray(value)) merged[name] = [...(old as unknown[]), ...(value as unknown[])];
    else if (isObject(old) && isObject(value)) merged[name] = derive(old, value);
    else merged[name] = value;
  }
  return merged;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Loads the recipe for a reference such as `debian:12`, whose directory is `debian-12`. */
export async function loadRecipe(reference: string, recipesDir = defaultRecipesDir()): Promise<Recipe> {
  const name = reference.replace(":", "-");
  if (!/^[a-z0-9][a-z0-9.-]*$/.test(name) || !existsSync(join(recipesDir, name, "recipe.json"))) {
    const known = (await listRecipes(recipesDir)).join(", ");
    throw new OperatorError("IMAGE_UNKNOWN", `no image ${JSON.stringify(reference)}: choose one of ${known}`);
  }
  const directory = join(recipesDir, name);
  const own = await readJson(directory);
  const parent = own["extends"];
  const baseDirectory = typeof parent === "string" ? join(recipesDir, parent.replace(":", "-")) : undefined;
  const json = baseDirectory ? derive(await readJson(baseDirectory), own) : own;
  const path = join(directory, "recipe.json");
  const fields = new Fields(json, path);
  const disk = json["disk"];
  return {
    reference: fields.string("reference"),
    description: fields.string("description"),
    architecture: fields.string("architecture"),
    component: fields.string("component"),
    suites: fields.strings("suites"),
    kernelPackage: fields.string("kernelPackage"),
    initrdModules: fields.strings("initrdModules"),
    append: fields.string("append"),
    ...(isObject(disk) ? { disk: await diskRecipe(new Fields(disk, path), path, baseDirectory, directory) } : {}),
  };
}

async function diskRecipe(fields: Fields, path: string, base: string | undefined, own: string): Promise<DiskRecipe> {
  return {
    size: fields.number("sizeMiB") * 2 ** 20,
    priorities: fields.strings("priorities"),
    packages: fields.strings("packages"),
    exclude: fields.strings("exclude"),
    pathRules: pathRules(fields.strings("pathRules"), path),
    configureFirst: fields.strings("configureFirst"),
    files: new Map([...(base ? await readFiles(join(base, "files")) : []), ...(await readFiles(join(own, "files")))]),
    links: fields.links("links"),
  };
}
