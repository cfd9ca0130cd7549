// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "../../packages/base/src/index.js";
import { type PackageFiles, readPackageFiles } from "../../packages/images/src/index.js";
import { Skip } from "./check.js";

/** Where to look for a package: the recipe whose suites and architecture count. */
export type Architecture = "amd64" | "i386";
const REFERENCES: { readonly [A in Architecture]: string } = { amd64: "busybox", i386: "busybox:i386" };

const known = new Map<string, Promise<PackageFiles>>();

/** Files of a Debian package and its version; Skip where no archive is in reach. */
export async function packageFiles(
  packageName: string,
  paths: readonly string[],
  architecture: Architecture = "amd64",
): Promise<PackageFiles> {
  const key = JSON.stringify([packageName, architecture, paths]);
  const reading = known.get(key) ?? readPackageFiles({ packageName, paths, reference: REFERENCES[architecture] });
  known.set(key, reading);
  try {
    return await reading;
  } catch (error) {
    if (error instanceof OperatorError) throw new Skip(`no package ${packageName}: ${error.message}`);
    throw error;
  }
}

/** One file of a package. */
export async function packageFile(packageName: string, path: string, architecture?: Architecture): Promise<Uint8Array> {
  return (await packageFiles(packageName, [path], architecture)).files.get(path) ?? new Uint8Array();
}
