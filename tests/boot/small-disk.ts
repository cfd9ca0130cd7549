// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { Skip } from "./check.js";

/** Mounts a file system of `size` bytes on `path`; returns what unmounts it. Throws Skip where that is not allowed. */
export function smallDisk(path: string, size: number): () => void {
  mkdirSync(path);
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", path], { encoding: "utf8" });
  if (mount.status !== 0) {
    const reason = mount.error?.message ?? mount.stderr.trim();
    throw new Skip(`a full disk cannot be made here: ${reason}`);
  }
  return () => void spawnSync("umount", ["-l", path]);
}
