// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { secondsToAlarm } from "./calendar.js";
import { Rtc } from "./device.js";

deviceConformance("rtc", (clock) => {
  const rtc = new Rtc(new RecordingLine(), clock, clock);
  return {
    device: rtc,
    ranges: [{ handler: rtc.handler, length: 4 }],
    // The clock registers are few among 128 indices; go for them more often.
    pokes: [
      (random) => {
        rtc.handler.write(0, 1, random() % 14);
        rtc.handler.write(1, 1, random() & 0xff);
      },
    ],
    keptByReset: [
      "a",
      "b",
      "alarm",
      "offsetMs",
      "stopped",
      "stoppedFractionMs",
      "checkedSecond",
      "checkedPeriod",
      "cmos",
    ],
  };
});

function makeRtc(wallMs = Date.UTC(2024, 1, 29, 23, 59, 58)) {
  const clock = new FakeClock(wallMs);
  const irq = new RecordingLine();
  const rtc = new Rtc(irq, clock, clock);
  const get = (index: number): number => {
    rtc.handler.write(0, 1, index);
    return rtc.handler.read(1, 1);
  };
  const set = (index: number, value: number): void => {
    rtc.handler.write(0, 1, index);
    rtc.handler.write(1, 1, value);
  };
  const date = (): number[] => [0x32, 9, 8, 7, 4, 2, 0].map(get);
  return { clock, irq, rtc, get, set, date };
}

describe("rtc", () => {
  it("shows the wall time in BCD and carries over midnight of a leap day", () => {
    const { clock, date, get } = makeRtc();
    expect(date()).toEqual([0x20, 0x24, 0x02, 0x29, 0x23, 0x59, 0x58]);
    expect(get(6)).toBe(5);
    clock.advance(2e9);
    expect(date()).toEqual([0x20, 0x24, 0x03, 0x01, 0x00, 0x00, 0x00]);
  });

  it("shows binary and 12-hour forms", () => {
    const { get, set } = makeRtc();
    set(0x0b, 0x04);
    expect(get(4)).toBe(0x80 | 11);
    expect(get(2)).toBe(59);
    set(0x0b, 0x00);
    expect(get(4)).toBe(0x91);
  });

  it("is set under SET without being disturbed by the order of writes", () => {
    const { clock, date, set } = makeRtc(Date.UTC(2023, 0, 31, 1, 2, 3));
    set(0x0b, 0x82);
    clock.advance(5e9);
    set(9, 0x99);
    set(8, 0x02);
    set(7, 0x10);
    set(4, 0x12);
    set(2, 0x30);
    set(0, 0x15);
    set(0x32, 0x19);
    expect(date()).toEqual([0x19, 0x99, 0x02, 0x10, 0x12, 0x30, 0x15]);
    set(0x0b, 0x02);
    clock.advance(3e9);
    expect(date()).toEqual([0x19, 0x99, 0x02, 0x10, 0x12, 0x30, 0x18]);
  });

  it("has its first update half a second after the divider reset", () => {
    const { clock, get, set } = makeRtc();
    set(0x0a, 0x70);
    clock.advance(3.3e9);
    expect(get(0)).toBe(0x58);
    set(0x0a, 0x26);
    clock.advance(0.49e9);
    expect(get(0)).toBe(0x58);
    clock.advance(0.02e9);
    expect(get(0)).toBe(0x59);
  });

  it("shows an update in progress before each second", () => {
    const { clock, get } = makeRtc();
    expect(get(0x0a)).toBe(0x26);
    clock.advance(0.999e9);
    expect(get(0x0a)).toBe(0xa6);
    clock.advance(0.001e9);
    expect(get(0x0a)).toBe(0x26);
  });

  it("interrupts at each update until acknowledged", () => {
    const { clock, get, irq, set } = makeRtc(Date.UTC(2024, 1, 1, 12));
    set(0x0b, 0x12);
    clock.advance(3.5e9);
    expect(irq.edges).toBe(1);
    expect(get(0x0c)).toBe(0x90 | 0x40);
    expect(irq.level).toBe(false);
    for (let i = 0; i < 5; i++) {
      clock.advance(1e9);
      get(0x0c);
    }
    expect(irq.edges).toBe(6);
  });

  it("interrupts at the periodic rate", () => {
    const { clock, get, irq, set } = makeRtc();
    set(0x0a, 0x2a);
    set(0x0b, 0x42);
    const started = clock.now();
    while (clock.now() - started < 1e9) {
      clock.advance(1e9 / 256);
      get(0x0c);
    }
    expect(irq.edges).toBeGreaterThanOrEqual(63);
    expect(irq.edges).toBeLessThanOrEqual(65);
  });

  it("raises the alarm at its time", () => {
    const { clock, get, irq, set } = makeRtc();
    set(1, 0x05);
    set(3, 0x00);
    set(5, 0x00);
    set(0x0b, 0x22);
    clock.advance(6.9e9);
    expect(irq.level).toBe(false);
    clock.advance(0.2e9);
    expect(irq.level).toBe(true);
    expect(get(0x0c) & 0xa0).toBe(0xa0);
  });

  it("finds the next match of wildcard alarms", () => {
    const at = (h: number, m: number, s: number): number => h * 3600 + m * 60 + s;
    expect(secondsToAlarm(at(1, 2, 3), [0xff, 0xff, 0xff], 2)).toBe(1);
    expect(secondsToAlarm(at(1, 2, 3), [0x03, 0xff, 0xff], 2)).toBe(60);
    expect(secondsToAlarm(at(1, 2, 3), [0x00, 0x00, 0xc0], 2)).toBe(at(0, 57, 57));
    expect(secondsToAlarm(at(1, 2, 3), [0x03, 0x02, 0x01], 2)).toBe(86_400);
    expect(secondsToAlarm(at(23, 59, 59), [0x00, 0x00, 0x00], 2)).toBe(1);
    expect(secondsToAlarm(0, [0x99, 0, 0], 2)).toBe(-1);
    expect(secondsToAlarm(at(0, 0, 0), [0, 0, 0x81], 0)).toBe(at(13, 0, 0));
  });

  it("keeps CMOS RAM and time over a reset", () => {
    const { get, rtc, set } = makeRtc();
    rtc.setCmos(0x34, 0x77);
    rtc.setCmos(0x0b, 0xff);
    set(0x0b, 0x76);
    rtc.reset();
    expect(get(0x34)).toBe(0x77);
    expect(get(0x0b)).toBe(0x06);
    expect(get(2)).toBe(59);
    rtc.handler.write(2, 1, 5);
    rtc.handler.write(3, 1, 0xab);
    expect(rtc.handler.read(3, 1)).toBe(0xab);
  });
});
