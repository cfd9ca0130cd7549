// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { ImageCache, defaultCacheDir } from "../cache/image-cache.js";
import { HttpClient, networkFromEnvironment } from "../net/http-client.js";
import type { SourceOptions } from "../pull-options.js";
import type { Recipe } from "../recipe/recipe.js";
import { readAptNetwork, readAptSources } from "./apt-config.js";
import { type ArchiveSuite, locateSuites } from "./archive-suites.js";
import { downloadPackages } from "./download-packages.js";
import type { PackageIndex, PackageRecord } from "./package-index.js";
import { type RepositoryContext, loadPackageIndex } from "./repository.js";

const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** A package index with the means to download from it. Close it when done. */
export class ArchiveSession {
  private constructor(
    private readonly context: RepositoryContext,
    readonly suites: readonly ArchiveSuite[],
    readonly index: PackageIndex,
  ) {}

  /** Finds the archives for a recipe (options, environment, apt configuration) and loads their indices. */
  static async open(recipe: Recipe, cache: ImageCache, options: SourceOptions): Promise<ArchiveSession> {
    const env = options.env ?? process.env;
    const mirror = options.mirror ?? (env["ISOLA_DEBIAN_MIRROR"] || undefined);
    const securityMirror = env["ISOLA_DEBIAN_SECURITY_MIRROR"] || undefined;
    const suites = locateSuites({
      suites: recipe.suites,
      component: recipe.component,
      keyring: env["ISOLA_DEBIAN_KEYRING"] || DEBIAN_KEYRING,
      aptSources: mirror === undefined ? await readAptSources(options.aptDirectory) : [],
      ...(mirror === undefined ? {} : { mirror }),
      ...(securityMirror === undefined ? {} : { securityMirror }),
    });
    // apt's own settings win over the environment, as they do for apt.
    const client = new HttpClient({ ...networkFromEnvironment(env), ...(await readAptNetwork()) });
    const context: RepositoryContext = {
      client,
      cache,
      progress: options.progress ?? (() => undefined),
      ...(options.signal ? { signal: options.signal } : {}),
      ...(options.retryDelay === undefined ? {} : { retryDelay: options.retryDelay }),
    };
    try {
      return new ArchiveSession(context, suites, await loadPackageIndex(context, suites, recipe.architecture));
    } catch (error) {
      client.close();
      throw error;
    }
  }

  static async openCache(options: SourceOptions): Promise<ImageCache> {
    return ImageCache.open(options.cacheDir ?? defaultCacheDir(options.env ?? process.env));
  }

  /** The package of that name, or the error that an operator understands. */
  require(name: string): PackageRecord {
    const found = this.index.get(name);
    if (found) return found;
    throw new OperatorError("PACKAGE_NOT_FOUND", `the archive has no package ${name}: check the recipe or the mirror`);
  }

  /** The package that holds the kernel: a name such as `linux-image-amd64` only depends on the current one. */
  kernelPackage(name: string): PackageRecord {
    const meta = this.require(name);
    const real = meta.depends.flat().find((relation) => relation.name.startsWith("linux-image-"));
    return real ? this.require(real.name) : meta;
  }

  /** Downloads packages; the paths of the .debs by name. */
  async download(packages: readonly PackageRecord[]): Promise<Map<string, string>> {
    return downloadPackages(this.context, packages);
  }

  /** Lines of a `sources.list` that names the same archives. */
  sourcesList(): string {
    return this.suites.map(({ archive, suite, component }) => `deb ${archive} ${suite} ${component}\n`).join("");
  }

  close(): void {
    this.context.client.close();
  }
}
