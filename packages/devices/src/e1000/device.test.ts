// SPDX-License-Identifier: Apache-2.0
import { Bus, GuestRam } from "@isola/memory";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { RecordingLink } from "../conformance/recording-link.js";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { E1000 } from "./device.js";
import { Cause, Receive, Reg } from "./registers.js";

const MAC = [0x52, 0x54, 0, 1, 2, 3];
const RAM_SIZE = 1 << 20;
const [TX_RING, RX_RING, BUFFERS] = [0x1000, 0x2000, 0x1_0000];
const RING_SIZE = 8;

function makeCard(clock = new FakeClock()) {
  const [ports, mmio] = [new Bus("ports"), new Bus("mmio")];
  const ram = new GuestRam(new ArrayBuffer(RAM_SIZE), 0, RAM_SIZE);
  const link = new RecordingLink();
  const intx = new RecordingLine();
  const card = new E1000({ spaces: { ports, mmio }, ram, intx, link, mac: MAC, timers: clock });
  card.reset();
  card.pci.config.write(4, 2, 7);
  const read = (reg: number) => card.registerHandler.read(reg, 4);
  const write = (reg: number, value: number) => card.registerHandler.write(reg, 4, value);
  return { card, ram, link, intx, read, write, clock };
}

function start(control: number = Receive.Enable | Receive.Broadcast | Receive.StripCrc) {
  const bench = makeCard();
  const { write, ram } = bench;
  write(Reg.TransmitBaseLow, TX_RING);
  write(Reg.TransmitLength, RING_SIZE * 16);
  write(Reg.TransmitControl, 2);
  write(Reg.ReceiveBaseLow, RX_RING);
  write(Reg.ReceiveLength, RING_SIZE * 16);
  for (let i = 0; i < RING_SIZE; i++) ram.setU32(RX_RING + i * 16, BUFFERS + i * 0x1000);
  write(Reg.ReceiveTail, RING_SIZE - 1);
  write(Reg.ReceiveControl, control);
  write(Reg.MaskSet, Cause.ReceiveTimer | Cause.TransmitDone);
  let tail = 0;
  let memory = 0x8_0000;
  const descriptor = (low: number, high: number, lengths: number, fields: number) => {
    const at = TX_RING + (tail % RING_SIZE) * 16;
    [low, high, lengths, fields].forEach((word, i) => ram.setU32(at + 4 * i, word >>> 0));
    tail = (tail + 1) % RING_SIZE;
  };
  const data = (bytes: Uint8Array) => {
    const at = memory;
    ram.write(at, bytes);
    memory += bytes.length;
    return at;
  };
  const kick = () => write(Reg.TransmitTail, tail);
  return { ...bench, descriptor, data, kick };
}

function frame(length: number, mac: readonly number[] = MAC): Uint8Array {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
  bytes.set(mac);
  bytes.set([8, 0], 12);
  return bytes;
}

const plain = (bytes: Uint8Array) => ({ bytes, checksumStart: -1, checksumOffset: 0, segmentSize: 0 });

deviceConformance("e1000", (clock) => {
  const { card, write } = makeCard(clock);
  return {
    device: card,
    ranges: [
      { handler: card.registerHandler, length: 0x6000 },
      { handler: card.ioHandler, length: 64 },
    ],
    pokes: [
      (random) => card.receive(plain(frame(14 + (random() % 2000)))),
      () => card.flush(),
      () => card.ready(),
      () => card.pci.config.write(4, 2, 7),
      (random) => write([Reg.TransmitTail, Reg.ReceiveTail, Reg.TransmitLength][random() % 3]!, random() & 0xfff),
    ],
  };
});

describe("e1000", () => {
  it("gives its address from the EEPROM, word by word over Microwire and by register", () => {
    const { read, write } = makeCard();
    const word = (address: number): number => {
      const [clock, select, dataIn, dataOut] = [1, 2, 4, 8];
      write(Reg.EepromControl, 0x40);
      expect(read(Reg.EepromControl) & 0x80).toBe(0x80);
      write(Reg.EepromControl, 0x40 | select);
      const shift = (bit: number) => {
        write(Reg.EepromControl, 0x40 | select | (bit === 0 ? 0 : dataIn));
        write(Reg.EepromControl, 0x40 | select | clock | (bit === 0 ? 0 : dataIn));
        const out = (read(Reg.EepromControl) & dataOut) === 0 ? 0 : 1;
        write(Reg.EepromControl, 0x40 | select);
        return out;
      };
      for (const bit of [1, 1, 0]) shift(bit);
      for (let i = 5; i >= 0; i--) shift((address >> i) & 1);
      let value = 0;
      for (let i = 0; i < 16; i++) value = (value << 1) | shift(0);
      write(Reg.EepromControl, 0);
      return value;
    };
    const words = Array.from({ length: 64 }, (_, i) => word(i));
    expect(words.slice(0, 3)).toEqual([0x5452, 0x0100, 0x0302]);
    expect(words.reduce((total, one) => total + one, 0) & 0xffff).toBe(0xbaba);
    write(Reg.EepromRead, 0x0101);
    expect(read(Reg.EepromRead)).toBe(0x0100_0110);
    expect([read(Reg.ReceiveAddress), read(Reg.ReceiveAddress + 4)]).toEqual([0x0100_5452, 0x8000_0302]);
  });

  it("has a PHY with a link, and refuses other addresses on its bus", () => {
    const { read, write } = makeCard();
    const phy = (register: number) => {
      write(Reg.MdiControl, (2 << 26) | (1 << 21) | (register << 16));
      return read(Reg.MdiControl);
    };
    expect(phy(2) & 0xffff).toBe(0x0141);
    expect(phy(1) & 0x1000_0024).toBe(0x1000_0024);
    write(Reg.MdiControl, (2 << 26) | (2 << 21));
    expect(read(Reg.MdiControl) >>> 30).toBe(1);
    write(Reg.MdiControl, (1 << 26) | (1 << 21) | (4 << 16) | 0x1234);
    expect(phy(4) & 0xffff).toBe(0x1234);
    expect(read(Reg.Status) & 3).toBe(3);
  });

  it("sends what legacy descriptors gather, says so and interrupts", () => {
    const { descriptor, data, kick, link, ram, intx, read } = start();
    const bytes = frame(100);
    descriptor(data(bytes.subarray(0, 40)), 0, 40, 0);
    descriptor(data(bytes.subarray(40)), 0, 60 | (0x09 << 24), 0);
    kick();
    expect(link.frames.map((one) => one.bytes)).toEqual([bytes]);
    expect(ram.u8(TX_RING + 12) & 1).toBe(0);
    expect(ram.u8(TX_RING + 28) & 1).toBe(1);
    expect([intx.level, read(Reg.TransmitHead)]).toEqual([true, 2]);
    expect(read(Reg.InterruptCause) & 3).toBe(3);
    expect([intx.level, read(Reg.InterruptCause)]).toEqual([false, 0]);
  });

  it("leaves checksums and segments of extended descriptors to the network, complete in themselves", () => {
    const { descriptor, data, kick, link } = start();
    const bytes = frame(54 + 3000);
    // IPv4 without length and checksum, TCP with a sum over addresses and protocol only.
    bytes.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
    bytes[34 + 12] = 0x50;
    const pseudo = 0x0a00 + 1 + 0x0a00 + 2 + 6;
    bytes.set([pseudo >> 8, pseudo & 255], 34 + 16);
    descriptor(14 | (24 << 8) | (33 << 16), 34 | (50 << 8), (0x20 << 24) | 3000, (1460 << 16) | (54 << 8));
    descriptor(data(bytes.subarray(0, 54)), 0, (0x24 << 24) | (1 << 20) | 54, 0x0300);
    descriptor(data(bytes.subarray(54)), 0, (0x2d << 24) | (1 << 20) | 3000, 0);
    kick();
    const [sent] = link.frames;
    expect(sent).toMatchObject({ checksumStart: 34, checksumOffset: 16, segmentSize: 1460 });
    expect([...sent!.bytes.subarray(16, 18)]).toEqual([3040 >> 8, 3040 & 255]);
    const total = pseudo + 3020;
    expect([...sent!.bytes.subarray(50, 52)]).toEqual([total >> 8, total & 255]);
    let sum = 0;
    for (let at = 14; at < 34; at += 2) sum += (sent!.bytes[at]! << 8) | sent!.bytes[at + 1]!;
    expect((sum & 0xffff) + (sum >> 16)).toBe(0xffff);
  });

  it("waits for a network that is full", () => {
    const { descriptor, data, kick, link, card, read } = start();
    link.room = 1;
    for (let i = 0; i < 3; i++) descriptor(data(frame(60 + i)), 0, (60 + i) | (0x09 << 24), 0);
    kick();
    expect([link.frames.length, read(Reg.TransmitHead)]).toEqual([1, 1]);
    link.room = 9;
    card.ready();
    expect(link.frames.map(({ bytes }) => bytes.length)).toEqual([60, 61, 62]);
  });

  it("receives into buffers, short frames padded, long ones over several", () => {
    const { card, ram, intx, read } = start(Receive.Enable | Receive.Broadcast | Receive.LongPackets);
    expect(card.receive(plain(frame(20)))).toBe(true);
    expect(card.receive(plain(frame(3000)))).toBe(true);
    expect(intx.level).toBe(false);
    card.flush();
    expect(intx.level).toBe(true);
    const descriptors = [0, 1, 2].map((i) => [ram.u16(RX_RING + i * 16 + 8), ram.u8(RX_RING + i * 16 + 12)]);
    // With the frame check sequence, which the driver did not want stripped.
    expect(descriptors).toEqual([
      [64, 7],
      [2048, 5],
      [956, 7],
    ]);
    const got = new Uint8Array(20);
    ram.read(BUFFERS, got);
    expect(got).toEqual(frame(20));
    expect(read(Reg.ReceiveHead)).toBe(3);
  });

  it("holds the network up while it has no buffers", () => {
    const { card, link, write } = start();
    for (let i = 0; i < RING_SIZE - 1; i++) expect(card.receive(plain(frame(60)))).toBe(true);
    expect(card.receive(plain(frame(60)))).toBe(false);
    write(Reg.ReceiveTail, 2);
    expect(link.readies).toBe(1);
    expect(card.receive(plain(frame(60)))).toBe(true);
    expect(card.counts.starved).toBe(1);
  });

  it("filters by address, group and broadcast", () => {
    const { card, write, read } = start();
    const passes = (mac: readonly number[]) => {
      const before = read(Reg.ReceiveHead);
      card.receive(plain(frame(60, mac)));
      const after = read(Reg.ReceiveHead);
      write(Reg.ReceiveTail, (after + RING_SIZE - 1) % RING_SIZE);
      return before !== after;
    };
    const group = [0x01, 0, 0x5e, 0, 0, 1];
    const others = [[2, 0, 0, 0, 0, 9], group, [255, 255, 255, 255, 255, 255]];
    expect([MAC, ...others].map(passes)).toEqual([true, false, false, true]);
    const hash = ((group[4]! | (group[5]! << 8)) >> 4) & 0xfff;
    write(Reg.MulticastTable + (hash >> 5) * 4, 1 << (hash & 31));
    expect(passes(group)).toBe(true);
    write(Reg.ReceiveControl, Receive.Enable | Receive.UnicastAll);
    expect([MAC, ...others].map(passes)).toEqual([true, true, true, false]);
  });

  it("takes VLAN tags off and puts them in", () => {
    const { card, ram, write, descriptor, data, kick, link } = start();
    write(Reg.Control, 0x4000_0000);
    const tagged = Uint8Array.from([...frame(62).subarray(0, 12), 0x81, 0, 0, 77, ...frame(62).subarray(12)]);
    card.receive(plain(tagged));
    expect([ram.u16(RX_RING + 8), ram.u8(RX_RING + 12), ram.u16(RX_RING + 14)]).toEqual([62, 15, 77]);
    descriptor(data(frame(62)), 0, 62 | (0x49 << 24), 77 << 16);
    kick();
    expect(link.frames[0]!.bytes).toEqual(tagged);
  });

  it("spaces interrupts as the driver asks", () => {
    const { card, write, read, intx, clock } = start();
    write(Reg.Throttle, 1000);
    const arrive = () => {
      card.receive(plain(frame(60)));
      card.flush();
      return intx.level;
    };
    expect(arrive()).toBe(true);
    read(Reg.InterruptCause);
    expect(arrive()).toBe(false);
    clock.advance(255_000);
    expect(intx.level).toBe(false);
    clock.advance(2000);
    expect(intx.level).toBe(true);
  });

  it("is reached by two ports, too", () => {
    const { card, read } = makeCard();
    card.ioHandler.write(0, 4, Reg.MulticastTable);
    card.ioHandler.write(4, 4, 0x1234_5678);
    expect(read(Reg.MulticastTable)).toBe(0x1234_5678);
    expect(card.ioHandler.read(4, 4)).toBe(0x1234_5678);
  });

  it("survives descriptors and registers of random content", () => {
    const random = randomSource(31_337);
    for (let round = 0; round < 60; round++) {
      const { card, ram, write, kick, descriptor, link } = start(random());
      for (let i = 0; i < 60; i++) {
        const low = random() % 3 === 0 ? random() : random() % RAM_SIZE;
        const command = ((random() % 256) << 24) | ((random() % 3) << 20) | (random() % 5000);
        descriptor(low, random() % 8 === 0 ? random() : 0, command, random());
        if (random() % 2 === 0) kick();
        ram.setU32(RX_RING + (random() % 128), random());
        link.room = random() % 4;
        card.receive(plain(frame(14 + (random() % 3000))));
        card.flush();
        card.ready();
        const regs = [Reg.TransmitHead, Reg.ReceiveHead, Reg.TransmitTail, Reg.ReceiveTail, Reg.TransmitLength];
        write(regs[random() % regs.length]!, random() & (i % 10 === 0 ? 0xffff_ffff : 0x3ff));
      }
    }
  });
});
