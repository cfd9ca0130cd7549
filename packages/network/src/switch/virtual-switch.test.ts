// SPDX-License-Identifier: Apache-2.0
import type { NetFrame, NetOffload, NetPort } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { get16, get32 } from "../frame/bytes.js";
import { plainFrame } from "../frame/plain-frame.js";
import { adapted } from "../frame/offload.js";
import { checksum, fold, pseudoHeaderSum, sum } from "../frame/checksum.js";
import { ip } from "../ip/address.js";
import { writeIpHeaders } from "../ip/ip-writer.js";
import { writeTcpHeader } from "../tcp/segment.js";
import { pattern, randomNumbers } from "../tcp/pair.fixture.js";
import { EgressPolicy } from "../user/egress-policy.js";
import { packetOf, TestGuest, TestTimers } from "../user/guest.fixture.js";
import { FakeHost } from "../user/host.fixture.js";
import { UserNetwork } from "../user/user-network.js";
import type { PortVlans } from "./vlan.js";
import { VirtualSwitch } from "./virtual-switch.js";

class Station implements NetPort {
  offload: NetOffload = { checksum: false, tcp4: false, tcp6: false };
  got: Uint8Array[] = [];
  flushes = 0;
  room = Infinity;
  receive({ bytes }: NetFrame): boolean {
    if (this.room-- <= 0) return false;
    this.got.push(bytes.slice());
    return true;
  }
  flush(): void {
    this.flushes++;
  }
  ready(): void {}
  take(): number[] {
    return this.got.splice(0).map((bytes) => bytes.length);
  }
}

function setUp(...vlans: (PortVlans | undefined)[]) {
  const clock = { now: 0 };
  const bridge = new VirtualSwitch(() => clock.now);
  const ports = vlans.map((vlan) => bridge.addPort(vlan));
  const stations = ports.map((port) => {
    const station = new Station();
    port.connect(station);
    return station;
  });
  const send = (from: number, to: number | "all", length = 60, tag?: number) => {
    const bytes = new Uint8Array(length);
    bytes.set(to === "all" ? [255, 255, 255, 255, 255, 255] : [2, 0, 0, 0, 0, to]);
    bytes.set([2, 0, 0, 0, 0, from], 6);
    if (tag !== undefined) bytes.set([0x81, 0, tag >> 8, tag & 255], 12);
    ports[from]!.receive(plainFrame(bytes));
    ports[from]!.flush();
  };
  return { bridge, clock, ports, stations, send };
}

const heard = (stations: readonly Station[]) => stations.map((station) => station.take().length);

describe("virtual switch", () => {
  it("floods what it does not know and learns", () => {
    const { send, stations, clock } = setUp(undefined, undefined, undefined);
    send(0, 1);
    expect(heard(stations)).toEqual([0, 1, 1]);
    send(1, 0);
    expect(heard(stations)).toEqual([1, 0, 0]);
    send(0, 1);
    expect(heard(stations)).toEqual([0, 1, 0]);
    send(2, "all");
    expect(heard(stations)).toEqual([1, 1, 0]);
    clock.now += 400e9;
    send(0, 1);
    expect(heard(stations)).toEqual([0, 1, 1]);
    expect(stations[1]!.flushes).toBeGreaterThan(0);
  });

  it("keeps networks apart and tags on trunks", () => {
    const access = (vlan: number): PortVlans => ({ kind: "access", vlan });
    const trunk: PortVlans = { kind: "trunk", vlans: new Set([10, 20]), native: 30 };
    const { send, stations } = setUp(access(10), access(20), trunk, access(10), access(30), access(40));
    send(0, "all");
    expect(stations[2]!.got[0]!.subarray(12, 16)).toEqual(Uint8Array.of(0x81, 0, 0, 10));
    expect(stations.map((station) => station.take())).toEqual([[], [], [64], [60], [], []]);
    send(2, "all", 64, 20);
    expect(stations.map((station) => station.take())).toEqual([[], [60], [], [], [], []]);
    send(2, "all");
    expect(stations.map((station) => station.take())).toEqual([[], [], [], [], [60], []]);
    send(2, "all", 64, 40);
    send(0, "all", 64, 20);
    send(5, "all", 60);
    expect(heard(stations)).toEqual([0, 0, 0, 0, 0, 0]);
    // A priority tag without a network.
    send(0, "all", 64, 0);
    expect(stations.map((station) => station.take())).toEqual([[], [], [64], [60], [], []]);
  });

  it("forgets only the addresses of who invents them", () => {
    const { send, stations, ports } = setUp(undefined, undefined, undefined);
    send(1, 0);
    heard(stations);
    for (let i = 0; i < 5000; i++)
      ports[2]!.receive(
        plainFrame(Uint8Array.from({ length: 60 }, (_, at) => (at === 6 ? 2 : at === 10 ? i >> 8 : i))),
      );
    heard(stations);
    send(0, 1);
    expect(heard(stations)).toEqual([0, 1, 0]);
    expect(ports[2]!.addresses.size).toBeLessThanOrEqual(128);
  });

  it("holds frames for a slow station, up to a limit, and others go on", () => {
    const { send, stations, ports } = setUp(undefined, undefined, undefined);
    stations[1]!.room = 0;
    for (let i = 0; i < 10_000; i++) send(0, "all", 1500);
    expect(stations[2]!.take().length).toBe(10_000);
    expect(ports[1]!.dropped).toBeGreaterThan(7000);
    stations[1]!.room = Infinity;
    ports[1]!.ready();
    expect(stations[1]!.take().length).toBe(10_000 - ports[1]!.dropped);
  });

  it("survives frames of every length and kind", () => {
    const { ports } = setUp(undefined, { kind: "trunk", vlans: "all", native: null }, undefined);
    const random = randomNumbers(5);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() * 90) }, () => Math.floor(random() * 256));
      if (random() < 0.5 && bytes.length > 20) bytes.set([0x81, 0, 0, 1, 8, 0, 0x45].slice(random() < 0.5 ? 4 : 0), 12);
      const checksumStart = Math.floor(random() * 100) - 1;
      const segmentSize = random() < 0.5 ? 0 : 1 + Math.floor(random() * 50);
      ports[i % 3]!.receive({ bytes, checksumStart, checksumOffset: Math.floor(random() * 20), segmentSize });
    }
  });

  it("joins guests with a user network", () => {
    const timers = new TestTimers();
    const host = new FakeHost();
    const policy = new EgressPolicy([], true, () => timers.now());
    const network = new UserNetwork({
      host,
      timers,
      policy,
      hostLoopback: false,
      soon: () => {},
      entropy: { fill: () => {} },
    });
    const bridge = new VirtualSwitch(() => timers.now());
    const uplink = bridge.addPort();
    uplink.connect(network);
    network.connect(uplink);
    const guest = new TestGuest(bridge.addPort(), timers);
    guest.announce();
    const connection = guest.connect(ip("192.0.2.1"), 80);
    host.connections[0]!.events!.connected();
    for (let i = 0; i < 5; i++) guest.work();
    host.connections[0]!.events!.data(pattern(50_000));
    for (let i = 0; i < 50; i++) guest.work();
    expect(connection.bytes).toEqual(pattern(50_000));
  });
});

describe("work left to others", () => {
  const large = (source: Uint8Array, destination: Uint8Array, length: number): NetFrame => {
    const bytes = new Uint8Array(14 + 40 + 20 + length);
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const fields = { destinationMac: mac, sourceMac: mac, source, destination, protocol: 6, length: 20 + length };
    const at = writeIpHeaders(bytes, fields);
    const tcp = { sourcePort: 1, destinationPort: 2, seq: 0xffff_ff00, ack: 5, flags: 0x19, window: 9 };
    writeTcpHeader(bytes, at, { ...tcp, maxSegment: 0, windowScale: -1 });
    bytes.set(pattern(length), at + 20);
    const pseudo = fold(pseudoHeaderSum(source, destination, 6, 20 + length));
    bytes.set([pseudo >> 8, pseudo & 255], at + 16);
    const whole = bytes.subarray(0, at + 20 + length);
    return { bytes: whole, checksumStart: at, checksumOffset: 16, segmentSize: 1000 };
  };

  it.each([
    ["10.0.0.1", "10.0.0.2"],
    ["fd00::1", "fd00::2"],
  ])("is done for TCP from %s", (from, to) => {
    const frame = large(ip(from), ip(to), 2500);
    const accepts = { checksum: true, tcp4: true, tcp6: true };
    expect(adapted(frame, accepts)).toEqual([frame]);
    const cut = adapted(frame, { ...accepts, tcp4: false, tcp6: false });
    const packets = cut.map((one) => packetOf(one)!);
    expect(packets.map(({ payload }) => payload.length)).toEqual([1020, 1020, 520]);
    expect(packets.map(({ payload }) => get32(payload, 4))).toEqual([0xffff_ff00, 744, 1744]);
    expect(packets.map(({ payload }) => payload[13])).toEqual([0x10, 0x10, 0x19]);
    expect(Uint8Array.from(packets.flatMap(({ payload }) => [...payload.subarray(20)]))).toEqual(pattern(2500));
    const single = { ...large(ip(from), ip(to), 100), segmentSize: 0 };
    const [whole] = adapted(single, { checksum: false, tcp4: false, tcp6: false });
    expect(packetOf(whole!)!.payload.length).toBe(120);
    expect(get16(whole!.bytes, single.checksumStart + 16)).toBe(
      checksum(sum(single.bytes, single.checksumStart, single.bytes.length)),
    );
  });
});
