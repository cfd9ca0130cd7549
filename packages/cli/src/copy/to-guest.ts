// SPDX-License-Identifier: Apache-2.0
import { realpathSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { OperatorError } from "@isola/base";
import { type ControlClient, requestFor, startWhenReady } from "@isola/control";
import { orFileError } from "@isola/host-node";
import { create } from "tar/create";
import { statusOfEnd } from "../exec-streams.js";
import { guestScript, runScript, scriptError } from "./guest-script.js";

/** Says where the copy goes: makes an empty directory beside the destination and prints its path and the destination's. */
const PREPARE = `to=$1
if [ -d "$to" ]; then to=\${to%/}/$2
elif [ "$3" = yes ]; then echo "there is no such directory" >&2; exit 1; fi
parent=$(dirname "$to")
if ! [ -d "$parent" ]; then echo "there is no directory $parent" >&2; exit 1; fi
if [ -d "$to" ] && ! [ -L "$to" ] && [ "$4" = file ]; then echo "a directory is there" >&2; exit 1; fi
if { [ -e "$to" ] || [ -L "$to" ]; } && { ! [ -d "$to" ] || [ -L "$to" ]; } && [ "$4" = directory ]; then
  echo "a file is there" >&2; exit 1
fi
scratch=$(mktemp -d "\${parent%/}/.isola-cp-XXXXXX") || exit 1
echo "$scratch"; echo "$to"`;

const RECEIVE = `exec tar -C "$1" -xpf -`;

/** Gives the copy its name: at once if there is nothing of it, else file by file into the directory that is there. */
const FINISH = `if ! [ -e "$1/$2" ] && ! [ -L "$1/$2" ]; then echo "the copy is not complete" >&2; exit 1; fi
if [ -d "$3" ] && ! [ -L "$3" ]; then
  cd "$1/$2" || exit 1
  find . -type d -exec mkdir -p "$3/{}" \\; || exit 1
  find . ! -type d -exec mv -f {} "$3/{}" \\; || exit 1
else
  mv -f "$1/$2" "$3" || exit 1
fi
rm -rf "$1"`;

const REMOVE = `rm -rf "$1"`;

async function send(
  client: ControlClient,
  path: string,
  scratch: string,
  what: string,
  patience: number,
): Promise<void> {
  const session = await startWhenReady(client, requestFor(guestScript(RECEIVE, scratch)), patience);
  try {
    let errors = "";
    session.stderr?.on("data", (bytes: Buffer) => (errors = (errors + bytes.toString()).slice(-4096)));
    session.stdout.resume();
    // Portable: owners of the host mean nothing in the guest; what arrives belongs to root.
    const archive = create({ cwd: dirname(path), portable: true, preservePaths: true, strict: true }, [
      `./${basename(path)}`,
    ]);
    const failure = await pipeline(archive as unknown as NodeJS.ReadableStream, session.stdin).then(
      () => null,
      (error: unknown) => error,
    );
    // A guest that stops reading has something to say about it.
    if (failure !== null) session.stdin.destroy();
    const end = await session.ended;
    if (statusOfEnd(end) !== 0) throw scriptError(what, errors, end);
    if (failure !== null) throw new OperatorError("copy-failed", `${what}: ${String((failure as Error).message)}`);
  } finally {
    session.close();
  }
}

/** Copies a local file or directory into the guest, where it gets its name when it is complete. */
export async function copyToGuest(
  client: ControlClient,
  from: string,
  to: { readonly path: string; readonly directory: boolean },
  patience: number,
): Promise<void> {
  const name = basename(resolve(from));
  // A link that is named itself is followed, as by cp(1); those below are copied as they are.
  const path = orFileError("read", from, () => realpathSync(from));
  const kind = orFileError("read", from, () => (statSync(path).isDirectory() ? "directory" : "file"));
  if (name === "") throw new OperatorError("copy-failed", `cannot copy ${from}: name a file or directory in it`);
  const what = `cannot copy to ${client.name}:${to.path}`;
  const prepare = guestScript(PREPARE, to.path, name, to.directory ? "yes" : "no", kind);
  const [scratch = "", target = ""] = (await runScript(client, what, prepare, patience)).split("\n");
  try {
    await send(client, path, scratch, what, patience);
    await runScript(client, what, guestScript(FINISH, scratch, basename(path), target), patience);
  } catch (error) {
    await runScript(client, what, guestScript(REMOVE, scratch), patience).catch(() => {});
    throw error;
  }
}
