// SPDX-License-Identifier: Apache-2.0
import type { HostNetwork, UdpSocket } from "@isola/ports";
import { get16 } from "../frame/bytes.js";
import { formatIp, type IpAddress, parseIp } from "../ip/address.js";
import {
  type DnsQuery,
  encodeName,
  parseQuery,
  RecordType,
  ResponseCode,
  reverseAddress,
  writeAnswer,
} from "./dns-message.js";
import type { EgressPolicy } from "./egress-policy.js";

/** The host's resolver does not tell how long its answers hold. */
const TTL_SECONDS = 30;
/** Questions under way; more than that are left to the guest's next try. */
const MAX_PENDING = 64;
/** What is passed through is given up after this time in ns. */
const PATIENCE = 5e9;
const MAX_CACHE = 512;
const S = 1e9;

interface Cached {
  readonly addresses: readonly IpAddress[];
  readonly until: number;
}

interface PassedThrough {
  readonly socket: UdpSocket;
  readonly until: number;
}

/** A name server for guests that asks whom the host asks, and tells the egress policy what it has answered. */
export class DnsForwarder {
  queries = 0;
  refused = 0;
  private pending = 0;
  private readonly cache = new Map<string, Cached>();
  private readonly passed = new Set<PassedThrough>();

  constructor(
    private readonly host: HostNetwork,
    private readonly policy: EgressPolicy,
    private readonly now: () => number,
  ) {}

  /** Answers a query, at once or later; what makes no sense gets no answer. */
  query(message: Uint8Array, reply: (message: Uint8Array) => void): void {
    const query = parseQuery(message);
    if (query === null || this.pending + this.passed.size >= MAX_PENDING) return;
    this.queries++;
    if (!this.policy.allowsName(query.name)) {
      this.refused++;
      return reply(writeAnswer(query, ResponseCode.Refused));
    }
    if (query.type === RecordType.A || query.type === RecordType.Aaaa) return this.addresses(query, reply);
    const address = query.type === RecordType.Ptr ? reverseAddress(query.name) : null;
    if (address !== null) return this.names(query, address, reply);
    this.passThrough(message, query, reply);
  }

  /** Gives up what has waited too long. */
  tick(now: number): void {
    for (const entry of this.passed) if (entry.until <= now) this.close(entry);
  }

  get busy(): boolean {
    return this.passed.size > 0;
  }

  close(entry?: PassedThrough): void {
    for (const one of entry === undefined ? [...this.passed] : [entry]) {
      one.socket.close();
      this.passed.delete(one);
    }
  }

  private addresses(query: DnsQuery, reply: (message: Uint8Array) => void): void {
    const name = query.name.toLowerCase();
    const known = this.cache.get(name);
    if (known !== undefined && known.until > this.now()) return this.answer(query, known.addresses, reply);
    this.wait(this.host.resolver.addresses(name), query, reply, (texts) => {
      const addresses = texts.map(parseIp).filter((address) => address !== null);
      this.cache.delete(name);
      this.cache.set(name, { addresses, until: this.now() + TTL_SECONDS * S });
      const oldest = this.cache.keys().next();
      if (this.cache.size > MAX_CACHE && oldest.done !== true) this.cache.delete(oldest.value);
      this.answer(query, addresses, reply);
    });
  }

  private answer(query: DnsQuery, addresses: readonly IpAddress[], reply: (message: Uint8Array) => void): void {
    // A name without any address does not exist as far as the host's resolver tells.
    if (addresses.length === 0) return reply(writeAnswer(query, ResponseCode.NoSuchName));
    const wanted = addresses.filter(({ length }) => length === (query.type === RecordType.A ? 4 : 16));
    this.policy.told(query.name, wanted, TTL_SECONDS * S);
    reply(writeAnswer(query, ResponseCode.Ok, wanted, TTL_SECONDS));
  }

  private names(query: DnsQuery, address: IpAddress, reply: (message: Uint8Array) => void): void {
    this.wait(this.host.resolver.names(formatIp(address)), query, reply, (names) => {
      const records = names.map(encodeName).filter((record) => record !== null);
      const code = records.length === 0 ? ResponseCode.NoSuchName : ResponseCode.Ok;
      reply(writeAnswer(query, code, records, TTL_SECONDS));
    });
  }

  private wait<T>(
    asked: Promise<T>,
    query: DnsQuery,
    reply: (message: Uint8Array) => void,
    answered: (result: T) => void,
  ): void {
    this.pending++;
    void asked.then(
      (result) => {
        this.pending--;
        answered(result);
      },
      () => {
        this.pending--;
        reply(writeAnswer(query, ResponseCode.ServerFailure));
      },
    );
  }

  /** Asks the host's first name server as the guest asked, with an identification of its own source port. */
  private passThrough(message: Uint8Array, query: DnsQuery, reply: (message: Uint8Array) => void): void {
    const [server] = this.host.resolver.servers();
    const address = server === undefined ? null : parseIp(server.address);
    if (server === undefined || address === null) return reply(writeAnswer(query, ResponseCode.ServerFailure));
    const entry: PassedThrough = {
      until: this.now() + PATIENCE,
      socket: this.host.openUdp(address.length === 4 ? 4 : 6, {
        datagram: (bytes, from) => {
          if (from.address !== server.address || from.port !== server.port) return;
          if (bytes.length < 12 || get16(bytes, 0) !== query.id || !this.passed.has(entry)) return;
          this.close(entry);
          reply(bytes);
        },
        failed: () => void this.passed.delete(entry),
      }),
    };
    this.passed.add(entry);
    entry.socket.send(message, server);
  }
}
