// SPDX-License-Identifier: Apache-2.0
import type { SocketFailure, TcpEvents } from "@isola/ports";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { EgressPolicy, parseEgressRule } from "../user/egress-policy.js";
import { FakeHost } from "../user/host.fixture.js";
import { Ask, FrameReader, FrameWriter, MAX_DATA, Tell, WINDOW } from "./frames.js";
import { RelayClient } from "./relay-client.js";
import { RelayServer } from "./relay-server.js";

const WEB = { address: "192.0.2.7", port: 80 };

/** Notes what happens on a connection. */
class Events implements TcpEvents {
  log: string[] = [];
  bytes = 0;
  connected = () => void this.log.push("connected");
  data = (bytes: Uint8Array) => {
    this.bytes += bytes.length;
    this.log.push(`data ${bytes.length > 10 ? bytes.length : Buffer.from(bytes).toString()}`);
  };
  ended = () => void this.log.push("ended");
  drained = () => void this.log.push("drained");
  closed = (failure: SocketFailure | null) => void this.log.push(`closed ${failure}`);
}

interface Rules {
  readonly egress?: readonly string[];
  readonly hostLoopback?: boolean;
}

/** A client and a server with a channel between them that delivers at once. */
function relay({ egress = [], hostLoopback = false }: Rules = {}) {
  const host = new FakeHost();
  const rules = egress.flatMap((text) => parseEgressRule(text.slice(1), text.startsWith("+")) ?? []);
  const client = new RelayClient((task) => queueMicrotask(task));
  const toServer: Uint8Array[] = [];
  let server: RelayServer | null = null;
  client.open((message) => {
    toServer.push(message);
    expect(server?.receive(message)).toBe(true);
  });
  server = new RelayServer({
    host,
    policy: new EgressPolicy(rules, !egress.some((text) => text.startsWith("+")), () => 0),
    hostLoopback,
    send: (message) => expect(client.receive(message)).toBe(true),
    backlog: () => 0,
  });
  return { host, client, server, toServer };
}

describe("connections through a relay", () => {
  let host: FakeHost;
  let client: RelayClient;
  const events = { now: new Events() };
  beforeEach(() => {
    ({ host, client } = relay());
    events.now = new Events();
  });

  it("carries bytes both ways and both ends", () => {
    const connection = client.connect(WEB, events.now);
    const [there] = host.connections;
    expect(there?.to).toEqual(WEB);
    there?.events?.connected();
    connection.write(Buffer.from("GET"));
    expect(Buffer.concat(there?.written ?? []).toString()).toBe("GET");
    expect(connection.unsent).toBe(3);
    there?.events?.drained();
    expect(connection.unsent).toBe(0);
    there?.events?.data(Buffer.from("yes"));
    connection.end();
    expect(there?.ended).toBe(true);
    there?.events?.ended();
    there?.events?.closed(null);
    expect(events.now.log).toEqual(["connected", "drained", "data yes", "ended", "closed null"]);
    connection.write(Buffer.from("late"));
    connection.abort();
    expect(there?.written).toHaveLength(1);
  });

  it("tells why a connection failed, and forgets aborted ones", () => {
    client.connect(WEB, events.now);
    host.connections[0]?.events?.closed("refused");
    const other = new Events();
    client.connect(WEB, other).abort();
    expect(host.connections[1]?.aborted).toBe(true);
    host.connections[1]?.events?.data(Buffer.from("late"));
    expect([events.now.log, other.log]).toEqual([["closed refused"], []]);
  });

  it("stops a sender whose bytes nobody takes, until they are taken", () => {
    const connection = client.connect(WEB, events.now);
    const there = host.connections[0];
    connection.pause();
    for (let sent = 0; sent < WINDOW; sent += MAX_DATA) there?.events?.data(new Uint8Array(MAX_DATA));
    expect(there?.paused).toBe(true);
    connection.resume();
    expect(there?.paused).toBe(false);
    expect(events.now.bytes).toBe(WINDOW);
  });

  it("splits what is larger than a frame", () => {
    client.connect(WEB, events.now).write(new Uint8Array(3 * MAX_DATA + 1));
    expect(host.connections[0]?.written.map(({ length }) => length)).toEqual([MAX_DATA, MAX_DATA, MAX_DATA, 1]);
  });

  it("ends everything when the channel breaks, and refuses until there is another", async () => {
    client.connect(WEB, events.now);
    const failed = vi.fn();
    client.openUdp(4, { datagram() {}, failed });
    const asked = client.resolver.addresses("one.test");
    client.lost();
    await expect(asked).rejects.toThrow("relay is lost");
    const late = new Events();
    client.connect(WEB, late);
    expect(late.log).toEqual([]);
    await Promise.resolve();
    expect([events.now.log, late.log]).toEqual([["closed reset"], ["closed unreachable"]]);
    expect(failed).toHaveBeenCalledOnce();
    await expect(client.resolver.names("192.0.2.1")).rejects.toThrow("relay is lost");
    await expect(client.listen()).rejects.toThrow("opens no ports");
  });
});

describe("what a relay lets through", () => {
  const reach = (rules: Rules, address: string, port = 80) => {
    const { host, client } = relay(rules);
    const events = new Events();
    client.connect({ address, port }, events);
    return host.connections.length === 1 ? "open" : events.log.join();
  };

  it.each<[string, Rules, string, string]>([
    ["anything by default", {}, "192.0.2.7", "open"],
    ["what a rule denies", { egress: ["-192.0.2.0/24"] }, "192.0.2.7", "closed unreachable"],
    ["what no rule allows", { egress: ["+192.0.2.0/24:443"] }, "192.0.2.7", "closed unreachable"],
    ["its own host", {}, "127.0.0.1", "closed unreachable"],
    ["its own host, written as IPv6", {}, "::ffff:127.0.0.1", "closed unreachable"],
    ["its own host, if told to", { hostLoopback: true }, "127.0.0.1", "open"],
    ["a name in place of an address", { hostLoopback: true }, "localhost", "closed unreachable"],
  ])("%s", (_what, rules, address, outcome) => {
    expect(reach(rules, address)).toBe(outcome);
  });

  it("remembers what names stood for", async () => {
    const { host, client } = relay({ egress: ["+good.test"] });
    host.names = { "good.test": ["192.0.2.7"], "bad.test": ["192.0.2.8"] };
    const events = new Events();
    client.connect(WEB, events);
    expect(events.log).toEqual(["closed unreachable"]);
    expect(await client.resolver.addresses("good.test")).toEqual(["192.0.2.7"]);
    expect(await client.resolver.addresses("bad.test")).toEqual([]);
    client.connect(WEB, new Events());
    expect(host.connections).toHaveLength(1);
  });
});

describe("names and datagrams through a relay", () => {
  it("asks the relay's host", async () => {
    const { host, client } = relay();
    host.names = { "one.test": ["192.0.2.1", "2001:db8::1"] };
    expect(client.resolver.servers()).toEqual([{ address: "192.0.2.53", port: 53 }]);
    expect(await client.resolver.addresses("one.test")).toEqual(["192.0.2.1", "2001:db8::1"]);
    expect(await client.resolver.names("192.0.2.1")).toEqual(["one.test"]);
    await expect(client.resolver.addresses("broken.test")).rejects.toThrow("could not ask");
  });

  it("sends and receives datagrams until the socket is closed", () => {
    const { host, client } = relay({ egress: ["-10.0.0.0/8"] });
    const got: string[] = [];
    const socket = client.openUdp(4, {
      datagram: (bytes, from) => void got.push(`${from.address}:${from.port} ${Buffer.from(bytes).toString()}`),
      failed: () => void got.push("failed"),
    });
    socket.send(Buffer.from("ping"), WEB);
    socket.send(Buffer.from("never"), { address: "10.0.0.1", port: 9 });
    const [there] = host.sockets;
    expect(there?.sent.map(({ bytes, to }) => [Buffer.from(bytes).toString(), to])).toEqual([["ping", WEB]]);
    there?.events.datagram(Buffer.from("pong"), WEB);
    socket.close();
    expect(there?.closed).toBe(true);
    there?.events.datagram(Buffer.from("late"), WEB);
    const second = client.openUdp(6, { datagram() {}, failed: () => void got.push("failed") });
    host.sockets[1]?.events.failed();
    second.send(Buffer.from("x"), WEB);
    expect(got).toEqual(["192.0.2.7:80 pong", "failed"]);
  });
});

describe("messages that make no sense", () => {
  const server = (host = new FakeHost()) =>
    new RelayServer({
      host,
      policy: new EgressPolicy([], true, () => 0),
      hostLoopback: false,
      send: () => {},
      backlog: () => 0,
    });

  it("are refused", () => {
    const connect = new FrameWriter(Ask.Connect, 1).endpoint(WEB).finish();
    expect(server().receive(new Uint8Array())).toBe(false);
    expect(server().receive(new FrameWriter(99 as Ask, 1).finish())).toBe(false);
    expect(server().receive(connect.subarray(0, connect.length - 1))).toBe(false);
    expect(server().receive(new FrameWriter(Ask.OpenUdp, 1).u8(5).finish())).toBe(false);
    expect(server().receive(new FrameWriter(Ask.Data, 1).data(new Uint8Array(MAX_DATA + 1)).finish())).toBe(false);
    const twice = server();
    expect([twice.receive(connect), twice.receive(connect)]).toEqual([true, false]);
    twice.close();
    expect(twice.receive(connect)).toBe(false);
  });

  it("a client that does not wait is sent away", () => {
    const greedy = server();
    greedy.receive(new FrameWriter(Ask.Connect, 1).endpoint(WEB).finish());
    const data = new FrameWriter(Ask.Data, 1).data(new Uint8Array(MAX_DATA)).finish();
    const taken = Array.from({ length: 100 }, () => greedy.receive(data)).filter(Boolean).length;
    expect(taken).toBe((4 * WINDOW) / MAX_DATA);
  });

  it("neither end ever throws, whatever comes", () => {
    const host = new FakeHost();
    let seed = 1;
    const random = (below: number) => (seed = (seed * 48_271) % 0x7fff_ffff) % below;
    const client = new RelayClient(() => {});
    client.open(() => {});
    let one = server(host);
    for (let i = 0; i < 20_000; i++) {
      const message = Uint8Array.from({ length: random(40) }, () => random(256));
      // Mostly known kinds, with few different ids.
      if (message.length >= 5) message.set([1 + random(11), 0, 0, 0, random(8)]);
      if (!one.receive(message) && random(4) === 0) one = server(host);
      client.receive(message);
    }
    expect(new FrameReader(new FrameWriter(Tell.Answer, 7).text("x".repeat(300)).finish()).text()).toHaveLength(255);
  });
});
