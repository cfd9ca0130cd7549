// SPDX-License-Identifier: Apache-2.0
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { OperatorError } from "@isola/base";
import { fileError, isSystemError } from "./host-error.js";

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  /** When that process started, in the kernel's ticks; tells it from a later process with the same id. */
  readonly started: string;
  readonly host: string;
}

/**
 * Start time of a process, or "" where the system does not tell; "dead" for one that has ended and waits for its parent
 * to notice (proc(5), fields 3 and 22 of stat).
 */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "dead" : (fields[19] ?? "");
  } catch {
    return "";
  }
}

function isAlive({ pid, started, host }: LockHolder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
  return started === "" || startTime(pid) === started;
}

function parseHolder(text: string): LockHolder | null {
  const [pid = "", started = "", host = ""] = text.split("\n");
  return /^\d+$/.test(pid) ? { pid: Number(pid), started, host } : null;
}

/** Moves a dead holder's lock file away. Only one of several processes that try this at once succeeds. */
function removeStale(lock: string, seen: string): void {
  const grave = `${lock}.${process.pid}`;
  try {
    renameSync(lock, grave);
    // Between the look and the rename, another process may have taken the lock over: then it gets it back.
    if (readFileSync(grave, "utf8") !== seen) linkSync(grave, lock);
  } catch (error) {
    if (!isSystemError(error, "ENOENT") && !isSystemError(error, "EEXIST")) throw error;
  } finally {
    rmSync(grave, { force: true });
  }
}

/**
 * Takes a lock, which is a file named `lock` that says who holds it, since Node has no flock(2). A lock whose process has
 * died is taken over. Throws what the system says if the file cannot be written.
 *
 * @returns a function that gives the lock back; or who holds it, if that process lives (it may be this one)
 */
export function tryLock(lock: string): (() => void) | LockHolder {
  const mine = `${process.pid}\n${startTime(process.pid)}\n${hostname()}\n`;
  const draft = `${lock}.${process.pid}.new`;
  let holder: LockHolder | null = null;
  try {
    writeFileSync(draft, mine);
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(draft, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if (!isSystemError(error, "EEXIST")) throw error;
      }
      const seen = readFileSync(lock, "utf8");
      holder = parseHolder(seen);
      if (holder !== null && isAlive(holder)) return holder;
      removeStale(lock, seen);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  // Several processes find the same dead holder at once: one of them has the lock by now.
  return holder ?? { pid: 0, started: "", host: hostname() };
}

/**
 * Takes the exclusive lock of a file, which is a file beside it. Throws OperatorError `disk-in-use` while another live
 * process (or this one) holds it.
 *
 * @returns a function that gives the lock back
 */
export function lockFile(path: string): () => void {
  try {
    const lock = `${realpathSync(path)}.lock`;
    const taken = tryLock(lock);
    if (typeof taken === "function") return taken;
    throw new OperatorError(
      "disk-in-use",
      `${path} is in use by process ${taken.pid} on ${taken.host}; stop it, or remove ${lock} if it is gone`,
    );
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw fileError("lock", path, error);
  }
}
