// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Pic8259 } from "./device.js";

deviceConformance("pic8259", () => {
  const pic = new Pic8259(new RecordingLine());
  return {
    device: pic,
    ranges: [
      { handler: pic.masterHandler, length: 2 },
      { handler: pic.slaveHandler, length: 2 },
      { handler: pic.elcrHandler, length: 2 },
    ],
    pokes: [(random) => pic.lines[random() % 16]!.set((random() & 1) === 1), () => pic.acknowledge()],
  };
});

/** A pair set up as Linux does it: vectors 0x30 and 0x38, everything unmasked. */
function makePic(icw4 = 1) {
  const intr = new RecordingLine();
  const pic = new Pic8259(intr);
  const m = (port: number, value: number): void => pic.masterHandler.write(port, 1, value);
  const s = (port: number, value: number): void => pic.slaveHandler.write(port, 1, value);
  m(0, 0x11);
  m(1, 0x30);
  m(1, 4);
  m(1, icw4);
  s(0, 0x11);
  s(1, 0x38);
  s(1, 2);
  s(1, icw4);
  m(1, 0);
  s(1, 0);
  const pulse = (line: number): void => {
    pic.lines[line]!.set(true);
    pic.lines[line]!.set(false);
  };
  return { pic, intr, m, s, pulse };
}

describe("pic8259", () => {
  it("delivers by priority and holds lower ones back until EOI", () => {
    const { pic, intr, m, pulse } = makePic();
    pulse(4);
    pulse(1);
    expect(intr.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x31);
    expect(intr.level).toBe(false);
    m(0, 0x20);
    expect(intr.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x34);
    pulse(5);
    expect(intr.level).toBe(false);
    pulse(0);
    expect(pic.acknowledge()).toBe(0x30);
    m(0, 0x60);
    m(0, 0x64);
    expect(pic.acknowledge()).toBe(0x35);
  });

  it("cascades the slave and needs an EOI on both", () => {
    const { pic, intr, m, s, pulse } = makePic();
    pulse(8);
    pulse(14);
    expect(pic.acknowledge()).toBe(0x38);
    s(0, 0x20);
    expect(intr.level).toBe(false);
    m(0, 0x62);
    expect(intr.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x3e);
    m(0, 0x0b);
    expect(pic.masterHandler.read(0, 1)).toBe(4);
    s(0, 0x0b);
    expect(pic.slaveHandler.read(0, 1)).toBe(0x40);
  });

  it("masks, and reads the mask back", () => {
    const { pic, intr, m, pulse } = makePic();
    m(1, 0xfb);
    expect(pic.masterHandler.read(1, 1)).toBe(0xfb);
    pulse(3);
    expect(intr.level).toBe(false);
    m(1, 0);
    expect(intr.level).toBe(true);
  });

  it("gives the spurious vector when the request is gone", () => {
    const { pic, m } = makePic();
    pic.elcrHandler.write(0, 1, 0xff);
    expect(pic.elcrHandler.read(0, 1)).toBe(0xf8);
    pic.lines[5]!.set(true);
    pic.lines[5]!.set(false);
    expect(pic.acknowledge()).toBe(0x37);
    m(0, 0x0b);
    expect(pic.masterHandler.read(0, 1)).toBe(0);
  });

  it("keeps requesting while a level-triggered line is up", () => {
    const { pic, intr, m, s } = makePic();
    pic.elcrHandler.write(0, 2, 0x0800);
    pic.lines[11]!.set(true);
    expect(pic.acknowledge()).toBe(0x3b);
    s(0, 0x20);
    m(0, 0x20);
    expect(intr.level).toBe(true);
    pic.lines[11]!.set(false);
    expect(intr.level).toBe(false);
  });

  it("ends interrupts by itself in automatic EOI mode and rotates when told", () => {
    const { pic, m, pulse } = makePic(3);
    m(0, 0x80);
    pulse(0);
    expect(pic.acknowledge()).toBe(0x30);
    pulse(0);
    pulse(1);
    expect(pic.acknowledge()).toBe(0x31);
    expect(pic.acknowledge()).toBe(0x30);
  });

  it("rotates priorities on command", () => {
    const { pic, m, pulse } = makePic();
    m(0, 0xc3);
    pulse(0);
    pulse(4);
    expect(pic.acknowledge()).toBe(0x34);
    m(0, 0xa0);
    pulse(4);
    expect(pic.acknowledge()).toBe(0x30);
  });

  it("lets others through in special mask mode", () => {
    const { pic, intr, m, pulse } = makePic();
    pulse(2 + 1);
    expect(pic.acknowledge()).toBe(0x33);
    pulse(6);
    expect(intr.level).toBe(false);
    m(0, 0x68);
    m(1, 0x08);
    expect(intr.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x36);
  });

  it("answers the poll command", () => {
    const { pic, m, pulse } = makePic();
    pulse(7);
    m(0, 0x0c);
    expect(pic.masterHandler.read(0, 1)).toBe(0x87);
    m(0, 0x0c);
    expect(pic.masterHandler.read(0, 1)).toBe(0);
  });

  it("accepts a higher slave request in special fully nested mode only", () => {
    for (const icw4 of [0x01, 0x11]) {
      const { pic, intr, pulse } = makePic(icw4);
      pulse(12);
      expect(pic.acknowledge()).toBe(0x3c);
      pulse(8);
      expect(intr.level).toBe(icw4 === 0x11);
    }
  });
});
