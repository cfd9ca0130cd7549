// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { deviceConformance } from "../conformance/suite.js";
import { I8042 } from "./device.js";

deviceConformance("i8042", () => {
  const device = new I8042({ resetRequested: () => {}, a20Changed: () => {} });
  return {
    device,
    ranges: [
      { handler: device.dataHandler, length: 1 },
      { handler: device.commandHandler, length: 1 },
      { handler: device.portAHandler, length: 1 },
    ],
  };
});

function makeI8042() {
  const events: string[] = [];
  const device = new I8042({
    resetRequested: () => events.push("reset"),
    a20Changed: (on) => events.push(on ? "a20 on" : "a20 off"),
  });
  const command = (value: number): void => device.commandHandler.write(0, 1, value);
  const data = (value: number): void => device.dataHandler.write(0, 1, value);
  const answer = (): number => {
    expect(device.commandHandler.read(0, 1) & 1).toBe(1);
    return device.dataHandler.read(0, 1);
  };
  return { device, events, command, data, answer };
}

describe("i8042", () => {
  it("resets by command, output port and port A", () => {
    const { command, data, device, events } = makeI8042();
    command(0xfe);
    command(0xff);
    command(0xd1);
    data(0x02);
    device.portAHandler.write(0, 1, 3);
    device.portAHandler.write(0, 1, 3);
    expect(events).toEqual(["reset", "reset", "reset"]);
  });

  it("switches A20 in two ways that agree", () => {
    const { answer, command, data, device, events } = makeI8042();
    expect(device.portAHandler.read(0, 1)).toBe(2);
    command(0xd1);
    data(0x01);
    expect(device.portAHandler.read(0, 1)).toBe(0);
    device.portAHandler.write(0, 1, 2);
    command(0xd0);
    expect(answer()).toBe(3);
    expect(events).toEqual(["a20 off", "a20 on"]);
    device.portAHandler.write(0, 1, 0);
    device.reset();
    expect(events.at(-1)).toBe("a20 on");
  });

  it("answers a probe and has nothing plugged in", () => {
    const { answer, command, data, device } = makeI8042();
    command(0xaa);
    expect(answer()).toBe(0x55);
    command(0x20);
    expect(answer()).toBe(0x74);
    command(0x60);
    data(0x65);
    command(0x20);
    expect(answer()).toBe(0x65);
    command(0xab);
    expect(answer()).toBe(1);
    data(0xf2);
    expect(device.commandHandler.read(0, 1)).toBe(0x14);
  });
});
