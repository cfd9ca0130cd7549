// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { contentBytes } from "../tree/content-reader.js";
import { type DirectoryNode, type FileNode, FileTree } from "../tree/file-tree.js";
import { addTar } from "../tree/tar-tree.js";
import { moduleName, readModuleInfo } from "./module-info.js";

/** A module file with its path below the root of the tree. */
export interface KernelModule {
  readonly name: string;
  readonly path: string;
  readonly file: FileNode;
}

/** What a distribution's kernel package holds. Contents stay in the unpacked archive that it was made from. */
export class KernelPackage {
  private constructor(
    /** `uname -r`, e.g. `6.1.0-44-cloud-amd64`. */
    readonly release: string,
    /** The bzImage. */
    readonly image: FileNode,
    readonly tree: FileTree,
    /** Every module by its canonical name. */
    readonly modules: ReadonlyMap<string, KernelModule>,
    /** Names of what would be modules but is part of the image. */
    readonly builtin: ReadonlySet<string>,
  ) {}

  /** Reads the plain data archive of a `linux-image-*` package. */
  static async read(dataTar: string): Promise<KernelPackage> {
    const tree = new FileTree();
    await addTar(tree, dataTar);
    const boot = tree.resolve("boot");
    const names = boot?.kind === "directory" ? [...boot.children.keys()] : [];
    const imageName = names.find((name) => name.startsWith("vmlinuz-"));
    const image = imageName && tree.resolve(`boot/${imageName}`);
    if (!imageName || !image || image.kind !== "file") {
      throw new OperatorError("KERNEL_MISSING", "the kernel package holds no /boot/vmlinuz-*: choose another package");
    }
    const release = imageName.slice("vmlinuz-".length);
    const base = `lib/modules/${release}`;
    const modules = new Map<string, KernelModule>();
    const visit = (directory: DirectoryNode, path: string): void => {
      for (const [name, child] of directory.children) {
        if (child.kind === "directory") {
          visit(child, `${path}/${name}`);
        } else if (child.kind === "file" && name.endsWith(".ko")) {
          modules.set(moduleName(name), { name: moduleName(name), path: `${path}/${name}`, file: child });
        }
      }
    };
    const directory = tree.resolve(base);
    if (directory?.kind === "directory") visit(directory, base);
    const list = tree.resolve(`${base}/modules.builtin`);
    const text = list?.kind === "file" ? Buffer.from(await contentBytes(list.content)).toString("utf8") : "";
    const builtin = new Set(
      text
        .split("\n")
        .filter((line) => line !== "")
        .map(moduleName),
    );
    return new KernelPackage(release, image, tree, modules, builtin);
  }

  /** The kernel's image, as a boot protocol wants it. */
  async imageBytes(): Promise<Uint8Array> {
    return contentBytes(this.image.content);
  }

  /**
   * The given modules and everything that they need, in an order in which `insmod` accepts them. Modules that are built
   * into the kernel are left out; one that is neither is the operator's mistake.
   */
  async loadOrder(wanted: readonly string[]): Promise<KernelModule[]> {
    const order: KernelModule[] = [];
    const seen = new Set<string>();
    const visit = async (name: string, required: boolean): Promise<void> => {
      if (seen.has(name) || this.builtin.has(name)) return;
      seen.add(name);
      const module = this.modules.get(name);
      if (!module) {
        if (!required) return;
        throw new OperatorError(
          "KERNEL_MODULE_MISSING",
          `kernel ${this.release} has no module ${name}: check the recipe`,
        );
      }
      const info = readModuleInfo(await contentBytes(module.file.content), module.path);
      for (const soft of info.softPre) await visit(soft, false);
      for (const need of info.depends) await visit(need, true);
      order.push(module);
    };
    for (const name of wanted) await visit(moduleName(name), true);
    return order;
  }
}
