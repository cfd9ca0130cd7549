// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../oracle/native-harness.js";

const COMPILE = [
  ...[
    "-c",
    "-m32",
    "-march=i686",
    "-Os",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffreestanding",
    "-nostdlib",
    "-Wno-array-bounds",
  ],
  ...["-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"],
];
const LINK = ["-m", "elf_i386", "-z", "noexecstack", "--no-warn-rwx-segments", "-T", "rom.ld"];

/** Builds the ROM of a kernel; returns its path. */
export function buildRom(name: string): string {
  const cwd = join(repositoryRoot(), "tests/pc/kernels");
  const out = join(repositoryRoot(), "build/guests");
  mkdirSync(out, { recursive: true });
  const path = (file: string): string => join(out, `kernel-${file}`);
  const rom = path(`${name}.bin`);
  for (const [tool, ...args] of [
    ["cc", ...COMPILE, "-o", path("start.o"), "start.S"],
    ["cc", ...COMPILE, "-o", path(`${name}.o`), `${name}.c`],
    ["ld", ...LINK, "-o", path(`${name}.elf`), path("start.o"), path(`${name}.o`)],
    ["objcopy", "-O", "binary", "-j", ".text", "-j", ".reset", path(`${name}.elf`), rom],
  ] as const) {
    const result = spawnSync(tool, args, { cwd, encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${tool} failed:\n${result.stderr}`);
  }
  return rom;
}
