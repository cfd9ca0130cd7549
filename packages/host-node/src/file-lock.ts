// SPDX-License-Identifier: Apache-2.0
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { OperatorError } from "@isola/base";
import { fileError, isSystemError } from "./host-error.js";

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  /** When that process started, in the kernel's ticks; tells it from a later process with the same id. */
  readonly started: string;
  readonly host: string;
}

/** Start time of a process, or "" where the system does not tell (proc(5), field 22 of stat). */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function isAlive({ pid, started, host }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isSystemError(error, "EPERM");
  }
  return started === "" || startTime(pid) === started;
}

function parseHolder(text: string): Holder | null {
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
 * Takes the exclusive lock of a file, which is a file beside it, since Node has no flock(2). A lock whose process has
 * died is taken over. Throws OperatorError `disk-in-use` while another live process (or this one) holds it.
 *
 * @returns a function that gives the lock back
 */
export function lockFile(path: string): () => void {
  const lock = `${realpathSync(path)}.lock`;
  const mine = `${process.pid}\n${startTime(process.pid)}\n${hostname()}\n`;
  const draft = `${lock}.${process.pid}.new`;
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
      const holder = parseHolder(seen);
      if (holder !== null && isAlive(holder))
        throw new OperatorError(
          "disk-in-use",
          `${path} is in use by process ${holder.pid} on ${holder.host}; stop it, or remove ${lock} if it is gone`,
        );
      removeStale(lock, seen);
    }
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw fileError("lock", path, error);
  } finally {
    rmSync(draft, { force: true });
  }
  throw new OperatorError("disk-in-use", `${path} is being opened by several processes at once; try again`);
}
