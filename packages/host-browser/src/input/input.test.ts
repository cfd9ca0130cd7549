// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import { Keyboard } from "./keyboard.js";
import { Mouse } from "./mouse.js";
import { scanCodeOf } from "./scan-codes.js";
import { TouchPad } from "./touch.js";

let log: string[] = [];
const sink = {
  key: (code: number, pressed: boolean) => void log.push(`${pressed ? "+" : "-"}${code.toString(16)}`),
  mouse: (dx: number, dy: number, wheel: number, buttons: number) =>
    void log.push([dx, dy, wheel, buttons].map((one) => one + 0).join()),
};
beforeEach(() => (log = []));

describe("the keyboard", () => {
  const key = (code: string, modifiers = "") => ({
    code,
    preventDefault: () => void log.push("prevented"),
    getModifierState: (name: string) => modifiers.includes(name),
  });

  it.each([
    ["KeyA", 0x1e],
    ["Digit0", 0x0b],
    ["Backslash", 0x2b],
    ["Slash", 0x35],
    ["Space", 0x39],
    ["F10", 0x44],
    ["F12", 0x58],
    ["ScrollLock", 0x46],
    ["NumpadDecimal", 0x53],
    ["Numpad1", 0x4f],
    ["NumpadEnter", 0xe01c],
    ["ControlRight", 0xe01d],
    ["ArrowUp", 0xe048],
    ["PageDown", 0xe051],
    ["Delete", 0xe053],
    ["ContextMenu", 0xe05d],
    ["Pause", 0xe11d],
    ["IntlBackslash", 0x56],
  ])("%s", (code, expected) => {
    expect(scanCodeOf(code)).toBe(expected);
  });

  it("passes keys on, and leaves those to the browser that no PC has", () => {
    const keyboard = new Keyboard(sink);
    keyboard.down(key("KeyA"));
    keyboard.up(key("KeyA"));
    keyboard.down(key("BrowserBack"));
    keyboard.up(key("BrowserBack"));
    expect(log).toEqual(["prevented", "+1e", "prevented", "-1e"]);
  });

  it("lets go of what is held when the focus goes, once", () => {
    const keyboard = new Keyboard(sink);
    keyboard.down(key("AltLeft", "Alt"));
    keyboard.down(key("Tab", "Alt"));
    log = [];
    keyboard.releaseAll();
    keyboard.releaseAll();
    keyboard.up(key("Tab"));
    expect(log).toEqual(["-38", "-f", "prevented"]);
  });

  it("lets go of a modifier whose release went elsewhere", () => {
    const keyboard = new Keyboard(sink);
    keyboard.down(key("ControlLeft", "Control"));
    log = [];
    keyboard.down(key("KeyC"));
    expect(log).toEqual(["prevented", "-1d", "+2e"]);
  });

  it("lets go of everything with the Command key, which hides releases of others", () => {
    const keyboard = new Keyboard(sink);
    keyboard.down(key("MetaLeft", "Meta"));
    keyboard.down(key("KeyV", "Meta"));
    log = [];
    keyboard.up(key("MetaLeft"));
    expect(log).toEqual(["prevented", "-e05b", "-2f"]);
  });
});

describe("the mouse", () => {
  it("moves in the machine's pixels without losing parts of them", () => {
    const mouse = new Mouse(sink, () => 0.5);
    mouse.moved({ movementX: 1, movementY: -3, buttons: 1 });
    mouse.moved({ movementX: 1, movementY: -3, buttons: 0x60 });
    expect(log).toEqual(["0,-1,0,1", "1,-2,0,0"]);
  });

  it("turns the wheel by whole clicks", () => {
    const mouse = new Mouse(sink);
    const turn = (deltaY: number, deltaMode = 0) =>
      mouse.turned({ deltaY, deltaMode, buttons: 0, preventDefault() {} });
    turn(60);
    turn(60);
    turn(-3, 1);
    expect(log).toEqual(["0,0,1,0", "0,0,-1,0"]);
  });
});

describe("fingers", () => {
  const at = (pointerId: number, clientX: number, clientY: number, timeStamp: number) => ({
    pointerId,
    clientX,
    clientY,
    timeStamp,
  });

  it("move, click and drag", () => {
    const pad = new TouchPad(sink, () => 2);
    pad.down(at(1, 0, 0, 0));
    pad.move(at(1, 3, 3, 50));
    pad.move(at(1, 20, 0, 100));
    pad.up(at(1, 20, 0, 200));
    expect(log.splice(0)).toEqual(["40,0,0,0"]);
    pad.down(at(1, 0, 0, 1000));
    pad.up(at(1, 1, 1, 1100));
    expect(log.splice(0)).toEqual(["0,0,0,1", "0,0,0,0"]);
    pad.down(at(1, 0, 0, 2000));
    pad.move(at(1, 10, 0, 2600));
    pad.up(at(1, 10, 0, 2700));
    expect(log).toEqual(["20,0,0,1", "0,0,0,0"]);
  });

  it("two of them turn the wheel or press the right button", () => {
    const pad = new TouchPad(sink);
    pad.down(at(1, 0, 0, 0));
    pad.down(at(2, 50, 0, 10));
    pad.move(at(1, 0, -60, 50));
    pad.move(at(2, 50, -60, 60));
    pad.up(at(1, 0, -60, 70));
    pad.up(at(2, 50, -60, 80));
    expect(log.splice(0)).toEqual(["0,0,1,0", "0,0,1,0"]);
    pad.down(at(1, 0, 0, 1000));
    pad.down(at(2, 50, 0, 1010));
    pad.up(at(2, 50, 0, 1100));
    pad.up(at(1, 0, 0, 1110));
    pad.up(at(9, 0, 0, 1120));
    expect(log).toEqual(["0,0,0,2", "0,0,0,0"]);
  });
});
