// SPDX-License-Identifier: Apache-2.0
import type { VsockEvents, VsockFailure, VsockStream } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { Region } from "../virtio/registers.js";
import { VirtioVsock } from "./device.js";
import { type Packet, readPacket, writePacket } from "./packet.js";
import {
  CREDIT_STEP,
  Header,
  HOST_CID,
  MAX_RESETS,
  MAX_STREAMS,
  Op,
  Queue,
  RECEIVE_BUFFER,
  SEND_BUFFER,
} from "./registers.js";
import type { VirtioVsockState } from "./state.js";

const CID = 7;
const BIG = 1 << 16;

deviceConformance("virtio-vsock", () => {
  const bench = new VirtioBench(new VirtioVsock({ cid: CID, listener: { accept: () => null } }));
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => bench.start(), () => bench.kick(Queue.Transmit), () => bench.kick(Queue.Event)],
  };
});

/** The host's end of a stream, which writes down what happens. */
class Recorder implements VsockEvents {
  readonly log: string[] = [];
  readonly bytes: number[] = [];
  stream: VsockStream | null = null;
  /** Whether bytes are dealt with as soon as they come. */
  eager = true;

  connected(): void {
    this.log.push("connected");
  }
  data(bytes: Uint8Array): void {
    this.bytes.push(...bytes);
    if (this.eager) this.stream?.taken(bytes.length);
  }
  ended(): void {
    this.log.push("ended");
  }
  writable(): void {
    this.log.push("writable");
  }
  closed(failure: VsockFailure | null): void {
    this.log.push(`closed ${failure}`);
  }
}

type Seen = Packet & { readonly payload: number[] };

/** A guest's driver and programs, by hand. */
class Guest {
  readonly accepted: Recorder[] = [];
  readonly fn: VirtioVsock;
  readonly bench: VirtioBench<VirtioVsockState>;
  private buffers: number[] = [];

  constructor(accepts: (port: number) => boolean = () => true) {
    this.fn = new VirtioVsock({
      cid: CID,
      listener: {
        accept: (port, stream) => {
          if (!accepts(port)) return null;
          const recorder = new Recorder();
          recorder.stream = stream;
          this.accepted.push(recorder);
          return recorder;
        },
      },
    });
    this.bench = new VirtioBench(this.fn).start();
  }

  /** Gives the device buffers of 4 KiB and a header. */
  give(count: number, room = 4096 + Header.Size): this {
    for (let i = 0; i < count; i++) this.buffers.push(...this.bench.add(Queue.Receive, [{ room }]));
    this.bench.kick(Queue.Receive);
    return this;
  }

  send(fields: Partial<Packet>, payload = new Uint8Array()): this {
    const bytes = new Uint8Array(Header.Size);
    const packet = { sourcePort: 1000, destinationPort: 5, type: 1, op: 0, flags: 0, bufAlloc: BIG, fwdCnt: 0 };
    // Written as the host would, with the two addresses the other way round.
    writePacket(new DataView(bytes.buffer), { ...packet, length: payload.length, ...fields }, CID, HOST_CID);
    const parts = payload.length === 0 ? [{ data: bytes }] : [{ data: bytes }, { data: payload }];
    this.bench.add(Queue.Transmit, parts);
    this.bench.kick(Queue.Transmit);
    return this;
  }

  /** Packets that have come since the last call. */
  received(): Seen[] {
    return this.bench.takeUsed(Queue.Receive).map(([, length]) => {
      const address = this.buffers.shift()!;
      const bytes = Uint8Array.from(this.bench.bytes(address, length));
      const packet = readPacket(new DataView(bytes.buffer), HOST_CID, CID);
      expect(packet.addressed).toBe(true);
      expect(length).toBe(Header.Size + packet.length);
      return { ...packet, payload: [...bytes.subarray(Header.Size)] };
    });
  }

  ops(): string {
    return this.received()
      .map(({ op, flags, length }) => `${op}${flags ? `/${flags}` : ""}${length ? `:${length}` : ""}`)
      .join(" ");
  }

  dial(port = 1000): Recorder {
    const recorder = new Recorder();
    recorder.stream = this.fn.dial(port, recorder);
    return recorder;
  }

  /** Dials and accepts; returns the host's end and the port that the host uses. */
  connect(): { recorder: Recorder; port: number } {
    const recorder = this.dial();
    this.give(8);
    const port = this.received()[0]!.sourcePort;
    this.send({ op: Op.Response, destinationPort: port });
    return { recorder, port };
  }
}

const text = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

describe("virtio-vsock", () => {
  it("tells the guest its address", () => {
    const { bench } = new Guest();
    expect(bench.configRead(0, 4)).toBe(0x1053_1af4);
    expect(bench.mmio.read(BAR4_BASE + Region.Device, 4)).toBe(CID);
    expect(bench.mmio.read(BAR4_BASE + Region.Device + 4, 4)).toBe(0);
  });

  it("opens streams of the host, and carries bytes both ways", () => {
    const guest = new Guest();
    const { recorder, port } = guest.connect();
    expect(recorder.log).toEqual(["connected"]);
    expect(recorder.stream!.write(text("hello"))).toBe(5);
    expect(guest.received()).toMatchObject([
      { op: Op.Data, sourcePort: port, destinationPort: 1000, bufAlloc: RECEIVE_BUFFER, payload: [...text("hello")] },
    ]);
    guest.send({ op: Op.Data, destinationPort: port }, text("world"));
    expect(recorder.bytes).toEqual([...text("world")]);
  });

  it("ends the two directions one by one", () => {
    const guest = new Guest();
    const { recorder, port } = guest.connect();
    recorder.stream!.write(text("last"));
    recorder.stream!.end();
    expect(recorder.stream!.write(text("more"))).toBe(4);
    expect(guest.ops()).toBe("5:4 4/2");
    guest.send({ op: Op.Data, destinationPort: port }, text("answer"));
    guest.send({ op: Op.Shutdown, flags: 2, destinationPort: port });
    expect(guest.ops()).toBe("4/3");
    expect(recorder.log).toEqual(["connected", "ended", "closed null"]);
    guest.send({ op: Op.Reset, destinationPort: port });
    guest.send({ op: Op.Data, destinationPort: port }, text("late"));
    expect(guest.ops()).toBe("3");
    expect(recorder.bytes).toEqual([...text("answer")]);
  });

  it("hears from a guest that closes, and lets it forget the stream", () => {
    const guest = new Guest();
    const { recorder, port } = guest.connect();
    guest.send({ op: Op.Shutdown, flags: 3, destinationPort: port });
    expect(recorder.log).toEqual(["connected", "ended", "closed null"]);
    expect(guest.ops()).toBe("3");
  });

  it("accepts streams of the guest, or refuses them", () => {
    const guest = new Guest((port) => port === 5).give(8);
    guest.send({ op: Op.Request });
    guest.send({ op: Op.Request, destinationPort: 6 });
    guest.send({ op: Op.Data }, text("abc"));
    expect(guest.ops()).toBe("2 3");
    expect(guest.accepted.map(({ bytes }) => bytes)).toEqual([[...text("abc")]]);
    guest.accepted[0]!.stream!.abort();
    expect(guest.ops()).toBe("3");
    guest.send({ op: Op.Data }, text("abc"));
    expect(guest.ops()).toBe("3");
    expect(guest.accepted[0]!.log).toEqual([]);
  });

  it("is refused where nobody listens, and does not dial without a driver", () => {
    const guest = new Guest().give(4);
    const recorder = guest.dial();
    const port = guest.received()[0]!.sourcePort;
    guest.send({ op: Op.Reset, destinationPort: port });
    expect(recorder.log).toEqual(["closed refused"]);
    guest.send({ op: Op.Reset, destinationPort: port });
    expect(guest.ops()).toBe("");
    expect(new VirtioVsock({ cid: CID, listener: { accept: () => null } }).dial(1, recorder)).toBeNull();
  });

  it("sends no more than the guest has credit and buffers for", () => {
    const guest = new Guest();
    const recorder = guest.dial();
    guest.give(4);
    const port = guest.received()[0]!.sourcePort;
    guest.send({ op: Op.Response, destinationPort: port, bufAlloc: 6000 });
    expect(recorder.stream!.write(new Uint8Array(10_000))).toBe(10_000);
    expect(guest.ops()).toBe("5:4096 5:1904");
    guest.send({ op: Op.CreditUpdate, destinationPort: port, bufAlloc: 6000, fwdCnt: 6000 });
    expect(guest.ops()).toBe("5:4000");
    recorder.stream!.write(new Uint8Array(10));
    expect(guest.ops()).toBe("");
    guest.give(1);
    expect(guest.ops()).toBe("5:10");
    expect(recorder.stream!.write(new Uint8Array(SEND_BUFFER + 1))).toBe(SEND_BUFFER);
    expect(recorder.log).toEqual(["connected"]);
    for (let round = 0, taken = 10_010; round < 60; round++) {
      guest.send({ op: Op.CreditUpdate, destinationPort: port, bufAlloc: BIG, fwdCnt: taken });
      for (const { length } of guest.give(1).received()) taken += length;
    }
    expect(recorder.log).toEqual(["connected", "writable"]);
  });

  it("grants credit as the host takes bytes, and cuts off a guest that exceeds it", () => {
    const guest = new Guest().give(16);
    guest.send({ op: Op.Request });
    const [recorder] = guest.accepted;
    recorder!.eager = false;
    const piece = new Uint8Array(CREDIT_STEP / 4);
    for (let i = 0; i < 16; i++) guest.send({ op: Op.Data }, piece);
    expect(guest.ops()).toBe("2");
    recorder!.stream!.taken(CREDIT_STEP - 1);
    expect(guest.ops()).toBe("");
    recorder!.stream!.taken(1);
    expect(guest.received()).toMatchObject([{ op: Op.CreditUpdate, fwdCnt: CREDIT_STEP }]);
    guest.send({ op: Op.CreditRequest });
    expect(guest.ops()).toBe("6");
    for (let i = 0; i < 5; i++) guest.send({ op: Op.Data }, piece);
    expect(recorder!.log).toEqual(["closed reset"]);
    expect(guest.ops()).toBe("3");
  });

  it.each<[string, Partial<Packet>, string]>([
    ["an unknown stream", { op: Op.Data }, "3"],
    ["an unknown type", { op: Op.Request, type: 2 }, "3"],
    ["a length beyond the packet", { op: Op.Request, length: 10 }, "3"],
    ["a reset", { op: Op.Reset }, ""],
  ])("answers %s by a reset, but for resets", (_, fields, answer) => {
    const guest = new Guest().give(4);
    guest.send(fields);
    expect(guest.ops()).toBe(answer);
    expect(guest.bench.failures).toEqual([]);
  });

  it("drops packets from and to other addresses", () => {
    const guest = new Guest().give(4);
    const bytes = new Uint8Array(Header.Size);
    const packet = { sourcePort: 1, destinationPort: 2, length: 0, type: 1, op: Op.Request, flags: 0 };
    writePacket(new DataView(bytes.buffer), { ...packet, bufAlloc: 0, fwdCnt: 0 }, CID + 1, HOST_CID);
    guest.bench.add(Queue.Transmit, [{ data: bytes }]);
    guest.bench.add(Queue.Transmit, [{ data: bytes.subarray(0, 20) }]);
    guest.bench.kick(Queue.Transmit);
    expect(guest.ops()).toBe("");
    expect(guest.bench.takeUsed(Queue.Transmit)).toHaveLength(2);
  });

  it("makes the driver wait while resets find no buffers", () => {
    const guest = new Guest();
    for (let i = 0; i < MAX_RESETS + 10; i++) guest.send({ op: Op.Data, sourcePort: i });
    guest.give(8);
    let answers = guest.received().length;
    for (let i = 0; i < 20; i++) answers += guest.give(8).received().length;
    expect(answers).toBe(MAX_RESETS + 10);
  });

  it("bounds the number of streams", () => {
    const guest = new Guest();
    let refused = 0;
    for (let i = 0; i < MAX_STREAMS + 5; i++) {
      guest.give(1, Header.Size).send({ op: Op.Request, sourcePort: i });
      refused += guest.received().filter(({ op }) => op === Op.Reset).length;
    }
    expect(guest.accepted).toHaveLength(MAX_STREAMS);
    expect(refused).toBe(5);
    expect(guest.dial().stream).toBeNull();
  });

  it("loses its streams by a reset or a restore, and tells a restored guest", () => {
    const guest = new Guest();
    const { recorder } = guest.connect();
    const saved = guest.bench.device.save();
    expect(saved.function.lost).toBe(true);
    guest.bench.device.restore(saved);
    expect(recorder.log).toEqual(["connected", "closed reset"]);
    const [event] = guest.bench.add(Queue.Event, [{ room: 4 }]);
    guest.fn.resume();
    expect(guest.bench.takeUsed(Queue.Event)).toEqual([[0, 4]]);
    expect(guest.bench.bytes(event!, 4)).toEqual([0, 0, 0, 0]);
    guest.fn.resume();
    expect(guest.bench.device.save().function.lost).toBe(false);
  });

  it("moves nothing while it is paused", async () => {
    const guest = new Guest();
    const { recorder, port } = guest.connect();
    await guest.fn.pause();
    recorder.stream!.write(text("x"));
    guest.send({ op: Op.Data, destinationPort: port }, text("y"));
    expect(guest.ops()).toBe("");
    expect(recorder.bytes).toEqual([]);
    guest.fn.resume();
    expect(guest.ops()).toBe("5:1");
    expect(recorder.bytes).toEqual([...text("y")]);
  });

  it.each([1, 2, 3])("survives any packets (seed %i)", (seed) => {
    const random = randomSource(seed * 7919);
    const guest = new Guest((port) => port % 3 !== 0);
    const ends: Recorder[] = [];
    // What the driver has given and not got back, so that its rings never overflow.
    const given = [0, 0];
    const settle = () => [0, 1].forEach((queue) => (given[queue]! -= guest.bench.takeUsed(queue).length));
    for (let i = 0; i < 3000; i++) {
      const choice = random() % 8;
      if (choice === 0) ends.push(guest.dial(random() % 4));
      const end = [...ends, ...guest.accepted][random() % (ends.length + guest.accepted.length + 1)];
      if (choice === 1) end?.stream?.write(new Uint8Array(random() % 9000));
      if (choice === 2) end?.stream?.end();
      if (choice === 3 && random() % 4 === 0) end?.stream?.abort();
      if (i % 500 === 499) {
        // The bench's memory for buffers is used up.
        guest.bench.device.reset();
        (guest.bench as unknown as { nextBuffer: number }).nextBuffer = 0x10_0000;
        guest.bench.start();
        given.fill(0);
      }
      settle();
      if (given[0]! < 12 && random() % 3 > 0) {
        given[0]!++;
        guest.give(1, random() % 5 === 0 ? random() % 100 : 2000);
        settle();
      }
      if (given[1]! > 6) continue;
      given[1]!++;
      const wild = random() % 6 === 0;
      guest.send(
        {
          sourcePort: random() % 4,
          destinationPort: random() % 2 === 0 ? random() % 6 : 0x4000_0000 + (random() % 40),
          op: wild ? random() & 0xffff : random() % 8,
          type: wild ? random() & 0xffff : 1,
          flags: random() % 4,
          bufAlloc: wild ? random() : 4000,
          fwdCnt: wild ? random() : 0,
          ...(random() % 10 === 0 ? { length: random() } : {}),
        },
        new Uint8Array(random() % 3 === 0 ? random() % 500 : 0),
      );
    }
    for (const { log } of [...ends, ...guest.accepted]) {
      const over = log.findIndex((line) => line.startsWith("closed"));
      expect(over === -1 || over === log.length - 1).toBe(true);
    }
    expect(guest.bench.failures).toEqual([]);
  });
});
