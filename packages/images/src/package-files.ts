// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { ArchiveSession } from "./debian/archive-session.js";
import { DebArchive } from "./debian/deb-archive.js";
import { archiveFailure } from "./host-error.js";
import type { SourceOptions } from "./pull-options.js";
import { defaultRecipesDir, loadRecipe } from "./recipe/recipe.js";
import { contentBytes } from "./tree/content-reader.js";
import { FileTree } from "./tree/file-tree.js";
import { addTar } from "./tree/tar-tree.js";

export interface PackageFilesOptions extends SourceOptions {
  /** The recipe whose suites and architecture count; default `busybox`. */
  readonly reference?: string;
  readonly packageName: string;
  /** Files in the package, without a leading slash. */
  readonly paths: readonly string[];
}

export interface PackageFiles {
  readonly version: string;
  /** Contents by path, as asked for; symbolic links are followed. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Takes single files, such as firmware, out of a Debian package. Fails with an OperatorError of one line. */
export async function readPackageFiles(options: PackageFilesOptions): Promise<PackageFiles> {
  const { packageName, paths, signal } = options;
  const recipe = await loadRecipe(options.reference ?? "busybox", options.recipesDir ?? defaultRecipesDir());
  const cache = await ArchiveSession.openCache(options);
  const session = await ArchiveSession.open(recipe, cache, options);
  const work = await cache.scratch();
  try {
    const record = session.require(packageName);
    const deb = (await session.download([record])).get(packageName) ?? "";
    const tar = join(work.path, "data.tar");
    try {
      await (await DebArchive.open(deb)).unpackData(tar, signal);
      const tree = new FileTree();
      await addTar(tree, tar);
      const files = new Map<string, Uint8Array>();
      for (const path of paths) {
        const node = tree.resolve(path);
        if (node?.kind !== "file") {
          throw new OperatorError("FILE_NOT_IN_PACKAGE", `${packageName} ${record.version} has no file /${path}`);
        }
        files.set(path, await contentBytes(node.content));
      }
      return { version: record.version, files };
    } catch (error) {
      signal?.throwIfAborted();
      throw archiveFailure(error, deb);
    }
  } finally {
    session.close();
    await work.dispose();
  }
}
