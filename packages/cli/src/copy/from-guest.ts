// SPDX-License-Identifier: Apache-2.0
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import { OperatorError } from "@isola/base";
import { type ControlClient, requestFor, startWhenReady } from "@isola/control";
import { fileError, orFileError } from "@isola/host-node";
import { statusOfEnd } from "../exec-streams.js";
import { guestScript, scriptError } from "./guest-script.js";
import { unpackArchive } from "./unpack-archive.js";

/** A link that is named itself is followed, as by cp(1), if it leads anywhere; those below are copied as they are. */
const SEND = `cd "$1" || exit 1
if ! [ -e "./$2" ] && ! [ -L "./$2" ]; then echo "there is no such file" >&2; exit 1; fi
file="./$2"
if [ -L "$file" ] && [ -e "$file" ]; then file=$(readlink -f "$file") || exit 1; fi
cd "$(dirname "$file")" && exec tar -cf - "./$(basename "$file")"`;

/** The name under which `name` arrives: in `path` if that is a directory, else `path` itself. */
function targetOf(path: string, name: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return join(path, name);
  if (/[/\\]$/.test(path)) throw new OperatorError("copy-failed", `cannot copy to ${path}: there is no such directory`);
  return path;
}

/** Moves what `from` is to `to`; directories become one, files replace those there are. */
function move(from: string, to: string): void {
  const old = lstatSync(to, { throwIfNoEntry: false });
  const directory = lstatSync(from).isDirectory();
  if (old === undefined) return renameSync(from, to);
  if (old.isDirectory() !== directory)
    throw new OperatorError("copy-failed", `cannot copy to ${to}: a ${directory ? "file" : "directory"} is there`);
  if (!directory) return renameSync(from, to);
  for (const name of readdirSync(from)) move(join(from, name), join(to, name));
  const { atime, mtime } = lstatSync(from);
  utimesSync(to, atime, mtime);
}

async function receive(client: ControlClient, path: string, into: string, patience: number): Promise<void> {
  const what = `cannot copy ${client.name}:${path}`;
  const command = guestScript(SEND, posix.dirname(path), posix.basename(path));
  const session = await startWhenReady(client, requestFor(command), patience);
  try {
    session.stdin.end();
    let errors = "";
    session.stderr?.on("data", (bytes: Buffer) => (errors = (errors + bytes.toString()).slice(-4096)));
    const failure = await unpackArchive(session.stdout, into);
    if (failure !== null) session.close();
    const end = await session.ended.catch((error: unknown) => {
      throw failure === null ? error : new OperatorError("copy-failed", `${what}: ${failure.message}`);
    });
    if (statusOfEnd(end) !== 0) throw scriptError(what, errors, end);
    if (failure !== null) throw new OperatorError("copy-failed", `${what}: ${failure.message}`);
  } finally {
    session.close();
  }
}

/** Copies a file or directory of the guest. It gets its name when it is complete. */
export async function copyFromGuest(client: ControlClient, path: string, to: string, patience: number): Promise<void> {
  const name = posix.basename(path);
  if (name === "")
    throw new OperatorError("copy-failed", `cannot copy ${client.name}:/: name a file or directory in it`);
  const target = resolve(targetOf(to, name));
  const folder = dirname(target);
  const scratch = orFileError("write to", folder, () => mkdtempSync(join(folder, ".isola-cp-")));
  const clean = () => rmSync(scratch, { recursive: true, force: true });
  process.on("exit", clean);
  try {
    const inside = join(scratch, "unpacked");
    mkdirSync(inside);
    await receive(client, path, inside, patience);
    const [came, ...more] = readdirSync(inside);
    if (came === undefined)
      throw new OperatorError("copy-failed", `cannot copy ${client.name}:${path}: it is no file, directory or link`);
    if (more.length > 0)
      throw new OperatorError("copy-failed", `cannot copy ${client.name}:${path}: more than that came`);
    move(join(inside, came), target);
  } catch (error) {
    throw error instanceof OperatorError ? error : fileError("write", target, error);
  } finally {
    clean();
    process.off("exit", clean);
  }
}
