// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { IMAGE_FILES, buildImage } from "./build-image.js";
import { writeChunksAtomically } from "./cache/atomic-file.js";
import type { ImageCache } from "./cache/image-cache.js";
import { ArchiveSession } from "./debian/archive-session.js";
import { resolvePackages } from "./debian/resolve.js";
import { agentFor } from "./guest-agent/image-agent.js";
import { archiveFailure, hostError } from "./host-error.js";
import type { PullOptions, PulledImage, SourceOptions } from "./pull-options.js";
import { type Recipe, defaultRecipesDir, loadRecipe } from "./recipe/recipe.js";

/** Part of every key: raise it when the builder makes other bytes of the same input. */
const BUILDER = 7;
const MANIFEST = "image.json";

type Manifest = Pick<
  PulledImage,
  "reference" | "key" | "architecture" | "kernelRelease" | "append" | "configured" | "packages"
>;

function recipeKey(recipe: Recipe): string {
  const files = [...(recipe.disk?.files ?? [])].map(([path, { bytes, mode }]) => [
    path,
    Buffer.from(bytes).toString("base64"),
    mode,
  ]);
  return createHash("sha256")
    .update(JSON.stringify([BUILDER, recipe, files]))
    .update(agentFor(recipe.architecture) ?? "")
    .digest("hex");
}

/** The finished image of that key, if the cache has it. */
async function finishedImage(cache: ImageCache, key: string, recipe: Recipe): Promise<PulledImage | undefined> {
  const directory = cache.imagePath(key);
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await readFile(join(directory, MANIFEST), "utf8")) as Manifest;
  } catch {
    // Nothing there, or an older form of manifest: it is built anew.
    return undefined;
  }
  return {
    ...manifest,
    kernel: join(directory, IMAGE_FILES.kernel),
    initrd: join(directory, IMAGE_FILES.initrd),
    ...(recipe.disk ? { disk: join(directory, IMAGE_FILES.disk) } : {}),
  };
}

/**
 * Makes an image ready to run and says where its files are. The second call for the same recipe needs no network. It
 * may be cancelled by `signal` at any time and called again: downloads go on where they stopped, and nothing half-made
 * is ever visible. Fails with an OperatorError of one line; when cancelled, with the signal's reason.
 */
export async function pullImage(options: PullOptions): Promise<PulledImage> {
  const recipe = await loadRecipe(options.reference, options.recipesDir ?? defaultRecipesDir());
  return pullRecipe(recipe, options);
}

/** As {@link pullImage}, for a recipe in memory. */
export async function pullRecipe(recipe: Recipe, options: Omit<PullOptions, "reference">): Promise<PulledImage> {
  const { signal, refresh } = options;
  const progress = options.progress ?? (() => undefined);
  const cache = await ArchiveSession.openCache(options);
  const configured = recipe.disk === undefined || options.firstBoot !== undefined;
  const variant = createHash("sha256")
    .update(`${recipeKey(recipe)} ${configured ? "configured" : "unpacked"}`)
    .digest("hex");
  const reference = cache.referencePath(variant);
  const known = refresh ? "" : await readFile(reference, "utf8").catch(() => "");
  const ready = known === "" ? undefined : await finishedImage(cache, known.trim(), recipe);
  if (ready) {
    progress({ step: "ready", done: 1, total: 1 });
    return ready;
  }

  const work = await cache.scratch();
  let session: ArchiveSession | undefined;
  try {
    session = await ArchiveSession.open(recipe, cache, options);
    progress({ step: "resolve", done: 0, total: 1 });
    const packages = recipe.disk ? resolvePackages(session.index, recipe.disk) : [];
    const boot = [session.kernelPackage(recipe.kernelPackage), session.require("busybox-static")];
    progress({ step: "resolve", done: 1, total: 1 });
    const all = [...new Set([...boot, ...packages])];
    const key = createHash("sha256")
      .update([variant, ...all.map(({ sha256 }) => sha256)].join("\n"))
      .digest("hex");
    if (!(await finishedImage(cache, key, recipe))) {
      const output = join(work.path, "image");
      const scratch = join(work.path, "unpacked");
      await mkdir(output);
      await mkdir(scratch);
      const input = { recipe, session, packages, key, output, scratch, progress, ...(signal ? { signal } : {}) };
      const kernelRelease = await buildImage(input);
      if (recipe.disk && options.firstBoot) await configureDisk(output, recipe, options.firstBoot, options);
      const manifest: Manifest = {
        reference: recipe.reference,
        key,
        architecture: recipe.architecture,
        kernelRelease,
        append: recipe.append,
        configured,
        packages: all.map(({ name, version }) => ({ name, version })),
      };
      await writeChunksAtomically(join(output, MANIFEST), [Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)]);
      signal?.throwIfAborted();
      await cache.publishImage(key, output);
    }
    await writeChunksAtomically(reference, [Buffer.from(`${key}\n`)]);
    const image = await finishedImage(cache, key, recipe);
    if (!image)
      throw new OperatorError("CACHE_UNUSABLE", `${cache.imagePath(key)} vanished: is something cleaning the cache?`);
    progress({ step: "ready", done: 1, total: 1 });
    return image;
  } catch (error) {
    signal?.throwIfAborted();
    throw archiveFailure(hostError(error, cache.root), recipe.reference);
  } finally {
    session?.close();
    await work.dispose();
  }
}

/** What the first-boot script says when all packages are configured. */
const CONFIGURED = "Isola: packages configured";

async function configureDisk(
  output: string,
  recipe: Recipe,
  firstBoot: NonNullable<PullOptions["firstBoot"]>,
  options: SourceOptions,
): Promise<void> {
  const progress = options.progress ?? (() => undefined);
  progress({ step: "configure", done: 0, total: 1 });
  const console = await firstBoot({
    kernel: join(output, IMAGE_FILES.kernel),
    initrd: join(output, IMAGE_FILES.initrd),
    disk: join(output, IMAGE_FILES.disk),
    append: `${recipe.append} isola.prepare`,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  options.signal?.throwIfAborted();
  if (!console.includes(CONFIGURED)) {
    const last = console.trimEnd().split("\n").at(-1)?.trim() ?? "";
    throw new OperatorError(
      "FIRST_BOOT_FAILED",
      `${recipe.reference} did not configure its packages; its console ended with: ${last}`,
    );
  }
  progress({ step: "configure", done: 1, total: 1 });
}

export interface BusyboxOptions extends SourceOptions {
  readonly arch: "amd64" | "i386";
  /** Kernel modules that init loads, with what they need; default: those of the recipe. */
  readonly modules?: readonly string[];
}

/** The smallest guest: a kernel, and an initramfs with a busybox shell on the console. It has no disk. */
export async function buildBusyboxInitramfs(options: BusyboxOptions): Promise<PulledImage> {
  const reference = options.arch === "amd64" ? "busybox" : "busybox:i386";
  const recipe = await loadRecipe(reference, options.recipesDir ?? defaultRecipesDir());
  return pullRecipe(options.modules ? { ...recipe, initrdModules: options.modules } : recipe, options);
}
