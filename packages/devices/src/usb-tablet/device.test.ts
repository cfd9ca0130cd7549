// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { deviceConformance } from "../conformance/suite.js";
import { configureUsb, recordingHost, request, usbRange } from "../conformance/usb-requests.js";
import { STALL } from "../usb/device.js";
import { UsbTablet } from "./device.js";

function makeTablet(clock = new FakeClock()) {
  const tablet = new UsbTablet(clock);
  const host = recordingHost(tablet);
  const report = (): number[] | null => {
    const into = new Uint8Array(8);
    const count = tablet.transferIn(1, into);
    return count < 0 ? null : [...into.subarray(0, count)];
  };
  return { host, report, tablet };
}

deviceConformance("usb-tablet", (clock) => {
  const { tablet } = makeTablet(clock);
  const point = (random: () => number): void =>
    tablet.point(random(), random() & 0x7fff, random() % 5, random() & 0xff);
  return { device: tablet, ranges: [usbRange(tablet)], pokes: [point, () => configureUsb(tablet)] };
});

describe("a USB tablet", () => {
  it("tells where the pointer is", () => {
    const { host, report, tablet } = makeTablet();
    configureUsb(tablet);
    tablet.point(0x1234, 0x7fff, 0, 1);
    tablet.point(1e9, -5, 2, 0);
    tablet.point(Number.NaN, 3.7, -1, 0xff);
    expect(host.woken).toEqual([0x81, 0x81, 0x81]);
    expect([report(), report(), report(), report()]).toEqual([
      [1, 0x34, 0x12, 0xff, 0x7f, 0],
      [0, 0xff, 0x7f, 0, 0, 0xfe],
      [0x1f, 0, 0, 3, 0, 1],
      null,
    ]);
  });

  it("adds up turns of the wheel that find no room", () => {
    const { report, tablet } = makeTablet();
    configureUsb(tablet);
    for (let i = 0; i < 32; i++) tablet.point(i, i, 0, 0);
    for (let i = 0; i < 3; i++) tablet.point(100 + i, 100, -1, 0);
    for (let i = 0; i < 31; i++) report();
    expect([report(), report()]).toEqual([[0, 102, 0, 100, 0, 3], null]);
  });

  it("is no boot device", () => {
    const { tablet } = makeTablet();
    const configuration = request(tablet, [0x80, 6, 0, 2, 0, 0, 255, 0]) as number[];
    expect(configuration.slice(14, 17)).toEqual([3, 0, 0]);
    expect((request(tablet, [0x81, 6, 0, 0x22, 0, 0, 255, 0]) as number[]).length).toBe(configuration[25]);
    expect(request(tablet, [0x21, 11, 0, 0, 0, 0, 0, 0])).toBe(STALL);
  });
});
