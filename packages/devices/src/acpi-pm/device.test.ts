// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { AcpiPm } from "./device.js";
import { PM_BLOCK_SIZE } from "./registers.js";

const SILENT = { powerOff: () => {}, resetRequested: () => {} };

deviceConformance("acpi-pm", (clock) => {
  const pm = new AcpiPm(new RecordingLine(), clock, SILENT);
  return {
    device: pm,
    ranges: [
      { handler: pm.handler, length: PM_BLOCK_SIZE },
      { handler: pm.resetHandler, length: 1 },
    ],
    pokes: [() => pm.pressPowerButton(), (random) => pm.raiseGpe(random() % 16)],
  };
});

function makePm() {
  const clock = new FakeClock();
  const sci = new RecordingLine();
  const events: string[] = [];
  const pm = new AcpiPm(sci, clock, {
    powerOff: () => events.push("off"),
    resetRequested: () => events.push("reset"),
  });
  return { clock, sci, events, pm };
}

describe("acpi-pm", () => {
  it("counts at 3.579545 MHz and wraps at 32 bits", () => {
    const { clock, pm } = makePm();
    clock.advance(1e9);
    expect(pm.handler.read(8, 4)).toBe(3_579_545);
    clock.advance(1200e9);
    expect(pm.handler.read(8, 4)).toBe((3_579_545 * 1201) % 2 ** 32);
  });

  it("signals the power button until it is acknowledged", () => {
    const { pm, sci } = makePm();
    pm.handler.write(2, 2, 0x0100);
    pm.pressPowerButton();
    expect(sci.level).toBe(true);
    expect(pm.handler.read(0, 2)).toBe(0x0100);
    pm.handler.write(0, 2, 0x0100);
    expect(sci.level).toBe(false);
  });

  it("powers off by SLP_TYP 5 and SLP_EN only", () => {
    const { events, pm } = makePm();
    expect(pm.handler.read(4, 2)).toBe(1);
    pm.handler.write(4, 2, (5 << 10) | 1);
    expect(events).toEqual([]);
    pm.handler.write(4, 2, (1 << 10) | (1 << 13));
    expect(events).toEqual([]);
    expect(pm.handler.read(0, 2) & 0x8000).toBe(0x8000);
    pm.handler.write(4, 2, (5 << 10) | (1 << 13));
    expect(events).toEqual(["off"]);
    expect(pm.handler.read(4, 2) & 0x2000).toBe(0);
  });

  it("powers off by the SLP_TYP that its board has for it", () => {
    const off: string[] = [];
    const events = { powerOff: () => off.push("off"), resetRequested: () => {} };
    const pm = new AcpiPm(new RecordingLine(), new FakeClock(), events, 0);
    pm.handler.write(4, 2, (5 << 10) | (1 << 13));
    expect(off).toEqual([]);
    pm.handler.write(4, 2, 1 << 13);
    expect(off).toEqual(["off"]);
  });

  it("resets on the rising reset bit", () => {
    const { events, pm } = makePm();
    pm.resetHandler.write(0, 1, 2);
    pm.resetHandler.write(0, 1, 6);
    pm.resetHandler.write(0, 1, 6);
    expect(events).toEqual(["reset"]);
  });

  it("raises general-purpose events and the timer carry", () => {
    const { clock, pm, sci } = makePm();
    pm.handler.write(0x12, 2, 1 << 9);
    pm.raiseGpe(9);
    expect(sci.level).toBe(true);
    pm.handler.write(0x11, 1, 2);
    expect(sci.level).toBe(false);
    pm.handler.write(2, 2, 1);
    clock.advance(600e9);
    expect(sci.level).toBe(true);
    pm.handler.write(0, 2, 1);
    expect(sci.level).toBe(false);
    clock.advance(600e9);
    expect(sci.level).toBe(true);
  });
});
