// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { RecordingLink } from "../conformance/recording-link.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { Rtl8139 } from "./device.js";
import { multicastBit } from "./filter.js";
import { Cause, Descriptor, Reg, TransmitStatus } from "./registers.js";

const MAC = [0x52, 0x54, 0, 1, 2, 3];
const RAM_SIZE = 1 << 20;
const [TX_RING, RX_RING, BUFFERS, RING] = [0x1000, 0x2000, 0x1_0000, 0x4_0000];
const OWN_AND_BROADCAST = 0x0a;
const [RECEIVE, TRANSMIT] = [8, 4];

function makeCard(clock = new FakeClock()) {
  const [ports, mmio] = [new Bus("ports"), new Bus("mmio")];
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const link = new RecordingLink();
  const intx = new RecordingLine();
  const card = new Rtl8139({ spaces: { ports, mmio }, ram, intx, link, mac: MAC, timers: clock });
  card.reset();
  card.pci.config.write(4, 2, 7);
  const read = (reg: number, size: 1 | 2 | 4) => card.handler.read(reg, size);
  const write = (reg: number, size: 1 | 2 | 4, value: number) => card.handler.write(reg, size, value);
  return { card, ram, link, intx, read, write, clock };
}

/** C mode. */
function start(config = OWN_AND_BROADCAST) {
  const bench = makeCard();
  const { write } = bench;
  write(Reg.ReceiveBuffer, 4, RING);
  write(Reg.Command, 1, RECEIVE | TRANSMIT);
  write(Reg.ReceiveConfig, 4, config);
  write(Reg.InterruptMask, 2, 0xffff);
  return bench;
}

/** C+ mode with four receive descriptors of 2 KiB. */
function startPlus(command = 3) {
  const bench = makeCard();
  const { write, ram } = bench;
  write(Reg.PlusCommand, 2, command);
  write(Reg.NormalRing, 4, TX_RING);
  write(Reg.NormalRing + 4, 4, 0);
  write(Reg.ReceiveRing, 4, RX_RING);
  for (let i = 0; i < 4; i++) {
    ram.setU32(RX_RING + 16 * i, (Descriptor.Own | (i === 3 ? Descriptor.EndOfRing : 0) | 2048) >>> 0);
    ram.setU32(RX_RING + 16 * i + 8, BUFFERS + 2048 * i);
  }
  write(Reg.Command, 1, RECEIVE | TRANSMIT);
  write(Reg.ReceiveConfig, 4, OWN_AND_BROADCAST);
  write(Reg.InterruptMask, 2, 0xffff);
  let index = 0;
  let memory = 0x8_0000;
  const descriptor = (bytes: Uint8Array, flags: number, tag = 0) => {
    ram.write(memory, bytes);
    const at = TX_RING + 16 * index++;
    ram.setU32(at + 4, tag);
    ram.setU32(at + 8, memory);
    ram.setU32(at, (Descriptor.Own | flags | bytes.length) >>> 0);
    memory += bytes.length;
    return at;
  };
  return { ...bench, descriptor, poll: () => write(Reg.Poll, 1, 0x40) };
}

const WHOLE = Descriptor.First | Descriptor.Last;

function frame(length: number, mac: readonly number[] = MAC): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
  bytes.set(mac);
  bytes.set([8, 0], 12);
  return bytes;
}

/** An IPv4 frame with that protocol and payload length, checksums wrong. */
function ipFrame(protocol: number, payload: number): Uint8Array {
  const header = protocol === 6 ? 20 : 8;
  const bytes = frame(34 + header + payload);
  const length = 20 + header + payload;
  bytes.set([0x45, 0, length >> 8, length & 255, 0, 1, 0x40, 0, 64, protocol, 7, 7, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  if (protocol === 6) bytes[34 + 12] = 0x50;
  else bytes.set([0, 53, 0, 53, (header + payload) >> 8, (header + payload) & 255], 34);
  return bytes;
}

function internetSum(bytes: Uint8Array, from: number, to: number, start = 0): number {
  let sum = start;
  for (let at = from; at < to; at += 2) sum += (bytes[at]! << 8) | (at + 1 < to ? bytes[at + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

const plain = (bytes: Uint8Array) => ({ bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 });

deviceConformance("rtl8139", (clock) => {
  const { card, write } = makeCard(clock);
  return {
    device: card,
    ranges: [{ handler: card.handler, length: 256 }],
    pokes: [
      (random) => card.receive(plain(frame(14 + (random() % 2000)))),
      () => card.flush(),
      () => card.ready(),
      () => card.pci.config.write(4, 2, 7),
      () => write(Reg.Command, 1, RECEIVE | TRANSMIT),
      (random) => write(Reg.PlusCommand, 2, random() % 4),
      (random) => write(Reg.TransmitStatus + 4 * (random() % 4), 4, random() & 0x1fff),
    ],
  };
});

describe("rtl8139", () => {
  it("has an EEPROM, an address, a link, and says that it is a C+", () => {
    const { read, write } = makeCard();
    const word = (address: number): number => {
      const pins = (value: number) => write(Reg.EepromCommand, 1, 0x80 | value);
      pins(0);
      pins(8);
      const shift = (bit: number) => {
        pins(8 | (bit << 1));
        pins(12 | (bit << 1));
        const out = read(Reg.EepromCommand, 1) & 1;
        pins(8);
        return out;
      };
      for (const bit of [1, 1, 0]) shift(bit);
      for (let i = 5; i >= 0; i--) shift((address >> i) & 1);
      let value = 0;
      for (let i = 0; i < 16; i++) value = (value << 1) | shift(0);
      write(Reg.EepromCommand, 1, 0);
      return value;
    };
    expect([0, 1, 2, 7, 8, 9].map(word)).toEqual([0x8129, 0x10ec, 0x8139, 0x5452, 0x0100, 0x0302]);
    expect([read(0, 4), read(4, 2)]).toEqual([0x0100_5452, 0x0302]);
    expect(read(Reg.TransmitConfig, 4)).toBe(0x7480_0000);
    expect([read(Reg.MediaStatus, 1) & 4, read(Reg.PhyStatus, 2) & 0x24]).toEqual([0, 0x24]);
    // Locked registers need the key.
    write(Reg.Config5, 1, 0x03);
    expect(read(Reg.Config5, 1)).toBe(0);
    write(Reg.EepromCommand, 1, 0xc0);
    write(Reg.Config5, 1, 0x03);
    expect(read(Reg.Config5, 1)).toBe(3);
    // A soft reset leaves the address that the driver has set.
    write(0, 4, 0x0200_0000);
    write(Reg.Command, 1, 0x10);
    expect([read(0, 4), read(Reg.Command, 1)]).toEqual([0x0200_0000, 1]);
  });

  it("sends from four descriptors in turn", () => {
    const { ram, link, intx, read, write } = start();
    const frames = [60, 100, 1514, 61, 62].map((length) => frame(length));
    frames.forEach((bytes, i) => {
      ram.write(BUFFERS, bytes);
      write(Reg.TransmitAddress + 4 * (i % 4), 4, BUFFERS);
      write(Reg.TransmitStatus + 4 * (i % 4), 4, bytes.length);
    });
    expect(link.frames.map(({ bytes }) => bytes)).toEqual(frames);
    expect(read(Reg.TransmitStatus, 4)).toBe(TransmitStatus.Own | TransmitStatus.Ok | 62);
    expect(read(Reg.TransmitSummary, 2)).toBe(0xf00f);
    expect([intx.level, read(Reg.InterruptStatus, 2)]).toEqual([true, Cause.TransmitOk]);
    write(Reg.InterruptStatus, 2, Cause.TransmitOk);
    expect(intx.level).toBe(false);
    // Outside memory, or too short.
    write(Reg.TransmitAddress + 4, 4, RAM_SIZE);
    write(Reg.TransmitStatus + 4, 4, 100);
    write(Reg.TransmitStatus + 8, 4, 5);
    expect(read(Reg.InterruptStatus, 2)).toBe(Cause.TransmitError);
    expect(link.frames.length).toBe(5);
  });

  it("waits for a network that is full, in both modes", () => {
    const c = start();
    c.link.room = 1;
    for (let i = 0; i < 3; i++) c.write(Reg.TransmitStatus + 4 * i, 4, 60);
    expect([c.link.frames.length, c.read(Reg.TransmitSummary, 2) & 15]).toEqual([1, 0b1001]);
    c.link.room = 9;
    c.card.ready();
    expect([c.link.frames.length, c.read(Reg.TransmitSummary, 2) & 15]).toEqual([3, 15]);

    const { link, descriptor, poll, ram, card } = startPlus();
    link.room = 0;
    descriptor(frame(60).subarray(0, 20), Descriptor.First);
    const last = descriptor(frame(60).subarray(20), Descriptor.Last | Descriptor.EndOfRing);
    poll();
    expect(ram.u32(last) >>> 31).toBe(1);
    link.room = 1;
    card.ready();
    expect([ram.u32(last) >>> 31, link.frames[0]?.bytes]).toEqual([0, frame(60)]);
  });

  it("receives into its ring, round its end, and says when it is empty", () => {
    const { card, ram, read, write, intx, link } = start();
    expect(read(Reg.Command, 1)).toBe(0x0d);
    let at = 0;
    for (let i = 0; i < 30; i++) {
      const bytes = frame(20 + i * 37);
      expect(card.receive(plain(bytes))).toBe(true);
      card.flush();
      expect([intx.level, read(Reg.Command, 1)]).toEqual([true, 0x0c]);
      const byte = (offset: number) => ram.u8(RING + ((at + offset) % 8192));
      const length = Math.max(bytes.length, 60);
      expect([byte(0), byte(1), byte(2) | (byte(3) << 8)]).toEqual([1, 0x40, length + 4]);
      expect(Array.from(bytes, (_, n) => byte(4 + n))).toEqual([...bytes]);
      at = (at + 4 + length + 4 + 3) & ~3 & 8191;
      expect(read(Reg.WritePointer, 2)).toBe(at);
      write(Reg.ReadPointer, 2, (at - 16) & 0xffff);
      write(Reg.InterruptStatus, 2, 0xffff);
    }
    // Full: the network waits until the driver has read.
    let count = 0;
    while (card.receive(plain(frame(1000)))) count++;
    expect([count, link.readies]).toEqual([8, 0]);
    write(Reg.ReadPointer, 2, (at + 1008 * 2 - 16) & 0xffff);
    expect([link.readies, card.receive(plain(frame(1000)))]).toEqual([1, true]);
  });

  it("lets a frame run over the end of the ring if the driver wants that", () => {
    const { card, ram, read, write } = start(OWN_AND_BROADCAST | 0x80);
    for (let i = 0; i < 8; i++) {
      write(Reg.ReadPointer, 2, (read(Reg.WritePointer, 2) - 16) & 0xffff);
      card.receive(plain(frame(1060)));
    }
    const last = 7 * 1068;
    expect(ram.u8(RING + last + 4 + 1059)).toBe((1059 * 7) & 0xff);
    expect(read(Reg.WritePointer, 2)).toBe((8 * 1068) % 8192);
  });

  it("filters by address, group and broadcast", () => {
    const passes = (config: number, mac: readonly number[], table = -1) => {
      const { card, read, write } = start(config);
      if (table >= 0) write(Reg.MulticastTable + (table >> 3), 1, 1 << (table & 7));
      card.receive(plain(frame(60, mac)));
      return read(Reg.WritePointer, 2) !== 0;
    };
    const group = [1, 0, 0x5e, 0, 0, 1];
    // The hash of 224.0.0.1 that drivers compute.
    const bit = multicastBit(Uint8Array.from(group));
    expect(bit).toBe(31);
    const addresses = [MAC, [2, 0, 0, 0, 0, 9], group, [255, 255, 255, 255, 255, 255]];
    expect(addresses.map((mac) => passes(0x0a, mac))).toEqual([true, false, false, true]);
    expect(addresses.map((mac) => passes(0x01, mac))).toEqual([true, true, true, true]);
    expect([passes(0x04, group, bit), passes(0x04, group, 5), passes(0, group, bit)]).toEqual([true, false, false]);
  });

  it("sends and receives by the rings of the C+", () => {
    const { card, ram, link, descriptor, poll, read, write, intx } = startPlus();
    const bytes = frame(700);
    descriptor(bytes.subarray(0, 14), Descriptor.First);
    descriptor(bytes.subarray(14), Descriptor.Last);
    descriptor(frame(42), WHOLE | Descriptor.EndOfRing);
    poll();
    expect(link.frames.map((one) => one.bytes.length)).toEqual([700, 60]);
    expect(link.frames[0]?.bytes).toEqual(bytes);
    expect(ram.u32(TX_RING + 32)).toBe((WHOLE | Descriptor.EndOfRing) >>> 0);
    expect(read(Reg.InterruptStatus, 2)).toBe(Cause.TransmitOk | Cause.NoTransmitDescriptor);
    for (let i = 0; i < 4; i++) expect(card.receive(plain(frame(100 + i)))).toBe(true);
    expect(card.receive(plain(frame(100)))).toBe(false);
    card.flush();
    expect(read(Reg.InterruptStatus, 2) & (Cause.ReceiveOk | Cause.ReceiveOverflow)).toBe(0x11);
    expect(ram.u32(RX_RING) >>> 0).toBe((WHOLE | 0x0400_0000 | 104) >>> 0);
    expect(ram.u32(RX_RING + 48) >>> 0).toBe((WHOLE | Descriptor.EndOfRing | 0x0400_0000 | 107) >>> 0);
    ram.setU32(RX_RING, (Descriptor.Own | 2048) >>> 0);
    write(Reg.InterruptStatus, 2, 0xffff);
    expect([link.readies, intx.level, card.receive(plain(frame(100)))]).toEqual([1, false, true]);
  });

  it("looks again for descriptors by itself", () => {
    const { card, link, clock } = startPlus();
    for (let i = 0; i < 5; i++) card.receive(plain(frame(60)));
    expect(link.readies).toBe(0);
    clock.advance(1_000_000);
    expect(link.readies).toBe(1);
    clock.advance(10_000_000);
    expect(link.readies).toBe(1);
  });

  it("computes checksums and leaves segments to the network", () => {
    const { link, descriptor, poll } = startPlus();
    descriptor(ipFrame(6, 101), WHOLE | Descriptor.IpChecksum | Descriptor.TcpChecksum);
    descriptor(ipFrame(17, 33), WHOLE | Descriptor.IpChecksum | Descriptor.UdpChecksum);
    const large = ipFrame(6, 5000);
    large.fill(0, 16, 18);
    descriptor(large, WHOLE | Descriptor.LargeSend | (1460 << 16) | Descriptor.EndOfRing);
    poll();
    const [tcp, udp, segments] = link.frames.map(({ bytes }) => bytes);
    for (const [bytes, protocol] of [
      [tcp!, 6],
      [udp!, 17],
    ] as const) {
      expect(internetSum(bytes, 14, 34)).toBe(0xffff);
      const end = 14 + ((bytes[16]! << 8) | bytes[17]!);
      expect(internetSum(bytes, 34, end, internetSum(bytes, 26, 34) + protocol + end - 34)).toBe(0xffff);
    }
    expect(internetSum(segments!, 14, 34)).toBe(0xffff);
    expect((segments![16]! << 8) | segments![17]!).toBe(5040);
    expect(link.frames[2]).toMatchObject({ checksumStart: 34, checksumOffset: 16, segmentSize: 1460 });
  });

  it("takes VLAN tags off and puts them in", () => {
    const { card, ram, link, descriptor, poll } = startPlus(0x43);
    const tagged = Uint8Array.from([...frame(62).subarray(0, 12), 0x81, 0, 0x01, 0x23, ...frame(62).subarray(12)]);
    card.receive(plain(tagged));
    expect([ram.u32(RX_RING) & 0x1fff, ram.u32(RX_RING + 4)]).toEqual([66, 0x1_2301]);
    descriptor(frame(62), WHOLE | Descriptor.EndOfRing, 0x2_2301);
    poll();
    expect(link.frames[0]?.bytes).toEqual(tagged);
  });

  it("hears itself in loop-back, counts time and frames", () => {
    const { card, ram, read, write, clock, link, intx } = start();
    write(Reg.TransmitConfig, 4, 0x0006_0000);
    ram.write(BUFFERS, frame(60));
    write(Reg.TransmitAddress, 4, BUFFERS);
    write(Reg.TransmitStatus, 4, 60);
    expect([link.frames.length, read(Reg.WritePointer, 2)]).toEqual([0, 68]);
    write(Reg.InterruptStatus, 2, 0xffff);
    write(Reg.TimerCount, 4, 0);
    write(Reg.TimerInterrupt, 4, 33_333);
    clock.advance(500_000);
    expect(Math.abs(read(Reg.TimerCount, 4) - 16_666)).toBeLessThan(3);
    expect(intx.level).toBe(false);
    clock.advance(501_000);
    expect(read(Reg.InterruptStatus, 2)).toBe(Cause.Timer);
    write(Reg.PlusCommand, 2, 3);
    write(Reg.TallyAddress + 4, 4, 0);
    write(Reg.TallyAddress, 4, 0x5_0008);
    expect([ram.u32(0x5_0000), ram.u32(0x5_0008), read(Reg.TallyAddress, 4)]).toEqual([1, 1, 0x5_0000]);
    expect(card.counts.framesIn).toBe(1);
  });

  it("survives descriptors, frames and registers of random content", () => {
    const random = randomSource(8139);
    for (let round = 0; round < 60; round++) {
      const { card, ram, write, descriptor, poll, link } = startPlus(random() % 4);
      for (let i = 0; i < 50; i++) {
        descriptor(frame(14 + (random() % 300)).subarray(random() % 14), random() & 0x3fff_0000);
        ram.setU32(TX_RING + (random() % 512), random());
        ram.setU32(RX_RING + (random() % 64), random());
        link.room = random() % 5;
        poll();
        card.receive(plain(frame(14 + (random() % 5000))));
        card.flush();
        card.ready();
        write(random() % 256, ([1, 2, 4] as const)[random() % 3]!, random());
        write(Reg.Command, 1, RECEIVE | TRANSMIT);
        if (i % 10 === 0) card.pci.config.write(4, 2, 7);
      }
    }
  });
});
