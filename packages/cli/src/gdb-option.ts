// SPDX-License-Identifier: Apache-2.0
import type { Architecture } from "@isola/gdb";
import type { SocketAddress } from "@isola/host-node";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { parseInteger } from "./size.js";
import { UsageError } from "./usage-error.js";

export const GDB_OPTIONS: OptionSpecs = {
  gdb: {
    value: "[ADDRESS:]PORT|unix:PATH[,FLAG]",
    help: "let GDB control the machine; FLAG: wait (for it, before the first instruction), arch=i386",
  },
};

/** A debugger's way into a machine. */
export interface GdbRequest {
  readonly at: SocketAddress;
  /** Nothing is executed before a debugger says so. */
  readonly wait: boolean;
  readonly architecture: Architecture;
}

const LOCAL = "127.0.0.1";

/** `[ADDRESS:]PORT`, an IPv6 address in brackets, or `unix:PATH`. */
export function parseSocketAddress(text: string, option: string): SocketAddress {
  if (text.startsWith("unix:")) {
    if (text === "unix:") throw new UsageError(`${option}: unix: needs a path`);
    return { path: text.slice("unix:".length) };
  }
  const [, bracketed, plain, port] = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined) throw new UsageError(`${option}: "${text}" is not [ADDRESS:]PORT or unix:PATH`);
  return { host: bracketed ?? plain ?? LOCAL, port: parseInteger(port, option, 0, 65_535) };
}

/** Reads `--gdb`; null without it. Throws UsageError if it makes no sense. */
export function gdbRequest(line: CommandLine): GdbRequest | null {
  const text = line.get("gdb");
  if (text === undefined) return null;
  const [where = "", ...flags] = text.split(",");
  for (const flag of flags)
    if (!["wait", "arch=i386", "arch=x86-64"].includes(flag))
      throw new UsageError(`--gdb: there is no "${flag}"; there are wait, arch=i386, arch=x86-64`);
  return {
    at: parseSocketAddress(where, "--gdb"),
    wait: flags.includes("wait"),
    architecture: flags.includes("arch=i386") ? "i386" : "x86-64",
  };
}
