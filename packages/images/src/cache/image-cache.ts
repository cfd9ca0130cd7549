// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { hostError } from "../host-error.js";

/** Where images and downloads live unless the caller says otherwise (XDG Base Directory). */
export function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  if (env["ISOLA_CACHE_DIR"]) return env["ISOLA_CACHE_DIR"];
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "isola");
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * A content-addressed cache on disk, shared by any number of processes without locks, because every complete thing
 * arrives by a rename:
 * `blobs/<sha256>` complete files, `partial/<sha256>[.<pid>-*]` downloads under way,
 * `work/<pid>-*` scratch directories, `images/<key>/` finished images,
 * `references/<recipe>` the key of a recipe's newest image.
 */
export class ImageCache {
  private constructor(readonly root: string) {}

  /** Opens the cache, makes its directories, and clears what processes that died have left. */
  static async open(root: string): Promise<ImageCache> {
    const cache = new ImageCache(root);
    try {
      for (const name of ["blobs", "partial", "work", "images", "references"])
        await mkdir(join(root, name), { recursive: true });
      await cache.sweep();
    } catch (error) {
      throw hostError(error, root);
    }
    return cache;
  }

  blobPath(sha256: string): string {
    return join(this.root, "blobs", sha256);
  }

  /** The blob's path if it is there with the right size and bytes; a damaged one is removed. */
  async findBlob(sha256: string, signal?: AbortSignal): Promise<string | undefined> {
    const path = this.blobPath(sha256);
    try {
      await stat(path);
    } catch {
      return undefined;
    }
    if ((await sha256OfFile(path, signal)) === sha256) return path;
    await rm(path, { force: true });
    return undefined;
  }

  /** Takes hold of the partial download of a blob, left by an earlier attempt or empty; give it back when it fails. */
  async claimPartial(sha256: string): Promise<{ path: string; release: () => Promise<void> }> {
    const shared = join(this.root, "partial", sha256);
    const path = `${shared}.${process.pid}-${randomBytes(4).toString("hex")}`;
    await rename(shared, path).catch(() => undefined);
    return { path, release: () => rename(path, shared).catch(() => undefined) };
  }

  /** A scratch directory of this process, removed by {@link dispose} or, after a crash, by the next process. */
  async scratch(): Promise<{ path: string; dispose: () => Promise<void> }> {
    try {
      const path = await mkdtemp(join(this.root, "work", `${process.pid}-`));
      return { path, dispose: () => rm(path, { recursive: true, force: true }) };
    } catch (error) {
      throw hostError(error, this.root);
    }
  }

  imagePath(key: string): string {
    return join(this.root, "images", key);
  }

  referencePath(recipe: string): string {
    return join(this.root, "references", recipe);
  }

  /** Moves a finished directory into place; if another process was faster, its result is kept. */
  async publishImage(key: string, directory: string): Promise<string> {
    const target = this.imagePath(key);
    try {
      await rename(directory, target);
    } catch (error) {
      const taken =
        error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
      if (!taken) throw hostError(error, target);
      await rm(directory, { recursive: true, force: true });
    }
    return target;
  }

  /** Removes a published image; the directory leaves its name first, so nobody sees half of it. */
  async removeImage(key: string): Promise<void> {
    const grave = join(this.root, "work", `${process.pid}-${randomBytes(4).toString("hex")}`);
    try {
      await rename(this.imagePath(key), grave);
    } catch {
      return;
    }
    await rm(grave, { recursive: true, force: true });
  }

  private async sweep(): Promise<void> {
    for (const name of await readdir(join(this.root, "work"))) {
      const pid = Number(/^(\d+)-/.exec(name)?.[1]);
      if (pid > 0 && !alive(pid)) await rm(join(this.root, "work", name), { recursive: true, force: true });
    }
    for (const name of await readdir(join(this.root, "references"))) {
      const pid = Number(/\.(\d+)-[0-9a-f]+\.tmp$/.exec(name)?.[1]);
      if (pid > 0 && !alive(pid)) await rm(join(this.root, "references", name), { force: true });
    }
    for (const name of await readdir(join(this.root, "partial"))) {
      const match = /^([0-9a-f]{64})\.(\d+)-[0-9a-f]+$/.exec(name);
      if (!match || alive(Number(match[2]))) continue;
      await rename(join(this.root, "partial", name), join(this.root, "partial", match[1])).catch(() => undefined);
    }
  }
}

/** The SHA-256 of a file in lower-case hexadecimal. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Uint8Array);
  }
  return hash.digest("hex");
}
