// SPDX-License-Identifier: Apache-2.0
import type { VsockForward } from "@isola/host-node";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

export const VSOCK_OPTIONS: OptionSpecs = {
  vsock: {
    value: "PORT=PATH[,to-guest]",
    many: true,
    help: "lead what the guest sends to vsock port PORT of the host to the Unix socket PATH; to-guest: listen at PATH, for PORT of the guest",
  },
};

const MAX_PORT = 0xffff_fffe;
const TO_GUEST = "to-guest";

function parseForward(text: string): VsockForward {
  const [, port = "", path = "", flag] = /^(\d{1,10})=([^,]+)(?:,(.*))?$/s.exec(text) ?? [];
  if (port === "" || Number(port) > MAX_PORT)
    throw new UsageError(`--vsock: "${text}" is not like 5000=/run/app.sock or 22=ssh.sock,to-guest`);
  if (flag !== undefined && flag !== TO_GUEST)
    throw new UsageError(`--vsock: unknown flag "${flag}"${didYouMean(flag, [TO_GUEST]) || `; there is ${TO_GUEST}`}`);
  return { port: Number(port), path, direction: flag === undefined ? "to-host" : TO_GUEST };
}

/** The ports that are led somewhere. Throws UsageError if the options make no sense. */
export function vsockForwards(line: CommandLine): VsockForward[] {
  const forwards = line.all("vsock").map(parseForward);
  const toHost = forwards.filter(({ direction }) => direction === "to-host");
  const twice = toHost.find(({ port }, i) => toHost.findIndex((other) => other.port === port) !== i);
  if (twice !== undefined) throw new UsageError(`--vsock: port ${twice.port} is led to two places`);
  return forwards;
}
