// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether QEMU's tools for disk images (Debian's qemu-utils) are here to compare with. */
export const HAS_QEMU = spawnSync("qemu-img", ["--version"]).status === 0;
if (!HAS_QEMU) process.stderr.write("qemu-img is not here: images are not compared with QEMU; install qemu-utils\n");

/** A folder for images that QEMU's tools work on. */
export class ImageFolder {
  readonly path = mkdtempSync(join(tmpdir(), "isola-qemu-"));

  file(name: string): string {
    return join(this.path, name);
  }

  put(name: string, bytes: Uint8Array): string {
    writeFileSync(this.file(name), bytes);
    return this.file(name);
  }

  get(name: string): Uint8Array {
    return Uint8Array.from(readFileSync(this.file(name)));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Runs a tool in the folder; throws with what it said if it fails. */
  run(tool: "qemu-img" | "qemu-io", ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(tool, args, { cwd: this.path, encoding: "utf8" });
    if (status !== 0) throw new Error(`${tool} ${args.join(" ")}: status ${status}\n${stdout}${stderr}`);
    return stdout;
  }

  img(...args: string[]): string {
    return this.run("qemu-img", ...args);
  }

  /** Runs commands of qemu-io on an image. */
  io(image: string, ...commands: string[]): string {
    return this.run("qemu-io", ...commands.flatMap((command) => ["-c", command]), image);
  }

  /** What `qemu-img check` says: status 0 = sound, 2 = damaged, 3 = leaks. */
  check(name: string, format = "qcow2"): { status: number | null; text: string } {
    const { status, stdout, stderr } = spawnSync("qemu-img", ["check", "-f", format, name], {
      cwd: this.path,
      encoding: "utf8",
    });
    return { status, text: stdout + stderr };
  }

  /** The disk in an image, as QEMU reads it. */
  disk(name: string, format = "qcow2"): Uint8Array {
    this.img("convert", "-f", format, "-O", "raw", name, `${name}.as-raw`);
    return this.get(`${name}.as-raw`);
  }
}
