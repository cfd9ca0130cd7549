// SPDX-License-Identifier: Apache-2.0
import { type Cidr, cidr, contains, formatIp, type IpAddress, parseCidr, unmapped } from "../ip/address.js";

/** What a guest may reach. The first rule that fits decides. */
export interface EgressRule {
  readonly allow: boolean;
  /** Where to: a range of addresses, a host name, "*.name" for all below it, or null for anywhere. */
  readonly to: Cidr | string | null;
  /** "tcp", "udp" or "icmp"; null for all. */
  readonly protocol: EgressProtocol | null;
  /** Ports, both ends included; null for all. */
  readonly ports: { readonly first: number; readonly last: number } | null;
}
export type EgressProtocol = "tcp" | "udp" | "icmp";

const PROTOCOLS: readonly EgressProtocol[] = ["tcp", "udp", "icmp"];
const NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;

/**
 * Reads a rule: `WHERE[:PORT[-PORT]][/tcp|/udp|/icmp]`, where WHERE is `*`, an address, a range of addresses in brackets
 * or without (`10.0.0.0/8`, `[2001:db8::/32]:443/tcp`), a name or `*.name`. Null if it makes no sense.
 */
export function parseEgressRule(text: string, allow: boolean): EgressRule | null {
  const suffix = /\/(tcp|udp|icmp)$/i.exec(text);
  const protocol = PROTOCOLS.find((one) => one === suffix?.[1]?.toLowerCase()) ?? null;
  let where = suffix === null ? text : text.slice(0, suffix.index);
  let ports: EgressRule["ports"] = null;
  const bracketed = /^\[([^\]]+)\](.*)$/.exec(where);
  const plainV6 = bracketed === null && where.split(":").length > 2;
  const portText = plainV6 ? null : /:(\d{1,5})(?:-(\d{1,5}))?$/.exec(bracketed?.[2] ?? where);
  if (portText !== null) {
    const first = Number(portText[1]);
    const last = Number(portText[2] ?? portText[1]);
    if (first > last || last > 0xffff || protocol === "icmp") return null;
    ports = { first, last };
    if (bracketed === null) where = where.slice(0, portText.index);
  } else if (bracketed !== null && bracketed[2] !== "") return null;
  if (bracketed !== null) where = bracketed[1] ?? "";
  if (where === "*") return { allow, to: null, protocol, ports };
  const range = parseCidr(where);
  if (range !== null) return { allow, to: range, protocol, ports };
  if (where.length > 253 || !NAME.test(where) || /^[\d.]+$/.test(where)) return null;
  return { allow, to: where.toLowerCase(), protocol, ports };
}

/** Never reachable, whatever the rules say: this host itself, links, groups, and addresses that are no addresses. */
const RESERVED: readonly Cidr[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/128",
  "::1/128",
  "fe80::/10",
  "ff00::/8",
].map(cidr);

interface Pin {
  readonly names: Set<string>;
  until: number;
}

/** Addresses of names that are remembered. */
const MAX_PINS = 4096;
/** A program that got an address keeps it a while, so a connection soon after the end of its time is still let through. */
const GRACE = 60e9;

function nameFits(rule: string, name: string): boolean {
  return rule.startsWith("*.") ? name.endsWith(rule.slice(1)) && name.length >= rule.length : name === rule;
}

/**
 * Decides what guests may reach. Rules with names hold for the addresses that the network's own name server has told
 * guests for these names, until their time is over; so a guest cannot reach what it only claims to be that name.
 */
export class EgressPolicy {
  private readonly pins = new Map<string, Pin>();
  private readonly named: boolean;

  /**
   * @param byDefault whether what no rule speaks of is allowed
   * @param now monotonic time in ns
   */
  constructor(
    private readonly rules: readonly EgressRule[],
    private readonly byDefault: boolean,
    private readonly now: () => number,
  ) {
    this.named = rules.some(({ to }) => typeof to === "string");
  }

  /** Whether a packet may go there. `port` does not matter for ICMP. */
  allows(protocol: EgressProtocol, destination: IpAddress, port: number): boolean {
    const address = unmapped(destination);
    if (RESERVED.some((range) => contains(range, address))) return false;
    for (const rule of this.rules) {
      if (rule.protocol !== null && rule.protocol !== protocol) continue;
      if (rule.ports !== null && (protocol === "icmp" || port < rule.ports.first || port > rule.ports.last)) continue;
      if (this.isTo(rule.to, address)) return rule.allow;
    }
    return this.byDefault;
  }

  /** Whether the name may be asked for: one that no rule could let through is none of the guest's business. */
  allowsName(name: string): boolean {
    const wanted = name.toLowerCase();
    let other = this.byDefault;
    for (const { to, allow, ports, protocol } of this.rules) {
      if (typeof to === "string" && nameFits(to, wanted)) {
        if (allow || (ports === null && protocol === null)) return allow;
      } else if (allow && typeof to !== "string") other = true;
    }
    return other;
  }

  /** A guest has been told that `name` has these addresses for `ttl` ns. */
  told(name: string, addresses: readonly IpAddress[], ttl: number): void {
    if (!this.named) return;
    const until = this.now() + ttl + GRACE;
    for (const address of addresses) {
      const key = formatIp(unmapped(address));
      const pin = this.pins.get(key) ?? { names: new Set<string>(), until };
      if (pin.until < this.now()) pin.names.clear();
      pin.names.add(name.toLowerCase());
      pin.until = Math.max(pin.until, until);
      this.pins.delete(key);
      this.pins.set(key, pin);
    }
    for (const key of this.pins.keys()) {
      if (this.pins.size <= MAX_PINS) break;
      this.pins.delete(key);
    }
  }

  private isTo(to: EgressRule["to"], address: IpAddress): boolean {
    if (to === null) return true;
    if (typeof to !== "string") return contains(to, address);
    const pin = this.pins.get(formatIp(address));
    if (pin === undefined || pin.until < this.now()) return false;
    for (const name of pin.names) if (nameFits(to, name)) return true;
    return false;
  }
}
