// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import { type EgressRule, formatMac, parseEgressRule, type PublishedPort } from "@isola/network";
import { type Card, CARDS, parseMac } from "@isola/machine";
import type { CommandLine, OptionSpecs } from "./command-line.js";
import { didYouMean } from "./suggestion.js";
import { UsageError } from "./usage-error.js";

/** Options that say what network a machine has. */
export const NETWORK_OPTIONS: OptionSpecs = {
  network: {
    value: "KIND[,FLAG]",
    help: "none (default), or user: through this host's sockets; FLAG is host-loopback, mac=ADDRESS, card=e1000|rtl8139",
  },
  publish: {
    value: "[ADDRESS:]PORT:GUESTPORT[/udp]",
    many: true,
    help: "lead a port of this host (on 127.0.0.1 unless told otherwise) to one of the guest",
  },
  egress: {
    value: "RULE",
    many: true,
    help: "allow=WHERE or deny=WHERE, such as deny=10.0.0.0/8 or allow=*.example.org:443/tcp; default=deny",
  },
};

/** A network through the host's sockets, and the card that is plugged into it. */
export interface NetworkRequest {
  readonly card: Card;
  readonly mac: string;
  readonly hostLoopback: boolean;
  readonly publish: readonly PublishedPort[];
  readonly egress: readonly EgressRule[];
  /** What becomes of what no rule speaks of. */
  readonly allowByDefault: boolean;
}

const KINDS = ["none", "user"];
const FLAGS = ["host-loopback", "mac", "card"];
const ANY_ADDRESS = "127.0.0.1";

function port(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,5}$/.test(text)) return null;
  const value = Number(text);
  return value > 0 && value <= 0xffff ? value : null;
}

/** Reads `[ADDRESS:]PORT:GUESTPORT[/tcp|/udp]`; an IPv6 address stands in brackets. */
export function parsePublish(text: string): PublishedPort {
  const parts = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(text);
  const address = parts?.[1] ?? parts?.[2] ?? ANY_ADDRESS;
  const [hostPort, guestPort] = [port(parts?.[3]), port(parts?.[4])];
  if (parts === null || hostPort === null || guestPort === null || isIP(address) === 0)
    throw new UsageError(`--publish: "${text}" is not like 8080:80, 0.0.0.0:8080:80/tcp or [::1]:5353:53/udp`);
  if ((parts[1] !== undefined) !== isIPv6(address))
    throw new UsageError(`--publish: in "${text}", an IPv6 address, and no other, stands in brackets`);
  return { protocol: parts[5] === "udp" ? "udp" : "tcp", host: { address, port: hostPort }, guestPort };
}

interface Egress {
  readonly rules: EgressRule[];
  allowByDefault: boolean;
}

function parseEgress(texts: readonly string[]): Egress {
  const egress: Egress = { rules: [], allowByDefault: true };
  for (const text of texts) {
    const [, word, where = ""] = /^(\w+)=(.*)$/.exec(text) ?? [];
    if (word === "default" && (where === "allow" || where === "deny")) {
      egress.allowByDefault = where === "allow";
      continue;
    }
    const rule = word === "allow" || word === "deny" ? parseEgressRule(where, word === "allow") : null;
    if (rule === null)
      throw new UsageError(
        `--egress: "${text}" is not like deny=10.0.0.0/8, allow=*.example.org:443/tcp or default=deny`,
      );
    egress.rules.push(rule);
  }
  return egress;
}

/** An address of the range that is left to whoever makes machines; the two bits of the first byte say "local, single". */
function randomMac(): string {
  return formatMac([0x52, 0x54, 0x00, ...randomBytes(3)]);
}

function knownCard(text: string): Card {
  const card = CARDS.find((one) => one === text);
  if (card === undefined)
    throw new UsageError(
      `--network: there is no card "${text}"${didYouMean(text, CARDS) || `; there are ${CARDS.join(", ")}`}`,
    );
  return card;
}

/** What the options ask for; null for a machine without a network. Throws UsageError if they make no sense. */
export function parseNetwork(line: CommandLine): NetworkRequest | null {
  const [kind = "none", ...flags] = (line.get("network") ?? "none").split(",");
  if (!KINDS.includes(kind))
    throw new UsageError(
      `--network: there is no "${kind}"${didYouMean(kind, KINDS) || `; there are ${KINDS.join(", ")}`}`,
    );
  if (kind === "none") {
    const without = ["publish", "egress"].find((option) => line.has(option));
    if (without !== undefined) throw new UsageError(`--${without} needs --network user`);
    if (flags.length > 0) throw new UsageError(`--network: none takes no flags, and "${flags[0]}" is one`);
    return null;
  }
  let mac = randomMac();
  let card: Card = "virtio";
  for (const flag of flags) {
    const [name = "", value] = flag.split("=");
    if (!FLAGS.includes(name) || (name === "host-loopback") !== (value === undefined))
      throw new UsageError(
        `--network: unknown flag "${flag}"${didYouMean(name, FLAGS) || `; there are host-loopback, mac=ADDRESS, card=${CARDS.join("|")}`}`,
      );
    if (name === "card") card = knownCard(value ?? "");
    if (name !== "mac") continue;
    if (value === undefined || parseMac(value) === null)
      throw new UsageError(`--network: "${value}" is not the address of a network card, such as 52:54:00:12:34:56`);
    mac = value;
  }
  const { rules, allowByDefault } = parseEgress(line.all("egress"));
  return {
    card,
    mac,
    hostLoopback: flags.includes("host-loopback"),
    publish: line.all("publish").map(parsePublish),
    egress: rules,
    allowByDefault,
  };
}
