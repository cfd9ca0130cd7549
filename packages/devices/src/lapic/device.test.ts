// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { deviceConformance } from "../conformance/suite.js";
import { Ioapic } from "../ioapic/device.js";
import { ApicBus } from "./apic-bus.js";
import { EXTERNAL_INTERRUPT, Lapic, type LapicEvents } from "./device.js";
import { LapicMsrs } from "./msrs.js";

/** A guest whose time-stamp counter runs at 2 GHz. */
const tscToNs = (tsc: number): number => tsc / 2;

function recordEvents(log: string[]): LapicEvents {
  return {
    onInterrupt: () => log.push("interrupt"),
    nmi: () => log.push("nmi"),
    smi: () => log.push("smi"),
    init: () => log.push("init"),
    sipi: (vector) => log.push(`sipi ${vector.toString(16)}`),
  };
}

function makeCpus(count: number) {
  const clock = new FakeClock();
  const bus = new ApicBus();
  let external = 0x20;
  const cpus = Array.from({ length: count }, (_, id) => {
    const log: string[] = [];
    const lapic = new Lapic({
      id,
      bsp: id === 0,
      bus,
      timers: clock,
      tscToNs,
      events: recordEvents(log),
      externalVector: () => external,
    });
    const msrs = new LapicMsrs(lapic, 46);
    const write = (offset: number, value: number): void => lapic.handler.write(offset, 4, value >>> 0);
    const read = (offset: number): number => lapic.handler.read(offset, 4);
    return { lapic, msrs, log, write, read };
  });
  const enable = (): void => cpus.forEach((cpu) => cpu.write(0xf0, 0x1ff));
  return { clock, bus, cpus, enable, setExternal: (vector: number) => (external = vector) };
}

deviceConformance("lapic", (clock) => {
  const lapic = new Lapic({
    id: 1,
    bsp: false,
    bus: new ApicBus(),
    timers: clock,
    tscToNs,
    events: recordEvents([]),
    externalVector: () => 0x20,
  });
  const msrs = new LapicMsrs(lapic, 46);
  return {
    device: lapic,
    ranges: [{ handler: lapic.handler, length: 0x400 }],
    pokes: [
      (random) => lapic.handler.write((random() % 64) * 16, 4, random()),
      (random) => lapic.handler.write(0xf0, 4, 0x1ff | random()),
      (random) => lapic.accept(random() % 8, random() & 0xff, (random() & 1) === 1),
      (random) => lapic.lint0.set((random() & 1) === 1),
      (random) => lapic.lint1.set((random() & 1) === 1),
      () => lapic.acknowledge(),
      (random) => msrs.writeMsr(0x800 + (random() % 64), random() & 0xff, 0),
      (random) => msrs.writeMsr(0x6e0, random(), 0),
      (random) => msrs.writeMsr(0x1b, 0xfee0_0000 | (random() & 0xc00), 0),
      (random) => void msrs.readMsr(0x800 + (random() % 64)),
    ],
  };
});

describe("lapic", () => {
  it("has the reset values of the SDM", () => {
    const { cpus } = makeCpus(2);
    const { msrs, read } = cpus[1]!;
    expect(read(0x20)).toBe(0x0100_0000);
    expect(read(0x30)).toBe(0x5_0014);
    expect(read(0xe0)).toBe(0xffff_ffff);
    expect(read(0xf0)).toBe(0xff);
    for (let offset = 0x320; offset <= 0x370; offset += 16) expect(read(offset)).toBe(0x1_0000);
    expect(msrs.readMsr(0x1b)).toBe(0xfee0_0800);
    expect(cpus[0]!.msrs.readMsr(0x1b)).toBe(0xfee0_0900);
  });

  it("takes the highest interrupt first and nests by priority class", () => {
    const { bus, cpus, enable } = makeCpus(1);
    const { lapic, log, read, write } = cpus[0]!;
    bus.signal(0xfee0_0000, 0x55);
    expect(lapic.pendingVector()).toBe(-1);
    enable();
    bus.signal(0xfee0_0000, 0x41);
    bus.signal(0xfee0_0000, 0x55);
    expect(log).toEqual(["interrupt"]);
    expect(lapic.pendingVector()).toBe(0x55);
    expect(lapic.acknowledge()).toBe(0x55);
    expect(read(0xa0)).toBe(0x50);
    expect(read(0x120)).toBe(1 << 21);
    expect(lapic.pendingVector()).toBe(-1);
    bus.signal(0xfee0_0000, 0x5f);
    expect(lapic.pendingVector()).toBe(-1);
    bus.signal(0xfee0_0000, 0x60);
    expect(lapic.acknowledge()).toBe(0x60);
    write(0xb0, 0);
    write(0xb0, 0);
    expect(lapic.acknowledge()).toBe(0x5f);
    write(0xb0, 0);
    expect(lapic.acknowledge()).toBe(0x41);
  });

  it("holds back what the task priority masks", () => {
    const { bus, cpus, enable } = makeCpus(1);
    const { lapic, write } = cpus[0]!;
    enable();
    write(0x80, 0x50);
    bus.signal(0xfee0_0000, 0x5f);
    expect(lapic.pendingVector()).toBe(-1);
    expect(lapic.acknowledge()).toBe(0xff);
    lapic.taskPriority = 0x4f;
    expect(lapic.pendingVector()).toBe(0x5f);
  });

  it("sends INIT and start-up IPIs", () => {
    const { cpus, enable } = makeCpus(3);
    enable();
    const [bsp, ap1, ap2] = cpus;
    bsp!.write(0x310, 0x0100_0000);
    bsp!.write(0x300, 0xc500);
    bsp!.write(0x300, 0x8500);
    bsp!.write(0x300, 0x0609);
    expect(ap1!.log).toEqual(["init", "sipi 9"]);
    expect(ap1!.read(0xf0)).toBe(0xff);
    bsp!.write(0x300, 0x000c_0400);
    expect([bsp!.log, ap2!.log]).toEqual([[], ["nmi"]]);
  });

  it("matches physical, flat and cluster destinations and shorthands", () => {
    const { cpus, enable } = makeCpus(4);
    enable();
    const received = (vector: number): number[] =>
      cpus.flatMap((cpu, i) => ((cpu.read(0x200 + (vector >> 5) * 16) >>> (vector & 31)) & 1 ? [i] : []));
    cpus.forEach((cpu, i) => cpu.write(0xd0, 1 << (24 + i)));
    const send = (destination: number, low: number): void => {
      cpus[0]!.write(0x310, destination << 24);
      cpus[0]!.write(0x300, low);
    };
    send(2, 0x4040);
    expect(received(0x40)).toEqual([2]);
    send(0xff, 0x4041);
    expect(received(0x41)).toEqual([0, 1, 2, 3]);
    send(0b1010, 0x4842);
    expect(received(0x42)).toEqual([1, 3]);
    send(0, 0x4_4043);
    expect(received(0x43)).toEqual([0]);
    send(0, 0x8_4044);
    expect(received(0x44)).toEqual([0, 1, 2, 3]);
    send(0, 0xc_4045);
    expect(received(0x45)).toEqual([1, 2, 3]);
    cpus.forEach((cpu, i) => {
      cpu.write(0xe0, 0);
      cpu.write(0xd0, ((((i >> 1) << 4) | (1 << (i & 1))) << 24) >>> 0);
    });
    send(0x13, 0x4846);
    expect(received(0x46)).toEqual([2, 3]);
    send(0x01, 0x4847);
    expect(received(0x47)).toEqual([0]);
  });

  it("arbitrates lowest priority", () => {
    const { bus, cpus, enable } = makeCpus(3);
    enable();
    cpus.forEach((cpu, i) => cpu.write(0xd0, 1 << (24 + i)));
    cpus[0]!.write(0x80, 0x60);
    cpus[1]!.write(0x80, 0x20);
    cpus[2]!.write(0x80, 0x30);
    bus.signal(0xfee0_700c, 0x171);
    expect(cpus.map((cpu) => cpu.lapic.pendingVector())).toEqual([-1, 0x71, -1]);
  });

  it("broadcasts EOI of level interrupts to the I/O APIC", () => {
    const { bus, cpus, enable } = makeCpus(1);
    const { lapic, write } = cpus[0]!;
    enable();
    const ioapic = new Ioapic(bus);
    ioapic.handler.write(0, 4, 0x10 + 2 * 16);
    ioapic.handler.write(0x10, 4, 0x8061);
    ioapic.pins[16]!.set(true);
    expect(lapic.acknowledge()).toBe(0x61);
    expect(lapic.pendingVector()).toBe(-1);
    write(0xb0, 0);
    expect(lapic.acknowledge()).toBe(0x61);
    ioapic.pins[16]!.set(false);
    write(0xb0, 0);
    expect(lapic.pendingVector()).toBe(-1);
  });

  it("passes the 8259 through LINT0 as ExtINT, ahead of its own", () => {
    const { bus, cpus, setExternal } = makeCpus(1);
    const { lapic, write } = cpus[0]!;
    lapic.lint0.set(true);
    expect(lapic.pendingVector()).toBe(-1);
    lapic.enterVirtualWireMode();
    expect(lapic.pendingVector()).toBe(EXTERNAL_INTERRUPT);
    bus.signal(0xfee0_0000, 0x99);
    setExternal(0x33);
    expect(lapic.acknowledge()).toBe(0x33);
    lapic.lint0.set(false);
    expect(lapic.pendingVector()).toBe(0x99);
    write(0x350, 0x1_0700);
    lapic.lint0.set(true);
    expect(lapic.pendingVector()).toBe(0x99);
  });

  it("counts errors of illegal vectors", () => {
    const { cpus, enable } = makeCpus(1);
    const { lapic, read, write } = cpus[0]!;
    enable();
    write(0x370, 0xfe);
    write(0x300, 0x4_4005);
    lapic.accept(0, 3, false);
    expect(read(0x280)).toBe(0);
    write(0x280, 0);
    expect(read(0x280)).toBe(0x60);
    expect(lapic.pendingVector()).toBe(0xfe);
    write(0x280, 0);
    expect(read(0x280)).toBe(0);
    write(0x370, 0x05);
    lapic.accept(0, 3, false);
  });

  it("masks the LVT while software-disabled", () => {
    const { cpus, enable } = makeCpus(1);
    const { read, write } = cpus[0]!;
    enable();
    write(0x320, 0x30);
    write(0xf0, 0xff);
    expect(read(0x320)).toBe(0x1_0030);
    write(0x320, 0x31);
    expect(read(0x320)).toBe(0x1_0031);
  });
});

describe("lapic timer", () => {
  it("counts down once and interrupts", () => {
    const { clock, cpus, enable } = makeCpus(1);
    const { lapic, read, write } = cpus[0]!;
    enable();
    write(0x320, 0x40);
    write(0x3e0, 0b1011);
    write(0x380, 1_000_000);
    clock.advance(400_000);
    expect(read(0x390)).toBe(600_000);
    expect(lapic.pendingVector()).toBe(-1);
    clock.advance(600_000);
    expect(read(0x390)).toBe(0);
    expect(lapic.pendingVector()).toBe(0x40);
    expect(clock.armed()).toBe(0);
  });

  it("divides, and carries on when the divider changes", () => {
    const { clock, cpus, enable } = makeCpus(1);
    const { read, write } = cpus[0]!;
    enable();
    write(0x380, 1000);
    clock.advance(200);
    expect(read(0x390)).toBe(900);
    write(0x3e0, 0b1010);
    expect(read(0x390)).toBe(900);
    clock.advance(1280);
    expect(read(0x390)).toBe(890);
  });

  it("repeats without drift, and bounds the shortest period", () => {
    const { clock, cpus, enable } = makeCpus(1);
    const { lapic, write } = cpus[0]!;
    enable();
    write(0x320, 0x2_0040);
    write(0x3e0, 0b1011);
    write(0x380, 1_000_000);
    let taken = 0;
    for (let i = 0; i < 1000; i++) {
      clock.advance(1_000_000);
      if (lapic.pendingVector() === 0x40) taken += lapic.acknowledge() === 0x40 ? 1 : 0;
      write(0xb0, 0);
    }
    expect(taken).toBe(1000);
    const before = clock.fired;
    write(0x380, 1);
    clock.advance(1e9);
    expect(clock.fired - before).toBeLessThanOrEqual(20_001);
  });

  it("fires at a TSC deadline once and reads back zero", () => {
    const { clock, cpus, enable } = makeCpus(1);
    const { lapic, msrs, write } = cpus[0]!;
    enable();
    expect(msrs.writeMsr(0x6e0, 1000, 0)).toBe(true);
    expect(msrs.readMsr(0x6e0)).toBe(0);
    write(0x320, 0x4_0050);
    msrs.writeMsr(0x6e0, 5, 2);
    expect([msrs.readMsr(0x6e0), msrs.high]).toEqual([5, 2]);
    write(0x380, 77);
    expect(lapic.handler.read(0x380, 4)).toBe(0);
    clock.advance(2 ** 32 + 2);
    expect(lapic.pendingVector()).toBe(-1);
    clock.advance(1);
    expect(lapic.pendingVector()).toBe(0x50);
    expect(msrs.readMsr(0x6e0)).toBe(0);
    msrs.writeMsr(0x6e0, 0xffff_ffff, 0xffff_ffff);
    write(0x320, 0x50);
    expect(msrs.readMsr(0x6e0)).toBe(0);
    expect(clock.armed()).toBe(0);
  });
});

describe("x2APIC", () => {
  function makeX2apic(count: number) {
    const machine = makeCpus(count);
    for (const { msrs } of machine.cpus) {
      expect(msrs.writeMsr(0x1b, 0xfee0_0c00, 0)).toBe(true);
      expect(msrs.writeMsr(0x80f, 0x1ff, 0)).toBe(true);
    }
    return machine;
  }

  it("changes mode only along the allowed edges", () => {
    const { cpus } = makeCpus(1);
    const { msrs } = cpus[0]!;
    expect(msrs.readMsr(0x802)).toBe(-1);
    expect(msrs.writeMsr(0x1b, 0xfee0_0400, 0)).toBe(false);
    expect(msrs.writeMsr(0x1b, 0xfee0_0c01, 0)).toBe(false);
    expect(msrs.writeMsr(0x1b, 0xfee0_0c00, 1 << 14)).toBe(false);
    expect(msrs.writeMsr(0x1b, 0xfee0_0c00, 0)).toBe(true);
    expect(msrs.writeMsr(0x1b, 0xfee0_0800, 0)).toBe(false);
    expect(msrs.writeMsr(0x1b, 0xfee0_0000, 0)).toBe(true);
    expect(msrs.writeMsr(0x1b, 0xfee0_0c00, 0)).toBe(false);
    expect(msrs.writeMsr(0x1b, 0xfee0_0800, 0)).toBe(true);
  });

  it("shows 32-bit IDs and refuses reserved registers and bits", () => {
    const { cpus } = makeX2apic(20);
    const { msrs, lapic } = cpus[17]!;
    expect(msrs.readMsr(0x802)).toBe(17);
    expect(msrs.readMsr(0x80d)).toBe(0x1_0002);
    expect(lapic.handler.read(0x20, 4)).toBe(0);
    for (const msr of [0x80e, 0x831, 0x80b, 0x83f, 0x8ff]) expect(msrs.readMsr(msr)).toBe(-1);
    for (const msr of [0x802, 0x803, 0x80d, 0x80e, 0x831, 0x839, 0x810]) expect(msrs.writeMsr(msr, 0, 0)).toBe(false);
    expect(msrs.writeMsr(0x80b, 1, 0)).toBe(false);
    expect(msrs.writeMsr(0x80b, 0, 0)).toBe(true);
    expect(msrs.writeMsr(0x808, 0, 1)).toBe(false);
    expect(msrs.writeMsr(0x808, 0x100, 0)).toBe(false);
  });

  it("sends to physical and cluster destinations, itself and everyone", () => {
    const { cpus } = makeX2apic(20);
    const pending = (): number[] => cpus.flatMap((cpu, i) => (cpu.lapic.pendingVector() >= 0 ? [i] : []));
    const drain = (): void =>
      cpus.forEach(({ lapic, msrs }) => {
        if (lapic.pendingVector() < 0) return;
        lapic.acknowledge();
        msrs.writeMsr(0x80b, 0, 0);
      });
    const { msrs } = cpus[0]!;
    msrs.writeMsr(0x830, 0x4040, 19);
    expect(pending()).toEqual([19]);
    drain();
    msrs.writeMsr(0x830, 0x4840, 0x1_0006);
    expect(pending()).toEqual([17, 18]);
    drain();
    msrs.writeMsr(0x83f, 0x41, 0);
    expect(pending()).toEqual([0]);
    drain();
    msrs.writeMsr(0x830, 0x4040, 0xffff_ffff);
    expect(pending().length).toBe(20);
    expect([msrs.readMsr(0x830), msrs.high]).toEqual([0x4040, 0xffff_ffff]);
  });
});
