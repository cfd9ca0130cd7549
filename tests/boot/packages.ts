// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "../../packages/base/src/index.js";
import { type PackageFiles, readPackageFiles } from "../../packages/images/src/index.js";
import { Skip } from "./check.js";

export type Architecture = "amd64" | "i386";
/** Where to look for a package: the recipe whose suites and architecture count. */
export const RECIPES: { readonly [A in Architecture]: string } = { amd64: "busybox", i386: "busybox:i386" };

const known = new Map<string, Promise<PackageFiles>>();

/** Files of a Debian package and its version; Skip where no archive is in reach. */
export async function packageFiles(
  packageName: string,
  paths: readonly string[],
  architecture: Architecture = "amd64",
): Promise<PackageFiles> {
  const key = JSON.stringify([packageName, architecture, paths]);
  const reading = known.get(key) ?? readPackageFiles({ packageName, paths, reference: RECIPES[architecture] });
  known.set(key, reading);
  return orSkip(packageName, () => reading);
}

/** What `action` returns; Skip where it fails for want of a package or an archive, not of a file in the package. */
export async function orSkip<T>(packageName: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof OperatorError && error.code !== "FILE_NOT_IN_PACKAGE")
      throw new Skip(`no package ${packageName}: ${error.message}`);
    throw error;
  }
}
