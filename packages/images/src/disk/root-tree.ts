// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { DebArchive } from "../debian/deb-archive.js";
import { DpkgDatabase } from "../debian/dpkg-database.js";
import type { PackageRecord } from "../debian/package-index.js";
import { dpkgConfiguration, pathFilter } from "../debian/path-filter.js";
import { AGENT_PATH, agentFor } from "../guest-agent/image-agent.js";
import { MOUNT_SHARES, MOUNT_SHARES_PATH } from "../guest-agent/mount-shares.js";
import { archiveFailure } from "../host-error.js";
import { FIRST_BOOT } from "../initramfs/root-initramfs.js";
import type { KernelPackage } from "../kernel/kernel-package.js";
import { installModules } from "../kernel/module-tables.js";
import type { DiskRecipe, Recipe } from "../recipe/recipe.js";
import { bytesContent } from "../tree/content.js";
import { FileTree } from "../tree/file-tree.js";
import { addTar } from "../tree/tar-tree.js";

export interface RootTreeInput {
  readonly recipe: Recipe;
  readonly disk: DiskRecipe;
  readonly packages: readonly PackageRecord[];
  /** Path of each package's .deb by name. */
  readonly debs: ReadonlyMap<string, string>;
  readonly kernel: KernelPackage;
  /** Lines of `/etc/apt/sources.list`. */
  readonly aptSources: string;
  /** A directory for plain archives, which must outlive the tree. */
  readonly scratch: string;
  readonly signal?: AbortSignal;
  readonly onPackage: (done: number, total: number) => void;
}

/** Debian 12 has its top directories merged into /usr; the links must stand before the first package is unpacked. */
function mergedUsr(tree: FileTree, architecture: string): void {
  const names = architecture === "amd64" ? ["bin", "sbin", "lib", "lib64"] : ["bin", "sbin", "lib"];
  for (const name of names) {
    tree.directory(`usr/${name}`);
    tree.symlink(name, `usr/${name}`);
  }
}

/** base-passwd's `preinst` would have made these, and most others need them. */
function accounts(tree: FileTree): void {
  for (const [path, master] of [
    ["etc/passwd", "passwd.master"],
    ["etc/group", "group.master"],
  ]) {
    const node = tree.resolve(`usr/share/base-passwd/${master}`);
    if (node?.kind === "file" && !tree.lookup(path)) tree.file(path, node.content, { mode: 0o644 });
  }
}

/** The first word of the recipe's script is replaced by what the recipe says. */
function firstBootSettings(disk: DiskRecipe): string {
  return `CONFIGURE_FIRST="${disk.configureFirst.join(" ")}"\n`;
}

/** Unpacks all packages into one tree and lays the recipe's own files over them: what the disk will hold. */
export async function buildRootTree(input: RootTreeInput): Promise<FileTree> {
  const { recipe, disk, packages, signal } = input;
  const tree = new FileTree();
  mergedUsr(tree, recipe.architecture);
  const database = new DpkgDatabase(tree);
  const keep = pathFilter(disk.pathRules);
  let done = 0;
  for (const item of packages) {
    signal?.throwIfAborted();
    input.onPackage(done++, packages.length);
    const path = input.debs.get(item.name) ?? "";
    try {
      const archive = await DebArchive.open(path);
      const control = await archive.control(signal);
      const data = join(input.scratch, `${item.name}.tar`);
      await archive.unpackData(data, signal);
      await database.add(control, await addTar(tree, data, keep));
    } catch (error) {
      signal?.throwIfAborted();
      throw archiveFailure(error, `${item.name} (${path})`);
    }
  }
  input.onPackage(done, packages.length);
  accounts(tree);
  database.finish();
  await installModules(tree, input.kernel);
  tree.file("etc/dpkg/dpkg.cfg.d/50-isola", dpkgConfiguration(disk.pathRules));
  tree.file("etc/apt/sources.list", input.aptSources);
  for (const [path, { bytes, mode }] of disk.files) {
    tree.file(path, { kind: "bytes", bytes, length: bytes.length }, { mode });
  }
  for (const [path, target] of Object.entries(disk.links)) tree.symlink(path, target);
  const agent = agentFor(recipe.architecture);
  if (agent !== null) tree.file(AGENT_PATH.slice(1), bytesContent(agent), { mode: 0o755 });
  tree.file(MOUNT_SHARES_PATH.slice(1), MOUNT_SHARES, { mode: 0o755 });
  tree.file("usr/lib/isola/first-boot.conf", firstBootSettings(disk));
  if (database.pending > 0 && tree.resolve(FIRST_BOOT.slice(1))?.kind !== "file") {
    throw new OperatorError(
      "RECIPE_INVALID",
      `${recipe.reference}: no files${FIRST_BOOT} to configure its packages: add it`,
    );
  }
  for (const path of ["dev", "proc", "run", "sys"]) tree.directory(path);
  tree.device("dev/console", "char", 5, 1);
  tree.device("dev/null", "char", 1, 3, { mode: 0o666 });
  tree.directory("tmp", { mode: 0o1777, uid: 0, gid: 0, mtime: 0 });
  return tree;
}
