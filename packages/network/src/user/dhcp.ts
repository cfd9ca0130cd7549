// SPDX-License-Identifier: Apache-2.0
import { equal, get32, put32 } from "../frame/bytes.js";
import { formatMac, MAC_SIZE } from "../frame/ethernet.js";
import { contains, formatIp, type IpAddress } from "../ip/address.js";
import type { Subnet } from "./subnet.js";

/** Offsets of the fields of a message (RFC 2131, 2). */
const enum Field {
  Operation = 0,
  HardwareType = 1,
  HardwareLength = 2,
  TransactionId = 4,
  Flags = 10,
  ClientIp = 12,
  YourIp = 16,
  ServerIp = 20,
  ClientMac = 28,
  Cookie = 236,
  Options = 240,
}
const REQUEST = 1;
const REPLY = 2;
const COOKIE = 0x6382_5363;
/** Options (RFC 2132). */
const enum Option {
  Pad = 0,
  SubnetMask = 1,
  Router = 3,
  NameServer = 6,
  Broadcast = 28,
  RequestedIp = 50,
  LeaseTime = 51,
  MessageType = 53,
  ServerId = 54,
  End = 255,
}
const enum Message {
  Discover = 1,
  Offer = 2,
  Request = 3,
  Decline = 4,
  Ack = 5,
  Nak = 6,
  Release = 7,
  Inform = 8,
}
const LEASE_SECONDS = 86_400;
const MIN_REPLY = 300;

export interface DhcpReply {
  readonly message: Uint8Array;
  /** Where it goes: an address that the client has or is about to have, or null for everybody. */
  readonly to: IpAddress | null;
  readonly mac: Uint8Array;
}

interface Query {
  readonly kind: number;
  readonly mac: Uint8Array;
  readonly options: ReadonlyMap<number, Uint8Array>;
  readonly clientIp: IpAddress;
  readonly broadcast: boolean;
}

function parse(message: Uint8Array): Query | null {
  if (message.length < Field.Options || message[Field.Operation] !== REQUEST) return null;
  if (message[Field.HardwareType] !== 1 || message[Field.HardwareLength] !== MAC_SIZE) return null;
  if (get32(message, Field.Cookie) !== COOKIE) return null;
  const options = new Map<number, Uint8Array>();
  for (let at: number = Field.Options; at < message.length && message[at] !== Option.End;) {
    if (message[at] === Option.Pad) {
      at++;
      continue;
    }
    const end = at + 2 + (message[at + 1] ?? 0);
    if (end > message.length) break;
    options.set(message[at], message.subarray(at + 2, end));
    at = end;
  }
  return {
    kind: options.get(Option.MessageType)?.[0] ?? 0,
    mac: message.subarray(Field.ClientMac, Field.ClientMac + MAC_SIZE),
    options,
    clientIp: message.subarray(Field.ClientIp, Field.ClientIp + 4),
    broadcast: (message[Field.Flags] & 0x80) !== 0,
  };
}

/** A DHCP server for IPv4 (RFC 2131): each MAC address gets an address and keeps it. */
export class DhcpServer {
  /** MAC address to number of the lease, the oldest first. */
  private readonly leases = new Map<string, number>();

  constructor(private readonly subnet: Subnet) {}

  /** The first address that was given to a guest, or the one that the first guest will get. */
  get firstGuest(): IpAddress {
    return this.addressOf(this.leases.values().next().value ?? 0);
  }

  /** Answers a message, or null if it needs no answer or makes no sense. */
  answer(message: Uint8Array): DhcpReply | null {
    const query = parse(message);
    if (query === null) return null;
    switch (query.kind) {
      case Message.Discover:
        return this.give(message, query, Message.Offer);
      case Message.Request:
        return this.request(message, query);
      case Message.Inform:
        return this.reply(message, query, Message.Ack, null);
      case Message.Release:
      case Message.Decline:
        this.leases.delete(formatMac(query.mac));
        return null;
      default:
        return null;
    }
  }

  private request(message: Uint8Array, query: Query): DhcpReply | null {
    const server = query.options.get(Option.ServerId);
    if (server !== undefined && !equal(server, this.subnet.gateway)) return null;
    const wanted = query.options.get(Option.RequestedIp) ?? query.clientIp;
    const own = this.leaseOf(query.mac, wanted);
    if (own === null || !equal(wanted, own)) return this.reply(message, query, Message.Nak, null);
    return this.reply(message, query, Message.Ack, own);
  }

  private give(message: Uint8Array, query: Query, kind: Message): DhcpReply | null {
    const lease = this.leaseOf(query.mac, query.options.get(Option.RequestedIp));
    return lease === null ? null : this.reply(message, query, kind, lease);
  }

  private addressOf(index: number): IpAddress {
    const address = this.subnet.firstLease.slice();
    put32(address, 0, get32(address, 0) + index);
    return address;
  }

  /** The address of a client; a new client gets the one it wants if it is free, else the first free one. */
  private leaseOf(mac: Uint8Array, wanted: Uint8Array | undefined): IpAddress | null {
    const key = formatMac(mac);
    const known = this.leases.get(key);
    if (known !== undefined) return this.addressOf(known);
    const taken = new Set(this.leases.values());
    let index = -1;
    if (wanted?.length === 4 && contains(this.subnet.v4, wanted))
      index = get32(wanted, 0) - get32(this.subnet.firstLease, 0);
    if (index < 0 || index >= this.subnet.leases || taken.has(index)) for (index = 0; taken.has(index);) index++;
    if (index >= this.subnet.leases) {
      // All are given: the client that has not been heard of for longest loses its address.
      const [oldest, number] = this.leases.entries().next().value ?? [key, 0];
      this.leases.delete(oldest);
      index = number;
    }
    this.leases.set(key, index);
    return this.addressOf(index);
  }

  private reply(message: Uint8Array, query: Query, kind: Message, lease: IpAddress | null): DhcpReply {
    const { subnet } = this;
    const reply = new Uint8Array(MIN_REPLY);
    reply.set(message.subarray(0, Field.Options));
    reply[Field.Operation] = REPLY;
    reply.fill(0, Field.YourIp, Field.ClientMac - 4);
    reply.fill(0, Field.ClientMac + 16, Field.Cookie);
    if (lease !== null) reply.set(lease, Field.YourIp);
    const seconds = Uint8Array.of(0, 0, 0, 0);
    put32(seconds, 0, LEASE_SECONDS);
    const options: [Option, Uint8Array][] = [
      [Option.MessageType, Uint8Array.of(kind)],
      [Option.ServerId, subnet.gateway],
    ];
    if (kind !== Message.Nak) {
      options.push(
        [Option.SubnetMask, subnet.mask],
        [Option.Router, subnet.gateway],
        [Option.NameServer, subnet.dns],
        [Option.Broadcast, subnet.broadcast],
      );
      if (lease !== null) options.push([Option.LeaseTime, seconds]);
    }
    let at: number = Field.Options;
    for (const [code, value] of options) {
      reply.set([code, value.length, ...value], at);
      at += 2 + value.length;
    }
    reply[at] = Option.End;
    const known = formatIp(query.clientIp) === "0.0.0.0" ? lease : query.clientIp;
    return { message: reply, to: query.broadcast || kind === Message.Nak ? null : known, mac: query.mac.slice() };
  }
}
