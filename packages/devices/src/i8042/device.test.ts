// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
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

deviceConformance("i8042 with keyboard and mouse", () => {
  const { device } = makeEquipped();
  return {
    device,
    ranges: [
      { handler: device.dataHandler, length: 1 },
      { handler: device.commandHandler, length: 1 },
      { handler: device.portAHandler, length: 1 },
    ],
    pokes: [
      (random) => device.keyboard!.key(random() & 0xe0ff, random() % 2 === 0),
      (random) => device.mouse!.move((random() & 0x3ff) - 512, random() & 0xff, (random() & 7) - 4, random() & 7),
      (random) => device.commandHandler.write(0, 1, [0xd4, 0x60, 0xae, 0xa8, 0xd2][random() % 5]!),
    ],
  };
});

/** A controller with a keyboard and a mouse, both ports on, interrupts on, no translation unless asked for. */
function makeEquipped(mode = 0x03) {
  const keyboard = new RecordingLine();
  const mouse = new RecordingLine();
  const device = new I8042({ resetRequested: () => {}, a20Changed: () => {} }, { keyboard, mouse });
  device.commandHandler.write(0, 1, 0x60);
  device.dataHandler.write(0, 1, mode);
  const data = (value: number): void => device.dataHandler.write(0, 1, value);
  const toMouse = (...bytes: number[]): void => {
    for (const byte of bytes) {
      device.commandHandler.write(0, 1, 0xd4);
      data(byte);
    }
  };
  /** Everything that waits, bytes of the mouse with 0x100 added. */
  const taken = (): number[] => {
    const bytes: number[] = [];
    for (let status = device.commandHandler.read(0, 1); (status & 1) !== 0; status = device.commandHandler.read(0, 1))
      bytes.push(device.dataHandler.read(0, 1) | ((status & 0x20) !== 0 ? 0x100 : 0));
    return bytes;
  };
  return { data, device, keyboard, mouse, taken, toMouse };
}

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

describe("keyboard", () => {
  it("sends scan codes of the set that was asked for, an interrupt each", () => {
    const { data, device, keyboard, taken } = makeEquipped();
    device.keyboard!.key(0x1e, true);
    device.keyboard!.key(0x1e, false);
    device.keyboard!.key(0xe048, true);
    expect(keyboard.level).toBe(true);
    expect(taken()).toEqual([0x1c, 0xf0, 0x1c, 0xe0, 0x75]);
    expect([keyboard.level, keyboard.edges]).toEqual([false, 5]);
    data(0xf0);
    data(1);
    expect(taken()).toEqual([0xfa, 0xfa]);
    device.keyboard!.key(0xe048, false);
    expect(taken()).toEqual([0xe0, 0xc8]);
  });

  it("is translated by the controller", () => {
    const { data, device, taken } = makeEquipped(0x43);
    device.keyboard!.key(0x1e, true);
    device.keyboard!.key(0x1e, false);
    device.keyboard!.key(0xe053, false);
    device.keyboard!.key(0xe11d, true);
    expect(taken()).toEqual([0x1e, 0x9e, 0xe0, 0xd3, 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5]);
    data(0xf2);
    expect(taken()).toEqual([0xfa, 0xab, 0x41]);
    for (let code = 1; code < 0x59; code++) {
      device.keyboard!.key(code, true);
      expect(taken()).toEqual([code]);
    }
  });

  it("answers commands and waits while its port is off", () => {
    const { data, device, taken } = makeEquipped();
    for (const byte of [0xed, 5, 0xf3, 0x20, 0xee]) data(byte);
    expect(taken()).toEqual([0xfa, 0xfa, 0xfa, 0xfa, 0xee]);
    expect(device.keyboard!.leds).toBe(5);
    data(0xff);
    expect(taken()).toEqual([0xfa, 0xaa]);
    device.commandHandler.write(0, 1, 0xad);
    device.keyboard!.key(0x39, true);
    expect(taken()).toEqual([]);
    device.commandHandler.write(0, 1, 0xae);
    expect(taken()).toEqual([0x29]);
    data(0xf5);
    device.keyboard!.key(0x39, true);
    expect(taken()).toEqual([0xfa]);
  });

  it("keeps a line that comes at once, in capitals", () => {
    const { device, taken } = makeEquipped();
    const expected: number[] = [];
    for (let i = 0; i < 30; i++) {
      for (const [code, pressed] of [
        [0x2a, true],
        [0x1e, true],
        [0x1e, false],
        [0x2a, false],
      ] as const)
        device.keyboard!.key(code, pressed);
      expected.push(0x12, 0x1c, 0xf0, 0x1c, 0xf0, 0x12);
    }
    expect(taken()).toEqual(expected);
  });

  it("loses what is typed beyond its buffer, and whole keys only, of which none stays down", () => {
    const { device, taken } = makeEquipped();
    for (let i = 0; i < 200; i++) {
      device.keyboard!.key(0x2a, true);
      device.keyboard!.key(0x1e, true);
      device.keyboard!.key(0x1e, false);
      device.keyboard!.key(0x2a, false);
    }
    const bytes = taken();
    expect(bytes.length).toBeLessThanOrEqual(257);
    const down = new Set<number>();
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === 0xf0) down.delete(bytes[++at]);
      else down.add(bytes[at]);
    }
    expect([...down]).toEqual([]);
  });
});

describe("mouse", () => {
  it("reports movement once it is enabled", () => {
    const { device, mouse, taken, toMouse } = makeEquipped();
    device.mouse!.move(5, 5, 0, 1);
    expect(taken()).toEqual([]);
    toMouse(0xff);
    expect(taken()).toEqual([0x1fa, 0x1aa, 0x100]);
    toMouse(0xf4);
    expect(taken()).toEqual([0x1fa]);
    device.mouse!.move(3, -2, 0, 1);
    expect(mouse.level).toBe(true);
    expect(taken()).toEqual([0x109, 0x103, 0x102]);
    device.mouse!.move(-1, 1, 0, 0);
    expect(taken()).toEqual([0x138, 0x1ff, 0x1ff]);
    expect(mouse.level).toBe(false);
  });

  it("adds up what comes faster than it is taken", () => {
    const { device, taken, toMouse } = makeEquipped();
    toMouse(0xf4);
    taken();
    device.mouse!.move(1, 0, 0, 0);
    for (let i = 0; i < 10; i++) device.mouse!.move(30, 0, 0, 0);
    expect(taken()).toEqual([0x108, 0x101, 0x100, 0x108, 0x1ff, 0x100, 0x108, 0x12d, 0x100]);
  });

  it("has a wheel for who knows how to ask", () => {
    const { device, taken, toMouse } = makeEquipped();
    toMouse(0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2);
    expect(taken().at(-1)).toBe(0x103);
    toMouse(0xf4);
    taken();
    device.mouse!.move(0, 0, -1, 4);
    expect(taken()).toEqual([0x10c, 0x100, 0x100, 0x1ff]);
    toMouse(0xe9);
    expect(taken()).toEqual([0x1fa, 0x122, 0x102, 0x150]);
    toMouse(0xeb);
    expect(taken().length).toBe(5);
  });
});
