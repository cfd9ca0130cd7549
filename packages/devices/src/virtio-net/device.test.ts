// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { RecordingLink } from "../conformance/recording-link.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { Region } from "../virtio/registers.js";
import { VirtioNet } from "./device.js";
import { FEATURES, Header, MAX_FRAME, NetFeature, Queue } from "./registers.js";

const MAC = [0x52, 0x54, 0, 1, 2, 3];
const OTHER = [0x52, 0x54, 0, 9, 9, 9];

function frameTo(mac: readonly number[], length = 60, type = 0x0800): Uint8Array {
  const bytes = Uint8Array.from({ length: Math.max(14, length) }, (_, i) => i & 0xff);
  bytes.set(mac);
  bytes.set([type >> 8, type & 0xff], 12);
  return bytes.subarray(0, length);
}

const plain = (bytes: Uint8Array) => ({ bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 });

deviceConformance("virtio-net", () => {
  const link = new RecordingLink();
  const fn = new VirtioNet({ link, mac: MAC });
  const bench = new VirtioBench(fn);
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [
      () => bench.start(FEATURES),
      (random) => fn.receive(plain(frameTo(MAC, random() % 2000))),
      () => fn.ready(),
      () => fn.flush(),
    ],
  };
});

function makeCard(features: readonly number[] = []) {
  const link = new RecordingLink();
  const fn = new VirtioNet({ link, mac: MAC });
  const bench = new VirtioBench(fn).start(features);
  const send = (bytes: Uint8Array, header = new Uint8Array(Header.Size)) => {
    bench.add(Queue.Transmit, [{ data: header }, { data: bytes }]);
    bench.kick(Queue.Transmit);
  };
  const command = (...bytes: number[]) => {
    const [, ack] = bench.add(Queue.Control, [{ data: Uint8Array.from(bytes) }, { room: 1 }]);
    bench.kick(Queue.Control);
    return bench.bytes(ack!, 1)[0];
  };
  return { link, fn, bench, send, command };
}

describe("virtio-net", () => {
  it("shows its address and that the cable is plugged in", () => {
    const { bench } = makeCard();
    const config = Array.from({ length: 8 }, (_, i) => bench.mmio.read(BAR4_BASE + Region.Device + i, 1));
    expect(config).toEqual([...MAC, 1, 0]);
  });

  it("sends frames, whole ones and those with work left", () => {
    const { send, link, bench } = makeCard(FEATURES);
    send(frameTo(OTHER));
    expect(link.frames[0]).toEqual(plain(frameTo(OTHER)));
    const header = Uint8Array.of(1, 1, 54, 0, 0xb4, 5, 34, 0, 16, 0, 0, 0);
    send(frameTo(OTHER, 9000), header);
    expect(link.frames[1]).toMatchObject({ checksumStart: 34, checksumOffset: 16, segmentSize: 1460 });
    expect(bench.takeUsed(Queue.Transmit)).toEqual([
      [0, 0],
      [2, 0],
    ]);
    expect(link.flushes).toBe(2);
  });

  it("drops frames that make no sense and goes on", () => {
    const { send, link, fn } = makeCard(FEATURES);
    send(frameTo(OTHER, 13));
    send(frameTo(OTHER, MAX_FRAME + 1));
    // A checksum outside of the frame, segments without a checksum, segments of no size, an unknown kind of segments.
    send(frameTo(OTHER), Uint8Array.of(1, 0, 0, 0, 0, 0, 50, 0, 16, 0, 0, 0));
    send(frameTo(OTHER), Uint8Array.of(0, 1, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0));
    send(frameTo(OTHER), Uint8Array.of(1, 1, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0));
    send(frameTo(OTHER), Uint8Array.of(1, 3, 0, 0, 9, 0, 34, 0, 16, 0, 0, 0));
    expect(fn.counts.dropped).toBe(6);
    send(frameTo(OTHER));
    expect(link.frames.length).toBe(1);
  });

  it("keeps a frame for which the network has no room, in order", () => {
    const { send, link, fn, bench } = makeCard();
    link.room = 1;
    for (const length of [60, 61, 62]) send(frameTo(OTHER, length));
    expect(link.frames.map(({ bytes }) => bytes.length)).toEqual([60]);
    expect(bench.takeUsed(Queue.Transmit).length).toBe(1);
    link.room = 9;
    fn.ready();
    expect(link.frames.map(({ bytes }) => bytes.length)).toEqual([60, 61, 62]);
    expect(bench.takeUsed(Queue.Transmit).length).toBe(2);
  });

  it("receives into one buffer, and interrupts on flush", () => {
    const { fn, bench } = makeCard();
    const [buffer] = bench.add(Queue.Receive, [{ room: 100 }]);
    expect(fn.receive(plain(frameTo(MAC)))).toBe(true);
    expect(bench.intx.level).toBe(false);
    fn.flush();
    expect(bench.intx.level).toBe(true);
    expect(bench.takeUsed(Queue.Receive)).toEqual([[0, 72]]);
    expect(bench.bytes(buffer!, 72)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, ...frameTo(MAC)]);
  });

  it("spreads a large frame over several buffers", () => {
    const { fn, bench } = makeCard(FEATURES);
    const buffers = [1, 2, 3].flatMap(() => bench.add(Queue.Receive, [{ room: 40 }, { room: 24 }]));
    const bytes = frameTo(MAC, 150);
    bytes[34 + 12] = 0x50;
    expect(fn.receive({ bytes, checksumStart: 34, checksumOffset: 16, segmentSize: 100 })).toBe(true);
    expect(bench.takeUsed(Queue.Receive)).toEqual([
      [0, 64],
      [2, 64],
      [4, 34],
    ]);
    expect(bench.bytes(buffers[0]!, 12)).toEqual([1, 1, 54, 0, 100, 0, 34, 0, 16, 0, 3, 0]);
    const got = [0, 1, 2, 3, 4, 5].flatMap((i) => bench.bytes(buffers[i]!, i % 2 === 0 ? 40 : 24));
    expect(got.slice(12, 162)).toEqual([...bytes]);
  });

  it("waits for buffers without losing anything", () => {
    const { fn, bench, link } = makeCard(FEATURES);
    bench.add(Queue.Receive, [{ room: 40 }]);
    expect(fn.receive(plain(frameTo(MAC)))).toBe(false);
    expect(bench.takeUsed(Queue.Receive)).toEqual([]);
    bench.add(Queue.Receive, [{ room: 40 }]);
    bench.kick(Queue.Receive);
    expect(link.readies).toBe(1);
    expect(fn.receive(plain(frameTo(MAC)))).toBe(true);
    expect(bench.takeUsed(Queue.Receive).length).toBe(2);
    expect(fn.counts.starved).toBe(1);
  });

  it("touches nothing of a driver that went away, and goes on with the next one", () => {
    const { fn, bench, link } = makeCard();
    expect(fn.receive(plain(frameTo(MAC)))).toBe(false);
    bench.add(Queue.Receive, [{ room: 100 }]);
    bench.device.reset();
    expect(fn.receive(plain(frameTo(MAC)))).toBe(true);
    expect([link.readies, bench.takeUsed(Queue.Receive)]).toEqual([0, []]);
    bench.start();
    expect(link.readies).toBe(1);
  });

  it("drops what one buffer cannot hold when buffers are not merged", () => {
    const { fn, bench } = makeCard();
    bench.add(Queue.Receive, [{ room: 40 }]);
    expect(fn.receive(plain(frameTo(MAC)))).toBe(true);
    expect(fn.counts.dropped).toBe(1);
    expect(bench.takeUsed(Queue.Receive)).toEqual([[0, 0]]);
  });

  it("accepts from the network what the driver negotiated", () => {
    const link = new RecordingLink();
    const fn = new VirtioNet({ link, mac: MAC });
    expect(fn.offload).toEqual({ checksum: false, tcp4: false, tcp6: false });
    new VirtioBench(fn).start([NetFeature.GuestChecksum, NetFeature.GuestTso4]);
    expect(fn.offload).toEqual({ checksum: true, tcp4: true, tcp6: false });
  });

  it("filters by destination as the control queue says", () => {
    const { fn, bench, command } = makeCard(FEATURES);
    const passes = (mac: readonly number[]) => {
      bench.add(Queue.Receive, [{ room: 200 }]);
      fn.receive(plain(frameTo(mac)));
      return bench.takeUsed(Queue.Receive).length === 1;
    };
    const group = [0x33, 0x33, 0, 0, 0, 1];
    const everybody = [255, 255, 255, 255, 255, 255];
    expect(passes(OTHER)).toBe(true);
    expect(command(0, 0, 0)).toBe(0);
    expect([MAC, OTHER, group, everybody].map(passes)).toEqual([true, false, false, true]);
    expect(command(1, 0, 1, 0, 0, 0, ...OTHER, 1, 0, 0, 0, ...group)).toBe(0);
    expect([MAC, OTHER, group, everybody].map(passes)).toEqual([true, true, true, true]);
    expect(command(0, 5, 1)).toBe(0);
    expect(passes(everybody)).toBe(false);
    expect(command(1, 1, ...OTHER)).toBe(0);
    expect(passes(MAC)).toBe(false);
  });

  it("refuses commands that are unknown or cut short", () => {
    const { command } = makeCard(FEATURES);
    for (const bytes of [
      [0],
      [0, 0],
      [0, 9, 1],
      [7, 0, 0],
      [1, 1, 1, 2],
      [1, 0, 1, 0, 0, 0],
      [1, 0, 255, 255, 255, 255],
    ])
      expect(command(...bytes)).toBe(1);
  });

  it("survives rings and headers of random content", () => {
    const random = randomSource(4711);
    for (let round = 0; round < 60; round++) {
      const { fn, bench, link } = makeCard(round % 2 === 0 ? FEATURES : []);
      for (let i = 0; i < 40; i++) {
        const queue = random() % 3;
        for (let k = 0; k < 4; k++)
          bench.writeDesc(queue, random() % 16, random() % (5 << 20), random() % 3000, random() % 8, random() % 20);
        bench.offer(queue, random() % 17);
        bench.ram.write(
          random() % 0x10_0000,
          Uint8Array.from({ length: 16 }, () => random()),
        );
        bench.kick(queue);
        link.room = random() % 3;
        fn.receive(plain(frameTo(MAC, 14 + (random() % 3000))));
        fn.flush();
        fn.ready();
      }
    }
  });
});
