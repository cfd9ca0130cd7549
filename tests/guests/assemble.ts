// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../oracle/native-harness.js";

const source = (): string => join(repositoryRoot(), "tests/guests");

/** Names of all guest programs. */
export function guestPrograms(): string[] {
  return readdirSync(source())
    .filter((name) => name.endsWith(".S"))
    .map((name) => name.slice(0, -2))
    .toSorted();
}

/** Why guest programs cannot be assembled on this machine, or null. */
export function assemblerObstacle(): string | null {
  for (const tool of ["cc", "ld", "objcopy"]) {
    if (spawnSync(tool, ["--version"]).status !== 0) return `no ${tool}`;
  }
  const target = spawnSync("cc", ["-dumpmachine"], { encoding: "utf8" }).stdout;
  return target.startsWith("x86_64") ? null : `cc makes code for ${target.trim()}`;
}

function must(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { cwd: source(), encoding: "utf8" });
  if (result.status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${result.stderr}`);
}

/**
 * Assembles a program and returns the path of a 32-bit ELF file with a Multiboot header. It is assembled as 64-bit code,
 * because only then may 16-, 32- and 64-bit parts be mixed, and converted afterwards, because Multiboot wants 32-bit ELF.
 */
export function assemble(name: string): string {
  const out = join(repositoryRoot(), "build/guests");
  mkdirSync(out, { recursive: true });
  const path = (extension: string): string => join(out, `${name}.${extension}`);
  must("cc", ["-c", "-m64", "-I.", "-o", path("o"), `${name}.S`]);
  const flags = ["-m", "elf_x86_64", "-static", "-nostdlib", "-z", "noexecstack", "--no-warn-rwx-segments"];
  must("ld", [...flags, "-T", "lib/guest.ld", "-o", path("elf64"), path("o")]);
  must("objcopy", ["-O", "elf32-i386", path("elf64"), path("elf")]);
  return path("elf");
}
