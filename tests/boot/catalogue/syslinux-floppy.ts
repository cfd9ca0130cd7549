// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CheckFailure, Skip } from "../check.js";
import type { Medium } from "./guest.js";

/** Names under which mtools does what they say. */
const MTOOLS = ["mattrib", "mcopy", "mformat"];

/** A floppy from which SYSLINUX starts a file of a package. It is made by SYSLINUX's own installer, so on Linux only. */
export function syslinuxFloppy(packageName: string, path: string): Medium {
  return async (workshop) => {
    if (process.platform !== "linux" || process.arch !== "x64")
      throw new Skip("SYSLINUX's installer needs Linux on x86-64");
    const programs = join(workshop.scratch, "programs");
    mkdirSync(programs);
    const program = async (name: string): Promise<void> =>
      writeFileSync(join(programs, name), await workshop.file(name, `usr/bin/${name}`), { mode: 0o755 });
    await program("syslinux");
    await program("mtools");
    for (const name of MTOOLS) symlinkSync("mtools", join(programs, name));
    const run = (name: string, ...args: string[]): void => {
      const env = { ...process.env, PATH: programs + delimiter + (process.env["PATH"] ?? ""), MTOOLSRC: "/dev/null" };
      const { status, error, stderr } = spawnSync(join(programs, name), args, {
        cwd: workshop.scratch,
        encoding: "utf8",
        env: { ...env, TMPDIR: workshop.scratch },
      });
      if (status !== 0) throw new CheckFailure(`${name} ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
    };
    writeFileSync(join(workshop.scratch, "linux"), await workshop.file(packageName, path));
    writeFileSync(join(workshop.scratch, "syslinux.cfg"), "DEFAULT linux\nPROMPT 0\nLABEL linux\nLINUX linux\n");
    run("mformat", "-C", "-f", "1440", "-i", "floppy.img", "::");
    run("mcopy", "-i", "floppy.img", "syslinux.cfg", "linux", "::");
    run("syslinux", "--install", "floppy.img");
    return join(workshop.scratch, "floppy.img");
  };
}
