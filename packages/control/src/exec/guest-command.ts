// SPDX-License-Identifier: Apache-2.0
import type { Readable } from "node:stream";
import { OperatorError } from "@isola/base";
import { boundedBytes } from "../bounded-bytes.js";
import type { ControlClient } from "../control-client.js";
import type { ExecRequest, TerminalSize } from "./exec-request.js";
import { type ExecEnd, ExecSession } from "./exec-session.js";
import { findUser, type GuestUser, ROOT } from "./guest-users.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const RETRY_MS = 100;
/** Output that one of our own short commands may make. */
const MAX_ANSWER = 4 << 20;

/** A command as people type it. */
export interface GuestCommand {
  readonly words: readonly string[];
  /** Absolute, or below `/`; null for the user's home. */
  readonly directory: string | null;
  /** `NAME=value` each, added to what every program gets. */
  readonly environment: readonly string[];
  readonly user: GuestUser;
  readonly terminal: (TerminalSize & { readonly type: string }) | null;
}

/** A command of root's in `/`. */
export function rootCommand(...words: readonly string[]): GuestCommand {
  return { words, directory: "/", environment: [], user: ROOT, terminal: null };
}

function environmentOf({ user, environment, terminal }: GuestCommand): string[] {
  const variables = new Map([
    ["PATH", PATH],
    ["HOME", user.home],
    ["USER", user.name],
    ["LOGNAME", user.name],
    ["SHELL", user.shell],
  ]);
  if (terminal !== null) variables.set("TERM", terminal.type);
  for (const text of environment) {
    const [name = ""] = text.split("=", 1);
    variables.set(name, text.slice(name.length + 1));
  }
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** A shell changes the directory and looks for the program in PATH, so it is also who says what is missing. */
export function requestFor(command: GuestCommand): ExecRequest {
  const { words, directory, user, terminal } = command;
  const change = directory === null ? 'cd "$1" 2> /dev/null || cd /' : 'cd "$1" || exit 126';
  return {
    argv: ["/bin/sh", "-c", `${change}; shift; exec "$@"`, "isola", directory ?? user.home, ...words],
    environment: environmentOf(command),
    uid: user.uid,
    gid: user.gid,
    groups: user.groups,
    terminal,
  };
}

const NOT_READY = new Set(["no-vsock", "vsock-refused"]);

/** As {@link ExecSession.start}, but gives the guest so many milliseconds to boot as far as it has to. */
export async function startWhenReady(
  client: ControlClient,
  request: ExecRequest,
  patience: number,
): Promise<ExecSession> {
  const due = performance.now() + patience;
  for (;;) {
    try {
      return await ExecSession.start(client, request);
    } catch (error) {
      if (!(error instanceof OperatorError) || !NOT_READY.has(error.code)) throw error;
      if (performance.now() >= due)
        throw new OperatorError(
          "guest-not-ready",
          `nothing in the guest of ${client.name} answers exec: it has not booted that far, or its image was not built by Isola`,
          { cause: error },
        );
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function textOf(stream: Readable): Promise<string> {
  const tooLong = () => new OperatorError("exec-failed", "the guest answers with more than makes sense");
  return (await boundedBytes(stream, MAX_ANSWER, tooLong)).toString("utf8");
}

/** What a short command wrote, and how it ended. */
export interface GuestAnswer {
  readonly output: string;
  readonly errors: string;
  readonly end: ExecEnd;
}

/** Runs a short command without input to its end. */
export async function askGuest(client: ControlClient, command: GuestCommand, patience: number): Promise<GuestAnswer> {
  const session = await startWhenReady(client, requestFor(command), patience);
  try {
    session.stdin.end();
    const [output, errors, end] = await Promise.all([
      textOf(session.stdout),
      session.stderr === null ? "" : textOf(session.stderr),
      session.ended,
    ]);
    return { output, errors, end };
  } finally {
    session.close();
  }
}

/** The guest's user of that name or number. Rejects with OperatorError `no-such-user`. */
export async function guestUser(client: ControlClient, wanted: string, patience: number): Promise<GuestUser> {
  const read = async (path: string) => (await askGuest(client, rootCommand("cat", path), patience)).output;
  return findUser(wanted, await read("/etc/passwd"), await read("/etc/group"));
}
