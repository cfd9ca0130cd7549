// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { get16, put16 } from "../frame/bytes.js";
import { BROADCAST, Ethernet } from "../frame/ethernet.js";
import { plainFrame } from "../frame/plain-frame.js";
import { formatIp, ip } from "../ip/address.js";
import { Protocol } from "../ip/protocol.js";
import { pattern, randomNumbers } from "../tcp/pair.fixture.js";
import { EgressPolicy, parseEgressRule } from "./egress-policy.js";
import { DNS, DNS6, GATEWAY, GATEWAY6, GUEST, GUEST6, GUEST_MAC, TestGuest, TestTimers } from "./guest.fixture.js";
import { FakeHost } from "./host.fixture.js";
import { DEFAULT_SUBNET } from "./subnet.js";
import { UserNetwork } from "./user-network.js";

const OUTSIDE = ip("192.0.2.80");
const OUTSIDE6 = ip("2001:db8::80");

function setUp({ hostLoopback = false, rules = [] as string[], allow = true } = {}) {
  const host = new FakeHost();
  const timers = new TestTimers();
  const egress = rules.map((text) => parseEgressRule(text.slice(1), text.startsWith("+"))!);
  const policy = new EgressPolicy(egress, allow, () => timers.now());
  const soon: (() => void)[] = [];
  const later = (task: () => void) => void soon.push(task);
  const network = new UserNetwork({
    host,
    timers,
    policy,
    hostLoopback,
    soon: later,
    entropy: { fill: (bytes) => bytes.fill(7) },
  });
  const guest = new TestGuest(network, timers);
  guest.announce();
  guest.frames.length = 0;
  const settle = () => {
    for (let idle = 0; idle < 3;) idle = guest.work() ? 0 : idle + 1;
  };
  const open = (address = OUTSIDE, port = 80) => {
    const connection = guest.connect(address, port);
    const there = host.connections.at(-1)!;
    there.events!.connected();
    settle();
    return { connection, there };
  };
  return { host, timers, network, guest, settle, open };
}

const query = (name: string, type: number): Uint8Array =>
  Uint8Array.from([
    ...[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0],
    ...name.split(".").flatMap((label) => [label.length, ...Array.from(label, (c) => c.charCodeAt(0))]),
    ...[0, 0, type, 0, 1],
  ]);

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("TCP through the user network", () => {
  it("joins a guest's connection with one of the host, both ways and to the end", () => {
    const { open, settle } = setUp();
    const { connection, there } = open();
    expect(there.to).toEqual({ address: "192.0.2.80", port: 80 });
    expect(connection.up).toBe(true);
    connection.endpoint!.write(pattern(5000));
    settle();
    expect(Uint8Array.from(there.written.flatMap((bytes) => [...bytes]))).toEqual(pattern(5000));
    there.events!.data(pattern(70_000, 3));
    settle();
    expect(connection.bytes).toEqual(pattern(70_000, 3));
    connection.endpoint!.end();
    settle();
    expect(there.ended).toBe(true);
    there.events!.data(pattern(10));
    there.events!.ended();
    settle();
    expect(connection.hasEnded).toBe(true);
    expect(connection.bytes.length).toBe(70_010);
    expect(there.aborted).toBe(false);
  });

  it("sends large frames to a card that takes them", () => {
    const { open, settle, guest } = setUp();
    guest.offload = { checksum: true, tcp4: true, tcp6: false };
    const { connection, there } = open();
    let largest = 0;
    const receive = guest.receive.bind(guest);
    guest.receive = (frame) => {
      largest = Math.max(largest, frame.bytes.length);
      return receive(frame);
    };
    there.events!.data(pattern(300_000));
    settle();
    expect(connection.bytes).toEqual(pattern(300_000));
    expect(largest).toBeGreaterThan(60_000);
  });

  it("works over IPv6", () => {
    const { open, settle } = setUp();
    const { connection, there } = open(OUTSIDE6);
    expect(there.to.address).toBe("2001:db8::80");
    there.events!.data(pattern(5000));
    settle();
    expect(connection.bytes).toEqual(pattern(5000));
  });

  it("stops reading from the host when the guest does not keep up", () => {
    const { open, settle } = setUp();
    const { connection, there } = open();
    connection.roomLeft = 0;
    settle();
    let given = 0;
    while (!there.paused && given < 1 << 24) {
      there.events!.data(pattern(65_536));
      given += 65_536;
      settle();
    }
    expect(given).toBeLessThan(3 << 20);
    connection.roomLeft = 1 << 24;
    connection.endpoint!.roomGrew();
    settle();
    expect(there.paused).toBe(false);
    expect(connection.bytes.length).toBe(given);
  });

  it("closes its window when the host does not take what the guest sends", () => {
    const { open, settle } = setUp();
    const { connection, there } = open();
    there.unsent = 1 << 20;
    connection.endpoint!.write(pattern(3 << 20));
    settle();
    const taken = there.written.reduce((total, { length }) => total + length, 0);
    expect(taken).toBeLessThanOrEqual((1 << 20) + 65_536);
    there.unsent = 0;
    there.events!.drained();
    settle();
    expect(there.written.reduce((total, { length }) => total + length, 0)).toBeGreaterThan(taken);
  });

  it("waits for buffers of the guest", () => {
    const { open, settle, guest, network } = setUp();
    const { connection, there } = open();
    guest.room = 3;
    there.events!.data(pattern(50_000));
    settle();
    expect(connection.bytes.length).toBeLessThan(5000);
    guest.room = Infinity;
    network.ready();
    settle();
    expect(connection.bytes).toEqual(pattern(50_000));
  });

  it("tells the guest what became of a connection that failed", () => {
    const { guest, host, settle } = setUp();
    const refused = guest.connect(OUTSIDE, 80);
    host.connections[0]!.events!.closed("refused");
    settle();
    expect(refused.reason).toBe("reset");
    guest.connect(OUTSIDE, 81);
    host.connections[1]!.events!.closed("unreachable");
    const [icmp] = guest.packets();
    expect(icmp?.protocol).toBe(Protocol.Icmp);
    expect([...icmp!.payload.subarray(0, 2)]).toEqual([3, 1]);
  });

  it("resets both ways", () => {
    const { open, settle } = setUp();
    const first = open();
    first.there.events!.closed("reset");
    settle();
    expect(first.connection.reason).toBe("reset");
    const second = open();
    second.connection.endpoint!.abort();
    settle();
    expect(second.there.aborted).toBe(true);
  });

  it("stays bounded under a flood of SYNs", () => {
    const { guest, host, network } = setUp();
    for (let i = 0; i < 20_000; i++) guest.connect(ip(`198.51.100.${i % 250}`), 1 + (i % 60_000), 1024 + (i % 60_000));
    expect(host.connections.length).toBeLessThan(300);
    expect(network.counters().overflowed).toBeGreaterThan(19_000);
  });

  it("leads connections of published ports to the guest", async () => {
    const { network, host, guest, settle, timers } = setUp();
    await network.publish([{ protocol: "tcp", host: { address: "127.0.0.1", port: 8080 }, guestPort: 80 }]);
    guest.accepts.add(80);
    const { FakeConnection } = await import("./host.fixture.js");
    const client = new FakeConnection({ address: "", port: 0 }, null);
    const events = host.listeners[0]!.accept(client, { address: "127.0.0.1", port: 5000 });
    settle();
    expect(guest.connections[0]).toMatchObject({ up: true, local: { port: 80 }, remote: { address: GATEWAY } });
    events.data(pattern(3000));
    guest.connections[0]!.endpoint!.write(pattern(2000));
    settle();
    expect(guest.connections[0]!.bytes).toEqual(pattern(3000));
    expect(client.written.reduce((total, { length }) => total + length, 0)).toBe(2000);
    // Nobody listens on the guest's port.
    await network.publish([{ protocol: "tcp", host: { address: "127.0.0.1", port: 8081 }, guestPort: 81 }]);
    const refused = new FakeConnection({ address: "", port: 0 }, null);
    host.listeners[1]!.accept(refused, { address: "127.0.0.1", port: 5001 });
    settle();
    timers.advance(300e9);
    expect(refused.aborted).toBe(true);
  });
});

describe("what guests may reach", () => {
  it("is not the host itself unless it was asked for", () => {
    const { guest, host, settle } = setUp();
    const places = ["10.0.2.2", "10.0.2.3", "10.0.2.77", "127.0.0.1", "0.0.0.0", "169.254.169.254", "169.254.1.1"];
    const attempts = [...places, "::1", "::", "::ffff:127.0.0.1", "fe80::2", "fd69:736f:6c61::2"].map((text, i) =>
      guest.connect(ip(text), 80, 30_000 + i),
    );
    settle();
    expect(host.connections).toEqual([]);
    expect(attempts.map(({ reason }) => reason)).toEqual(attempts.map(() => "reset"));
    const open = setUp({ hostLoopback: true });
    open.guest.connect(GATEWAY, 80);
    open.guest.connect(GATEWAY6, 80);
    open.guest.connect(ip("127.0.0.1"), 80);
    expect(open.host.connections.map(({ to }) => to.address)).toEqual(["127.0.0.1", "::1"]);
  });

  it("is what the rules say", () => {
    const { guest, host } = setUp({
      rules: ["+192.0.2.80:80-90/tcp", "-192.0.2.0/24", "+[2001:db8::/32]:443"],
      allow: false,
    });
    guest.connect(OUTSIDE, 80);
    guest.connect(OUTSIDE, 91);
    guest.connect(ip("192.0.2.81"), 80);
    guest.connect(OUTSIDE6, 443);
    guest.connect(OUTSIDE6, 80);
    guest.sendUdp(GUEST, 5000, OUTSIDE, 80, pattern(4));
    expect(host.connections.map(({ to }) => `${to.address} ${to.port}`)).toEqual(["192.0.2.80 80", "2001:db8::80 443"]);
    expect(host.sockets).toEqual([]);
    expect(guest.packets().at(-1)?.payload[1]).toBe(13);
  });

  it("follows names to the addresses that guests were told", async () => {
    const { guest, host, timers } = setUp({ rules: ["+*.example.test:443"], allow: false });
    host.names = { "www.example.test": ["192.0.2.80"], "evil.test": ["192.0.2.66"] };
    guest.connect(OUTSIDE, 443);
    expect(host.connections.length).toBe(0);
    guest.sendUdp(GUEST, 5000, DNS, 53, query("evil.test", 1));
    guest.sendUdp(GUEST, 5000, DNS, 53, query("www.example.test", 1));
    await soon();
    const codes = guest
      .packets()
      .filter(({ protocol }) => protocol === Protocol.Udp)
      .map(({ payload }) => payload[11]! & 15);
    expect(codes).toEqual([5, 0]);
    guest.connect(OUTSIDE, 443);
    guest.connect(OUTSIDE, 80);
    expect(host.connections.length).toBe(1);
    timers.advance(600e9);
    guest.connect(OUTSIDE, 443);
    expect(host.connections.length).toBe(1);
  });
});

describe("UDP through the user network", () => {
  it("reaches others and lets only them answer", () => {
    const { guest, host, timers, network } = setUp();
    guest.sendUdp(GUEST, 5000, OUTSIDE, 7, pattern(100));
    guest.sendUdp(GUEST, 5000, ip("192.0.2.81"), 7, pattern(10));
    const [socket] = host.sockets;
    expect(socket!.sent.map(({ to }) => to.address)).toEqual(["192.0.2.80", "192.0.2.81"]);
    socket!.events.datagram(pattern(3000), { address: "192.0.2.80", port: 7 });
    socket!.events.datagram(pattern(5), { address: "192.0.2.80", port: 8 });
    socket!.events.datagram(pattern(5), { address: "192.0.2.99", port: 7 });
    const pieces = guest.packets();
    expect(pieces.map(({ payload, fragment }) => [payload.length, fragment?.offset, fragment?.more])).toEqual([
      [1480, 0, true],
      [1480, 1480, true],
      [48, 2960, false],
    ]);
    expect(network.counters().mappings).toBe(1);
    timers.advance(200e9);
    expect(socket!.closed).toBe(true);
  });

  it("leads datagrams of published ports to the guest and back", async () => {
    const { guest, host, network } = setUp();
    await network.publish([{ protocol: "udp", host: { address: "127.0.0.1", port: 8080 }, guestPort: 53 }]);
    host.sockets[0]!.events.datagram(pattern(20), { address: "127.0.0.1", port: 999 });
    const [packet] = guest.packets();
    expect(get16(packet!.payload, 2)).toBe(53);
    guest.sendUdp(GUEST, 53, GATEWAY, get16(packet!.payload, 0), pattern(30));
    expect(host.sockets[0]!.sent).toEqual([{ bytes: pattern(30), to: { address: "127.0.0.1", port: 999 } }]);
  });

  it("keeps a bounded number of mappings", () => {
    const { guest, host, network } = setUp();
    for (let port = 1; port < 3000; port++) guest.sendUdp(GUEST, port, OUTSIDE, 9, pattern(1));
    expect(network.counters().active).toBeLessThanOrEqual(512);
    expect(host.sockets.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(512);
  });

  it("puts fragments of guests together, and only ones that fit", () => {
    const { guest, host, network } = setUp();
    const datagram = new Uint8Array(2008);
    put16(datagram, 0, 5000);
    put16(datagram, 2, 7);
    put16(datagram, 4, datagram.length);
    datagram.set(pattern(2000), 8);
    const fragment = (id: number, from: number, to: number) => {
      guest.sendPacket(Protocol.Udp, GUEST, OUTSIDE, datagram.subarray(from, to));
      return { id, from, to };
    };
    const send = network.receive.bind(network);
    const parts: Uint8Array[] = [];
    network.receive = (frame) => {
      parts.push(frame.bytes.slice());
      return true;
    };
    const pieces = [fragment(1, 0, 1000), fragment(1, 1000, 2008), fragment(2, 0, 1000), fragment(2, 992, 2008)];
    network.receive = send;
    const ready = parts.map((bytes, i) => {
      const { id, from, to } = pieces[i]!;
      put16(bytes, 18, id);
      put16(bytes, 20, (from >> 3) | (to === 2008 ? 0 : 0x2000));
      put16(bytes, 24, 0);
      let total = 0;
      for (let at = 14; at < 34; at += 2) total += get16(bytes, at);
      put16(bytes, 24, ~((total & 0xffff) + (total >> 16)) & 0xffff);
      return bytes;
    });
    network.receive(plainFrame(ready[1]!));
    network.receive(plainFrame(ready[0]!));
    expect(host.sockets[0]!.sent[0]!.bytes).toEqual(pattern(2000));
    network.receive(plainFrame(ready[2]!));
    network.receive(plainFrame(ready[3]!));
    expect(host.sockets[0]!.sent.length).toBe(1);
  });
});

describe("the network's own services", () => {
  it("answer ARP and echo requests for their own addresses only", () => {
    const { guest } = setUp();
    guest.announce();
    expect(guest.frames[0]!.bytes.slice(6, 12)).toEqual(DEFAULT_SUBNET.mac);
    guest.frames.length = 0;
    guest.sendIcmp(GUEST, GATEWAY, Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 2, 9, 9));
    guest.sendIcmp(GUEST6, GATEWAY6, Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 2, 9));
    guest.sendIcmp(GUEST, OUTSIDE, Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 2));
    expect(guest.packets().map(({ payload }) => [payload[0], payload[1]])).toEqual([
      [0, 0],
      [129, 0],
      [3, 13],
    ]);
  });

  it("give addresses by DHCP, the same to the same guest", () => {
    const { guest } = setUp();
    const ask = (kind: number, mac: readonly number[], more: readonly number[] = []) => {
      const message = new Uint8Array(300);
      message.set([1, 1, 6, 0, 1, 2, 3, 4]);
      message.set(mac, 28);
      message.set([0x63, 0x82, 0x53, 0x63, 53, 1, kind, ...more, 255], 236);
      guest.sendUdp(ip("0.0.0.0"), 68, ip("255.255.255.255"), 67, message);
      const packet = guest.packets()[0];
      return packet === undefined ? null : packet.payload.subarray(8);
    };
    const address = (reply: Uint8Array | null) => (reply === null ? null : formatIp(reply.subarray(16, 20)));
    const offer = ask(1, [...GUEST_MAC]);
    expect(address(offer)).toBe("10.0.2.15");
    expect([...offer!.subarray(240, 243)]).toEqual([53, 1, 2]);
    expect(address(ask(3, [...GUEST_MAC], [50, 4, ...GUEST]))).toBe("10.0.2.15");
    expect(address(ask(1, [2, 0, 0, 0, 0, 1]))).toBe("10.0.2.16");
    expect(address(ask(1, [2, 0, 0, 0, 0, 2], [50, 4, 10, 0, 2, 99]))).toBe("10.0.2.99");
    expect(ask(3, [2, 0, 0, 0, 0, 1], [50, 4, 10, 0, 2, 99])![242]).toBe(6);
    for (let i = 0; i < 1000; i++) ask(1, [2, 1, 0, 0, i >> 8, i & 255]);
    expect(address(ask(1, [2, 2, 2, 2, 2, 2]))).toMatch(/^10\.0\.2\.\d+$/);
    ask(7, [...GUEST_MAC]);
  });

  it("announce themselves over IPv6, with a name server", () => {
    const { guest } = setUp();
    const own = ip("fe80::1234");
    guest.sendIcmp(own, ip("ff02::2"), Uint8Array.of(133, 0, 0, 0, 0, 0, 0, 0));
    const [advertisement] = guest.packets();
    expect(advertisement!.payload[0]).toBe(134);
    expect(advertisement!.hopLimit).toBe(255);
    expect(formatIp(advertisement!.payload.subarray(48, 64))).toBe("fd69:736f:6c61::");
    expect(formatIp(advertisement!.payload.subarray(72, 88))).toBe("fd69:736f:6c61::3");
    const solicitation = new Uint8Array(24);
    solicitation[0] = 135;
    solicitation.set(GATEWAY6, 8);
    guest.sendIcmp(own, ip("ff02::1:ff00:2"), solicitation);
    const [answer] = guest.packets();
    expect(answer!.payload[0]).toBe(136);
    expect(answer!.payload.slice(26, 32)).toEqual(DEFAULT_SUBNET.mac);
    guest.sendUdp(own, 546, ip("ff02::1:2"), 547, Uint8Array.of(11, 1, 2, 3, 0, 1, 0, 2, 9, 9));
    const [reply] = guest.packets();
    expect([...reply!.payload.subarray(8, 18)]).toEqual([7, 1, 2, 3, 0, 1, 0, 2, 9, 9]);
  });

  it("resolve names as the host does", async () => {
    const { guest, host } = setUp();
    host.names = { "both.test": ["192.0.2.1", "2001:db8::1", "192.0.2.2"], "four.test": ["192.0.2.1"] };
    const ask = async (name: string, type: number, server = DNS, source = GUEST) => {
      guest.sendUdp(source, 5000, server, 53, query(name, type));
      await soon();
      const [packet] = guest.packets();
      const message = packet!.payload.subarray(8);
      return { code: message[3]! & 15, answers: get16(message, 6), message };
    };
    expect(await ask("both.test", 1)).toMatchObject({ code: 0, answers: 2 });
    const v6 = await ask("BOTH.test", 28, DNS6, GUEST6);
    expect(formatIp(v6.message.subarray(-16))).toBe("2001:db8::1");
    expect(await ask("four.test", 28)).toMatchObject({ code: 0, answers: 0 });
    host.names["many.test"] = Array.from({ length: 99 }, (_, i) => `192.0.2.${i}`);
    const many = await ask("many.test", 1);
    expect([many.answers, many.message.length]).toEqual([30, 507]);
    expect(await ask("none.test", 1)).toMatchObject({ code: 3 });
    expect(await ask("broken.test", 1)).toMatchObject({ code: 2 });
    expect((await ask("1.2.0.192.in-addr.arpa", 12)).answers).toBe(1);
    expect(await ask("9.2.0.192.in-addr.arpa", 12)).toMatchObject({ code: 3 });
  });

  it("pass other questions to the host's name server, and only its answers back", async () => {
    const { guest, host, timers } = setUp();
    guest.sendUdp(GUEST, 5000, DNS, 53, query("mail.test", 15));
    const [socket] = host.sockets;
    expect(socket!.sent[0]!.to).toEqual({ address: "192.0.2.53", port: 53 });
    socket!.events.datagram(query("mail.test", 15), { address: "192.0.2.54", port: 53 });
    socket!.events.datagram(Uint8Array.of(9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), { address: "192.0.2.53", port: 53 });
    expect(guest.packets()).toEqual([]);
    socket!.events.datagram(query("mail.test", 15), { address: "192.0.2.53", port: 53 });
    expect(guest.packets().length).toBe(1);
    guest.sendUdp(GUEST, 5000, DNS, 53, query("mail.test", 15));
    timers.advance(10e9);
    expect(host.sockets[1]!.closed).toBe(true);
  });
});

describe("frames of a hostile guest", () => {
  it("do no harm, whatever they are", () => {
    const { guest, network, host, timers } = setUp({ hostLoopback: true });
    const random = randomNumbers(99);
    const below = (n: number) => Math.floor(random() * n);
    const samples: Uint8Array[] = [];
    const receive = network.receive.bind(network);
    network.receive = (frame) => {
      samples.push(frame.bytes.slice());
      return receive(frame);
    };
    guest.announce();
    guest.connect(GATEWAY, 80);
    guest.connect(OUTSIDE6, 80);
    guest.sendUdp(GUEST, 5000, DNS, 53, query("a.test", 1));
    guest.sendUdp(GUEST, 5000, OUTSIDE, 7, pattern(40));
    guest.sendUdp(ip("0.0.0.0"), 68, ip("255.255.255.255"), 67, pattern(300));
    guest.sendUdp(ip("fe80::9"), 546, ip("ff02::1:2"), 547, Uint8Array.of(11, 1, 2, 3, 0, 1, 0, 2, 9, 9));
    guest.sendIcmp(GUEST, GATEWAY, Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 2));
    guest.sendIcmp(ip("fe80::9"), ip("ff02::2"), Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0, ...GATEWAY6));
    // Every length of every kind, with the checksums left to the network so that they do not stop the rest.
    for (const sample of [...samples])
      for (let length = 0; length <= sample.length; length++) {
        const start = sample[12] === 0x86 ? 54 : 34;
        receive({ bytes: sample.slice(0, length), checksumStart: start, checksumOffset: 6, segmentSize: 0 });
        receive(plainFrame(sample.slice(0, length)));
      }
    for (let i = 0; i < 30_000; i++) {
      const bytes = samples[below(samples.length)]!.slice();
      for (let k = below(6); k >= 0; k--) bytes[12 + below(bytes.length - 12)] = below(256);
      if (random() < 0.1) bytes.set(BROADCAST, Ethernet.Destination);
      // A correct header checksum lets more of it through.
      if (bytes[12] === 8 && bytes[13] === 0) {
        put16(bytes, 24, 0);
        let total = 0;
        for (let at = 14; at < 34; at += 2) total += get16(bytes, at);
        while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
        put16(bytes, 24, ~total & 0xffff);
      }
      const start = random() < 0.8 ? (bytes[12] === 0x86 ? 54 : 34) : below(80) - 1;
      receive({ bytes, checksumStart: start, checksumOffset: below(20), segmentSize: below(3000) });
      if (i % 50 === 0) {
        network.flush();
        timers.advance(below(1e9));
        for (const { events } of host.connections) if (random() < 0.01) events?.connected();
        guest.frames.length = 0;
      }
    }
    const { active } = network.counters();
    expect(active).toBeLessThan(2048 + 512);
    network.close();
    expect(network.counters().active).toBe(0);
  });
});
