// SPDX-License-Identifier: Apache-2.0
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { fileError, tryLock } from "@isola/host-node";

const PRIVATE = 0o700;
const OTHERS = 0o077;
const SOCKET = ".sock";
const LOCK = ".lock";
/** Length of `sun_path` less its final zero (unix(7)); Node cuts longer paths off without a word. */
const MAX_SOCKET_PATH = 107;

/** A name that a process holds for its machine. */
export interface ClaimedName {
  readonly name: string;
  /** Where its socket goes; no file is there. */
  readonly socket: string;
  /** Gives the name back, and removes the socket. */
  release(): void;
}

/** Makes a directory that nobody else can write to, or checks that it is one. */
function ensurePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE });
  const found = lstatSync(path);
  const mine = process.getuid === undefined || found.uid === process.getuid();
  if (!found.isDirectory() || !mine || (process.getuid !== undefined && (found.mode & OTHERS) !== 0))
    throw new OperatorError(
      "unsafe-directory",
      `${path} must be a directory that only you can enter (mode 700): remove it, or set XDG_RUNTIME_DIR`,
    );
}

/**
 * The directory in which this user's running machines have their sockets: `isola` in XDG_RUNTIME_DIR, else a private
 * directory among the temporary files. Throws OperatorError if there can be none.
 */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const base = env["XDG_RUNTIME_DIR"];
  const path = base ? join(base, "isola") : join(tmpdir(), `isola-${userInfo().uid}`);
  try {
    ensurePrivate(path);
  } catch (error) {
    throw error instanceof OperatorError ? error : fileError("make", path, error);
  }
  return path;
}

/** Where the machine of that name listens. */
export function socketOf(directory: string, name: string): string {
  return join(directory, `${name}${SOCKET}`);
}

/**
 * Takes a name for a machine of this process; what a process that has died left behind is removed.
 * @returns null if a live machine has that name
 */
export function claimName(directory: string, name: string): ClaimedName | null {
  const socket = socketOf(directory, name);
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH)
    throw new OperatorError("path-too-long", `${socket} is too long for a socket: set XDG_RUNTIME_DIR to a short path`);
  try {
    const lock = tryLock(join(directory, `${name}${LOCK}`));
    if (typeof lock !== "function") return null;
    rmSync(socket, { force: true });
    return {
      name,
      socket,
      release() {
        rmSync(socket, { force: true });
        lock();
      },
    };
  } catch (error) {
    throw fileError("claim", join(directory, name), error);
  }
}

/** Names of machines that have, or had, a socket here, in order. */
export function machineNames(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(SOCKET))
    .map((file) => file.slice(0, -SOCKET.length))
    .toSorted();
}

/** Removes the socket of a process that has died; that of a live one stays. */
export function removeDead(directory: string, name: string): void {
  claimName(directory, name)?.release();
}
