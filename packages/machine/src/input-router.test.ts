// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { InputRouter } from "./input-router.js";

function makeRouter() {
  const log: string[] = [];
  const router = new InputRouter();
  const device = (name: string, ready: boolean, absolute = false) => {
    const made = {
      ready,
      key: (code: number, pressed: boolean) => void log.push(`${name} ${code} ${pressed}`),
      move({ at }: { at?: unknown }) {
        if (absolute && at === undefined) return false;
        log.push(`${name} moves`);
        return true;
      },
    };
    router.addKeyboard(made);
    router.addPointer(made);
    return made;
  };
  return { device, log, router };
}

describe("InputRouter", () => {
  it("leads keys to the first device that a driver listens to, and their release to the same", () => {
    const { device, log, router } = makeRouter();
    const usb = device("usb", false);
    device("ps2", true);
    router.key({ code: 1, pressed: true });
    usb.ready = true;
    router.key({ code: 2, pressed: true });
    router.key({ code: 1, pressed: true });
    router.key({ code: 1, pressed: false });
    router.key({ code: 1, pressed: true });
    router.key({ code: 2, pressed: false });
    expect(log).toEqual(["ps2 1 true", "usb 2 true", "ps2 1 true", "ps2 1 false", "usb 1 true", "usb 2 false"]);
  });

  it("leads movements without a place past devices that need one", () => {
    const { device, log, router } = makeRouter();
    device("tablet", true, true);
    device("mouse", true);
    const move = { dx: 1, dy: 1, wheel: 0, buttons: 0 };
    router.move(move);
    router.move({ ...move, at: { x: 1, y: 1 } });
    expect(log).toEqual(["mouse moves", "tablet moves"]);
  });

  it("loses what nobody listens to", () => {
    const { device, log, router } = makeRouter();
    device("usb", false);
    router.key({ code: 1, pressed: true });
    router.move({ dx: 1, dy: 1, wheel: 0, buttons: 0 });
    expect(log).toEqual([]);
  });
});
