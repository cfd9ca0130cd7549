// SPDX-License-Identifier: Apache-2.0
import { contentBytes } from "../tree/content-reader.js";
import type { FileTree } from "../tree/file-tree.js";
import type { KernelModule, KernelPackage } from "./kernel-package.js";
import { ModuleIndex } from "./module-index.js";
import { type ModuleInfo, readModuleInfo } from "./module-info.js";

/** Outside brackets, modprobe takes `-` and `_` for the same (kmod, `alias_normalize`). */
function normalAlias(alias: string): string {
  return alias.replace(/\[[^\]]*\]?|-/g, (part) => (part === "-" ? "_" : part));
}

/**
 * Copies the kernel's modules into `tree` below `/usr/lib/modules` and writes the tables that `depmod` would make when
 * the package is configured: there is no time for that in the guest. `modules.symbols` stays empty; only drivers that
 * ask for each other by symbol would look there.
 */
export async function installModules(tree: FileTree, kernel: KernelPackage): Promise<void> {
  const base = `usr/lib/modules/${kernel.release}`;
  const prefix = `lib/modules/${kernel.release}/`;
  const infos = new Map<string, { module: KernelModule; info: ModuleInfo; relative: string }>();
  for (const module of kernel.modules.values()) {
    const relative = module.path.slice(prefix.length);
    tree.file(`${base}/${relative}`, module.file.content, module.file.meta);
    const info = readModuleInfo(await contentBytes(module.file.content), module.path);
    infos.set(module.name, { module, info, relative });
  }
  for (const name of ["modules.builtin", "modules.order", "modules.builtin.modinfo"]) {
    const node = kernel.tree.resolve(`${prefix}${name}`);
    if (node?.kind === "file") tree.file(`${base}/${name}`, node.content, node.meta);
  }

  /** What must be loaded before, in load order. */
  const closure = (name: string, seen: Set<string>): string[] => {
    const order: string[] = [];
    for (const need of infos.get(name)?.info.depends ?? []) {
      if (seen.has(need) || !infos.has(need)) continue;
      seen.add(need);
      order.push(...closure(need, seen), need);
    }
    return order;
  };
  const dependencies = new ModuleIndex();
  const aliases = new ModuleIndex();
  let dependencyText = "";
  let aliasText = "";
  let softdepText = "";
  let priority = 0;
  for (const [name, { info, relative }] of infos) {
    // The nearest dependency comes first: modprobe loads from the end of the line.
    const needs = closure(name, new Set([name]))
      .reverse()
      .map((need) => infos.get(need)?.relative ?? "");
    const line = [`${relative}:`, ...needs].join(" ");
    dependencies.add(name, line, priority);
    dependencyText += `${line}\n`;
    for (const alias of info.aliases) {
      aliases.add(normalAlias(alias), name, priority);
      aliasText += `alias ${alias} ${name}\n`;
    }
    for (const soft of info.softdeps) softdepText += `softdep ${name} ${soft}\n`;
    priority++;
  }
  const builtin = new ModuleIndex();
  for (const name of kernel.builtin) builtin.add(name, "", 0);
  const binary = (name: string, index: ModuleIndex): void => {
    const bytes = index.encode();
    tree.file(`${base}/${name}.bin`, { kind: "bytes", bytes, length: bytes.length });
  };
  tree.file(`${base}/modules.dep`, dependencyText);
  tree.file(`${base}/modules.alias`, aliasText);
  tree.file(`${base}/modules.softdep`, softdepText);
  tree.file(`${base}/modules.symbols`, "");
  binary("modules.dep", dependencies);
  binary("modules.alias", aliases);
  binary("modules.symbols", new ModuleIndex());
  binary("modules.builtin", builtin);
}
