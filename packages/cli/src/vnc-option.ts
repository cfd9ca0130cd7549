// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { OperatorError } from "@isola/base";
import { orFileError, type SocketAddress } from "@isola/host-node";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { parseSocketAddress } from "./gdb-option.js";
import { hasScreen } from "./gpu-option.js";
import { UsageError } from "./usage-error.js";

export const VNC_OPTIONS: OptionSpecs = {
  vnc: {
    value: "[ADDRESS:]PORT|unix:PATH[,FLAG]",
    help: "show the screen to VNC viewers; FLAG: password-file=FILE, needed for TCP",
  },
};

/** A way in for viewers. */
export interface VncRequest {
  readonly at: SocketAddress;
  /** File whose first line is the password; null for none. */
  readonly passwordFile: string | null;
}

const PASSWORD_FILE = "password-file=";

/** Reads `--vnc`; null without it. Throws UsageError if it makes no sense. */
export function vncRequest(line: CommandLine): VncRequest | null {
  const text = line.get("vnc");
  if (text === undefined) return null;
  if (!hasScreen(line)) throw new UsageError("--vnc needs a machine with a screen: --machine pc, or --gpu");
  const [where = "", ...flags] = text.split(",");
  const at = parseSocketAddress(where, "--vnc");
  const flag = flags.find((one) => one.startsWith(PASSWORD_FILE));
  const unknown = flags.find((one) => one !== flag);
  if (unknown !== undefined) throw new UsageError(`--vnc: there is no "${unknown}"; there is password-file=FILE`);
  if (flag === undefined && !("path" in at))
    throw new UsageError("--vnc over TCP needs a password: --vnc PORT,password-file=FILE");
  return { at, passwordFile: flag === undefined ? null : flag.slice(PASSWORD_FILE.length) };
}

/** The first line of a password file. */
export function readPassword(path: string): Uint8Array {
  const text = orFileError("read", path, () => readFileSync(path, "latin1"));
  const [password = ""] = text.split(/\r?\n/);
  if (password === "") throw new OperatorError("no-password", `${path} has no password in its first line`);
  return Uint8Array.from(Buffer.from(password, "latin1"));
}
