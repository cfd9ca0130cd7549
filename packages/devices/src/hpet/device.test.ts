// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Hpet } from "./device.js";

function makeHpet(clock: FakeClock) {
  const pins = Array.from({ length: 24 }, () => new RecordingLine());
  const legacy = [new RecordingLine(), new RecordingLine()] as const;
  const changes: boolean[] = [];
  const device = new Hpet({ timers: clock, pins, legacy, legacyChanged: (on) => changes.push(on) });
  const write = (offset: number, value: number): void => device.handler.write(offset, 4, value);
  const read = (offset: number): number => device.handler.read(offset, 4);
  return { device, pins, legacy, changes, write, read };
}

deviceConformance("hpet", (clock) => {
  const { device } = makeHpet(clock);
  return { device, ranges: [{ handler: device.handler, length: 0x200 }] };
});

describe("hpet", () => {
  it("counts while it is enabled, from where it was set", () => {
    const clock = new FakeClock();
    const { read, write } = makeHpet(clock);
    expect(read(4)).toBe(10_000_000);
    clock.advance(1000);
    expect(read(0xf0)).toBe(0);
    write(0xf0, 50);
    write(0x10, 1);
    clock.advance(1000);
    expect(read(0xf0)).toBe(150);
    write(0x10, 0);
    clock.advance(1000);
    expect(read(0xf0)).toBe(150);
  });

  it("interrupts once, and with a level until that is cleared", () => {
    const clock = new FakeClock();
    const { pins, read, write } = makeHpet(clock);
    write(0x100, 0x6 | (20 << 9));
    write(0x104, 0);
    write(0x108, 200);
    write(0x10c, 0);
    write(0x10, 1);
    clock.advance(1999);
    expect(pins[20]!.level).toBe(false);
    clock.advance(1);
    expect(pins[20]!.level).toBe(true);
    expect(read(0x20)).toBe(1);
    write(0x20, 1);
    expect(pins[20]!.level).toBe(false);
    clock.advance(1e9);
    expect(pins[20]!.edges).toBe(1);
  });

  it("interrupts periodically in place of the 8254", () => {
    const clock = new FakeClock();
    const { changes, legacy, write } = makeHpet(clock);
    write(0x100, 0x4c);
    write(0x108, 10_000);
    write(0x10c, 0);
    write(0x108, 10_000);
    write(0x10, 3);
    expect(changes).toEqual([true]);
    for (let i = 0; i < 10; i++) clock.advance(100_000);
    expect(legacy[0].edges).toBe(10);
    // A period that is too short does not keep anybody busy.
    write(0x108, 1);
    for (let i = 0; i < 10; i++) clock.advance(10_000);
    expect(legacy[0].edges).toBeLessThan(25);
  });
});
