// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { deviceConformance } from "../conformance/suite.js";
import { configureUsb, recordingHost, request, usbRange } from "../conformance/usb-requests.js";
import { NAK, STALL } from "../usb/device.js";
import { UsbKeyboard } from "./device.js";
import { usageOf } from "./key-usages.js";

const A = 0x1e;
const B = 0x30;
const LEFT_SHIFT = 0x2a;
const RIGHT_CONTROL = 0xe01d;

function makeKeyboard(clock = new FakeClock()) {
  const keyboard = new UsbKeyboard(clock);
  const host = recordingHost(keyboard);
  /** The next report, or null. */
  const report = (): number[] | null => {
    const into = new Uint8Array(8);
    const count = keyboard.transferIn(1, into);
    return count < 0 ? null : [...into.subarray(0, count)];
  };
  return { clock, host, keyboard, report };
}

deviceConformance("usb-keyboard", (clock) => {
  const { keyboard } = makeKeyboard(clock);
  const key = (random: () => number): void => keyboard.key(random() & 0xff, random() % 2 === 0);
  return { device: keyboard, ranges: [usbRange(keyboard)], pokes: [key, () => configureUsb(keyboard)] };
});

describe("a USB keyboard", () => {
  it("knows the usages of the keys of a PC", () => {
    expect([0x01, 0x1c, 0x39, 0x3b, 0x58, 0xe048, 0xe11d, 0xe05b].map(usageOf)).toEqual([
      0x29, 0x28, 0x2c, 0x3a, 0x45, 0x52, 0x48, 0xe3,
    ]);
    expect(usageOf(0x7f)).toBe(0);
    const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((_, i) => i + 4);
    const codes = [
      ...[0x1e, 0x30, 0x2e, 0x20, 0x12, 0x21, 0x22, 0x23, 0x17, 0x24, 0x25, 0x26, 0x32],
      ...[0x31, 0x18, 0x19, 0x10, 0x13, 0x1f, 0x14, 0x16, 0x2f, 0x11, 0x2d, 0x15, 0x2c],
    ];
    expect(codes.map(usageOf)).toEqual(letters);
  });

  it("describes itself as a boot keyboard with one interrupt endpoint", () => {
    const { keyboard } = makeKeyboard();
    const device = request(keyboard, [0x80, 6, 0, 1, 0, 0, 18, 0]);
    expect(device).toEqual([18, 1, 0, 2, 0, 0, 0, 8, 0x27, 6, 1, 0, 0, 1, 1, 2, 3, 1]);
    const configuration = request(keyboard, [0x80, 6, 0, 2, 0, 0, 255, 0]) as number[];
    expect([configuration.length, configuration[2]]).toEqual([34, 34]);
    expect(configuration.slice(9, 18)).toEqual([9, 4, 0, 0, 1, 3, 1, 1, 0]);
    const report = request(keyboard, [0x81, 6, 0, 0x22, 0, 0, 255, 0]) as number[];
    expect(report.length).toBe(configuration[25]);
    expect(request(keyboard, [0x80, 6, 2, 3, 9, 4, 255, 0])).toEqual([
      26,
      3,
      ...[..."USB Keyboard"].flatMap((one) => [one.charCodeAt(0), 0]),
    ]);
    expect(request(keyboard, [0x80, 6, 9, 3, 9, 4, 255, 0])).toBe(STALL);
    expect(request(keyboard, [0x80, 6, 0, 15, 0, 0, 255, 0])).toBe(STALL);
  });

  it("reports keys once it is configured, in the order in which they came", () => {
    const { host, keyboard, report } = makeKeyboard();
    keyboard.key(A, true);
    keyboard.key(A, false);
    expect([report(), keyboard.ready]).toEqual([null, false]);
    configureUsb(keyboard);
    expect(keyboard.ready).toBe(false);
    expect(report()).toBeNull();
    expect(keyboard.ready).toBe(true);
    keyboard.key(LEFT_SHIFT, true);
    keyboard.key(A, true);
    keyboard.key(A, true);
    keyboard.key(RIGHT_CONTROL, true);
    keyboard.key(LEFT_SHIFT, false);
    keyboard.key(A, false);
    expect(host.woken).toEqual([0x81, 0x81, 0x81, 0x81, 0x81]);
    expect([report(), report(), report(), report(), report(), report()]).toEqual([
      [2, 0, 0, 0, 0, 0, 0, 0],
      [2, 0, 4, 0, 0, 0, 0, 0],
      [0x12, 0, 4, 0, 0, 0, 0, 0],
      [0x10, 0, 4, 0, 0, 0, 0, 0],
      [0x10, 0, 0, 0, 0, 0, 0, 0],
      null,
    ]);
  });

  it("says that too many keys are down", () => {
    const { keyboard, report } = makeKeyboard();
    configureUsb(keyboard);
    for (let code = 2; code < 9; code++) keyboard.key(code, true);
    for (let i = 0; i < 6; i++) report();
    expect(report()).toEqual([0, 0, 1, 1, 1, 1, 1, 1]);
    keyboard.key(2, false);
    expect(report()).toEqual([0, 0, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24]);
  });

  it("keeps the last state when nobody fetches reports", () => {
    const { keyboard, report } = makeKeyboard();
    configureUsb(keyboard);
    for (let i = 0; i < 100; i++) keyboard.key(A, i % 2 === 0);
    keyboard.key(B, true);
    let last = report();
    let count = 0;
    for (let next = last; next !== null; next = report()) {
      last = next;
      count++;
    }
    expect([count, last]).toEqual([32, [0, 0, 5, 0, 0, 0, 0, 0]]);
  });

  it("repeats its report at the idle rate that the host sets", () => {
    const { clock, keyboard, report } = makeKeyboard();
    configureUsb(keyboard);
    expect(request(keyboard, [0x21, 10, 0, 10, 0, 0, 0, 0])).toEqual([]);
    expect(request(keyboard, [0xa1, 2, 0, 0, 0, 0, 1, 0])).toEqual([10]);
    keyboard.key(A, true);
    expect(report()?.[2]).toBe(4);
    expect(report()).toBeNull();
    clock.advance(40e6);
    expect(report()?.[2]).toBe(4);
    request(keyboard, [0x21, 10, 0, 0, 0, 0, 0, 0]);
    clock.advance(1e9);
    expect(report()).toBeNull();
  });

  it("has lights, protocols, and an endpoint that can be halted", () => {
    const { keyboard } = makeKeyboard();
    configureUsb(keyboard);
    expect(request(keyboard, [0x21, 9, 0, 2, 0, 0, 1, 0], [3])).toEqual([3]);
    expect(keyboard.leds).toBe(3);
    expect(request(keyboard, [0xa1, 3, 0, 0, 0, 0, 1, 0])).toEqual([1]);
    expect(request(keyboard, [0x21, 11, 0, 0, 0, 0, 0, 0])).toEqual([]);
    expect(request(keyboard, [0xa1, 3, 0, 0, 0, 0, 1, 0])).toEqual([0]);
    expect(request(keyboard, [0xa1, 1, 0, 1, 0, 0, 8, 0])).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(request(keyboard, [2, 3, 0, 0, 0x81, 0, 0, 0])).toEqual([]);
    expect(request(keyboard, [0x82, 0, 0, 0, 0x81, 0, 2, 0])).toEqual([1, 0]);
    expect(keyboard.transferIn(1, new Uint8Array(8))).toBe(STALL);
    expect(request(keyboard, [2, 1, 0, 0, 0x81, 0, 0, 0])).toEqual([]);
    expect(keyboard.transferIn(1, new Uint8Array(8))).toBe(NAK);
    expect([keyboard.transferIn(2, new Uint8Array(8)), keyboard.transferOut()]).toEqual([STALL, STALL]);
  });
});
