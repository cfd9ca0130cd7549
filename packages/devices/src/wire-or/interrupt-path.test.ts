// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { Ioapic } from "../ioapic/device.js";
import { ApicBus } from "../lapic/apic-bus.js";
import { EXTERNAL_INTERRUPT, Lapic } from "../lapic/device.js";
import { Pic8259 } from "../pic8259/device.js";
import { Pit8254 } from "../pit8254/device.js";
import { fanOut } from "./device.js";

/** The timer interrupt of a PC, wired as a machine does it: through the 8259 and LINT0, and through the I/O APIC. */
function makeBoard() {
  const clock = new FakeClock();
  const bus = new ApicBus();
  let looks = 0;
  const lapic: Lapic = new Lapic({
    id: 0,
    bsp: true,
    bus,
    timers: clock,
    tscToNs: (tsc) => tsc,
    events: { onInterrupt: () => looks++, nmi: () => {}, smi: () => {}, init: () => {}, sipi: () => {} },
    externalVector: () => pic.acknowledge(),
  });
  const ioapic = new Ioapic(bus);
  const pic = new Pic8259(fanOut(lapic.lint0, ioapic.pins[0]!));
  const pit = new Pit8254(fanOut(pic.lines[0]!, ioapic.pins[2]!), clock);
  for (const [offset, value] of [
    [0, 0x11],
    [1, 0x20],
    [1, 0x04],
    [1, 0x01],
    [1, 0xfe],
  ] as const)
    pic.masterHandler.write(offset, 1, value);
  lapic.enterVirtualWireMode();
  const startTimer = (): void => {
    pit.handler.write(3, 1, 0x34);
    pit.handler.write(0, 1, 0xa9);
    pit.handler.write(0, 1, 0x04);
  };
  return { clock, lapic, ioapic, pic, startTimer, looks: () => looks };
}

it("brings timer interrupts through the 8259 in virtual wire mode", () => {
  const { clock, lapic, looks, pic, startTimer } = makeBoard();
  startTimer();
  let taken = 0;
  for (let ms = 0; ms < 100; ms++) {
    clock.advance(1_000_000);
    if (lapic.pendingVector() !== EXTERNAL_INTERRUPT) continue;
    expect(lapic.acknowledge()).toBe(0x20);
    expect(lapic.pendingVector()).toBe(-1);
    pic.masterHandler.write(0, 1, 0x20);
    taken++;
  }
  expect(taken).toBeGreaterThanOrEqual(99);
  expect(looks()).toBe(taken);
});

it("brings them through the I/O APIC once LINT0 is masked", () => {
  const { clock, ioapic, lapic, startTimer } = makeBoard();
  lapic.handler.write(0x350, 4, 0x1_0700);
  ioapic.handler.write(0, 4, 0x14);
  ioapic.handler.write(0x10, 4, 0x30);
  startTimer();
  let taken = 0;
  for (let ms = 0; ms < 100; ms++) {
    clock.advance(1_000_000);
    if (lapic.pendingVector() !== 0x30) continue;
    lapic.acknowledge();
    lapic.handler.write(0xb0, 4, 0);
    taken++;
  }
  expect(taken).toBeGreaterThanOrEqual(99);
});
