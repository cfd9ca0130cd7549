// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Pit8254 } from "./device.js";
import { PIT_HZ } from "./registers.js";

deviceConformance("pit8254", (clock) => {
  const pit = new Pit8254(new RecordingLine(), clock);
  return {
    device: pit,
    ranges: [
      { handler: pit.handler, length: 4 },
      { handler: pit.port61Handler, length: 1 },
    ],
  };
});

function makePit() {
  const clock = new FakeClock();
  const irq = new RecordingLine();
  const pit = new Pit8254(irq, clock);
  const outb = (port: number, value: number): void => pit.handler.write(port, 1, value);
  const inb = (port: number): number => pit.handler.read(port, 1);
  /** Moves time to the first nanosecond after `ticks` more input clocks. */
  let ticks = 0;
  const run = (n: number): void => {
    ticks += n;
    clock.advance(Math.ceil((ticks * 1e9) / PIT_HZ) + 1 - clock.now());
  };
  const program = (channel: number, mode: number, count: number, bcd = 0): void => {
    outb(3, (channel << 6) | 0x30 | (mode << 1) | bcd);
    outb(channel, count & 0xff);
    outb(channel, count >> 8);
  };
  const count = (channel: number): number => {
    outb(3, channel << 6);
    return inb(channel) | (inb(channel) << 8);
  };
  const status = (channel: number): number => {
    outb(3, 0xe0 | (2 << channel));
    return inb(channel);
  };
  const gate2 = (value: number): void => pit.port61Handler.write(0, 1, value);
  const out2 = (): boolean => (pit.port61Handler.read(0, 1) & 0x20) !== 0;
  return { clock, irq, outb, inb, run, program, count, status, gate2, out2 };
}

describe("pit8254", () => {
  it("mode 0: raises OUT once and counts on through zero", () => {
    const { run, program, count, irq, status } = makePit();
    program(0, 0, 100);
    expect(irq.level).toBe(false);
    run(99);
    expect(count(0)).toBe(1);
    expect(irq.edges).toBe(0);
    run(1);
    expect(irq.edges).toBe(1);
    expect(count(0)).toBe(0);
    run(1);
    expect(count(0)).toBe(0xffff);
    run(70_000);
    expect(irq.edges).toBe(1);
    expect(status(0) & 0x80).toBe(0x80);
  });

  it("mode 0: gate low holds the count", () => {
    const { run, program, count, gate2, out2 } = makePit();
    gate2(1);
    program(2, 0, 50);
    run(20);
    gate2(0);
    run(500);
    expect(count(2)).toBe(30);
    gate2(1);
    run(29);
    expect(out2()).toBe(false);
    run(1);
    expect(out2()).toBe(true);
  });

  it("mode 1: one shot by the gate, and again", () => {
    const { run, program, gate2, out2 } = makePit();
    program(2, 1, 40);
    run(100);
    expect(out2()).toBe(true);
    gate2(1);
    expect(out2()).toBe(false);
    run(39);
    expect(out2()).toBe(false);
    gate2(0);
    gate2(1);
    run(39);
    expect(out2()).toBe(false);
    run(1);
    expect(out2()).toBe(true);
  });

  it("mode 2: interrupts at the programmed rate without drift", () => {
    const { clock, program, irq } = makePit();
    program(0, 2, 1193);
    const before = irq.edges;
    clock.advance(10e9);
    expect(irq.edges - before).toBe(Math.floor((10 * PIT_HZ) / 1193));
  });

  it("mode 2: OUT is low for the last clock and a new count waits for the period's end", () => {
    const { run, program, outb, count, gate2, out2, status } = makePit();
    gate2(1);
    program(2, 2, 10);
    run(8);
    expect(out2()).toBe(true);
    run(1);
    expect(out2()).toBe(false);
    expect(count(2)).toBe(1);
    run(1);
    expect(out2()).toBe(true);
    expect(count(2)).toBe(10);
    run(3);
    outb(2, 20);
    outb(2, 0);
    expect(status(2) & 0x40).toBe(0x40);
    run(6);
    expect(out2()).toBe(false);
    run(1);
    expect(count(2)).toBe(20);
    expect(status(2) & 0x40).toBe(0);
    run(18);
    expect(out2()).toBe(true);
    run(1);
    expect(out2()).toBe(false);
  });

  it("mode 3: a square wave that counts by two", () => {
    const { run, program, count, gate2, out2 } = makePit();
    gate2(1);
    program(2, 3, 10);
    const wave: boolean[] = [];
    for (let i = 0; i < 20; i++) {
      wave.push(out2());
      run(1);
    }
    const high = [true, true, true, true, true];
    const low = high.map(() => false);
    expect(wave).toEqual([...high, ...low, ...high, ...low]);
    expect(count(2)).toBe(10);
    run(1);
    expect(count(2)).toBe(8);
    program(2, 3, 5);
    expect(out2()).toBe(true);
    run(2);
    expect(out2()).toBe(true);
    run(1);
    expect(out2()).toBe(false);
  });

  it("modes 4 and 5: a strobe of one clock, by software and by the gate", () => {
    const { run, program, gate2, out2 } = makePit();
    gate2(1);
    program(2, 4, 5);
    run(4);
    expect(out2()).toBe(true);
    run(1);
    expect(out2()).toBe(false);
    run(1);
    expect(out2()).toBe(true);
    gate2(0);
    program(2, 5, 5);
    run(50);
    expect(out2()).toBe(true);
    gate2(1);
    run(5);
    expect(out2()).toBe(false);
    run(1);
    expect(out2()).toBe(true);
  });

  it("counts in BCD", () => {
    const { run, program, count, gate2 } = makePit();
    gate2(1);
    program(2, 0, 0x1000, 1);
    run(1);
    expect(count(2)).toBe(0x0999);
    run(999);
    run(1);
    expect(count(2)).toBe(0x9999);
  });

  it("latches count and status together by read-back, status first", () => {
    const { run, program, inb, outb } = makePit();
    program(0, 2, 0x1234);
    run(0x34);
    outb(3, 0xc2);
    run(5);
    outb(3, 0xc2);
    expect(inb(0)).toBe(0xb4);
    expect(inb(0)).toBe(0x00);
    expect(inb(0)).toBe(0x12);
    expect(inb(0) | (inb(0) << 8)).toBe(0x11fb);
  });

  it("reads and writes single bytes by access mode", () => {
    const { inb, outb, run } = makePit();
    outb(3, 0x14);
    outb(0, 0x80);
    run(1);
    expect(inb(0)).toBe(0x7f);
    outb(3, 0x24);
    outb(0, 0x80);
    run(1);
    expect(inb(0)).toBe(0x7f);
    expect(inb(0)).toBe(0x7f);
  });

  it("bounds the callbacks of the shortest period", () => {
    const { clock, program } = makePit();
    program(0, 2, 2);
    clock.advance(1e9);
    expect(clock.fired).toBeLessThanOrEqual(20_001);
  });

  it("stops for good with mode 0 and count 0, after one last edge", () => {
    const { clock, outb, program, irq } = makePit();
    program(0, 2, 1000);
    outb(3, 0x30);
    outb(0, 0);
    outb(0, 0);
    const before = irq.edges;
    clock.advance(1e9);
    expect(irq.edges).toBe(before + 1);
    expect(clock.armed()).toBe(0);
  });

  it("toggles the refresh bit of port 0x61", () => {
    const { clock } = makePit();
    const pit = new Pit8254(new RecordingLine(), clock);
    const first = pit.port61Handler.read(0, 1) & 0x10;
    clock.advance(15_085);
    expect(pit.port61Handler.read(0, 1) & 0x10).not.toBe(first);
  });
});
