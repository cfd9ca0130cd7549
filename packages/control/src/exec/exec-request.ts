// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { EXEC_MAGIC, MAX_BLOB, MAX_GROUPS, Message, MESSAGE_LENGTH, Request } from "@isola/images";

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** A program to run in the guest. */
export interface ExecRequest {
  /** The path of the program's file, then its arguments, the first of which is its own name. */
  readonly argv: readonly string[];
  /** `NAME=value` each; nothing else is in the environment. */
  readonly environment: readonly string[];
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** The program gets a terminal of this size, on which output and errors are one; null for three pipes. */
  readonly terminal: TerminalSize | null;
}

/** The bytes of a request, as `exec-protocol.ts` describes them. Throws OperatorError if it is too long. */
export function encodeRequest(request: ExecRequest): Buffer {
  const { argv, environment, groups, terminal } = request;
  const all = [...argv, ...environment];
  if (all.some((text) => text.includes("\0")))
    throw new OperatorError("bad-command", "arguments and environment may not hold a zero byte");
  const strings = all.map((text) => Buffer.from(`${text}\0`, "utf8"));
  const table = Buffer.alloc(8 * (strings.length + 2));
  let at = table.length;
  strings.forEach((text, i) => {
    // A word of zero ends each of the two lists.
    table.writeUInt32LE(at, 8 * (i < argv.length ? i : i + 1));
    at += text.length;
  });
  if (at > MAX_BLOB)
    throw new OperatorError("command-too-long", `arguments and environment are longer than ${MAX_BLOB >> 10} KiB`);
  const header = Buffer.alloc(Request.Length);
  const kept = groups.slice(0, MAX_GROUPS);
  header.writeUInt32LE(EXEC_MAGIC, Request.Magic);
  header.writeUInt32LE(terminal === null ? 0 : 1, Request.Terminal);
  header.writeUInt32LE(at, Request.BlobLength);
  header.writeUInt32LE(table.length / 8, Request.TableWords);
  header.writeUInt32LE(argv.length + 1, Request.EnvironmentIndex);
  header.writeUInt32LE(request.uid, Request.Uid);
  header.writeUInt32LE(request.gid, Request.Gid);
  header.writeUInt32LE(kept.length, Request.GroupCount);
  header.writeUInt16LE(terminal?.rows ?? 0, Request.WindowSize);
  header.writeUInt16LE(terminal?.columns ?? 0, Request.WindowSize + 2);
  kept.forEach((group, i) => header.writeUInt32LE(group, Request.Groups + 4 * i));
  return Buffer.concat([header, table, ...strings]);
}

/** A message to the agent while the program runs. */
export function encodeMessage(kind: Message, value: number): Buffer {
  const message = Buffer.alloc(MESSAGE_LENGTH);
  message.writeUInt32LE(kind, 0);
  message.writeUInt32LE(value >>> 0, 4);
  return message;
}

const MAX_SIZE = 0xffff;

export function encodeTerminalSize({ rows, columns }: TerminalSize): Buffer {
  return encodeMessage(Message.WindowSize, Math.min(rows, MAX_SIZE) + Math.min(columns, MAX_SIZE) * 2 ** 16);
}
