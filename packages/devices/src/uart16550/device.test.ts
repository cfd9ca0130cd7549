// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { FakeClock } from "../conformance/fake-clock.js";
import { RecordingLine, RecordingSink } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Uart16550 } from "./device.js";

function makeUart(onReceiveReady?: () => void) {
  const clock = new FakeClock();
  const irq = new RecordingLine();
  const sink = new RecordingSink();
  const uart = new Uart16550({ irq, sink, timers: clock, ...(onReceiveReady === undefined ? {} : { onReceiveReady }) });
  const inb = (reg: number): number => uart.handler.read(reg, 1);
  const outb = (reg: number, value: number): void => uart.handler.write(reg, 1, value);
  return { clock, irq, sink, uart, inb, outb };
}

deviceConformance("uart16550", (clock) => {
  const uart = new Uart16550({ irq: new RecordingLine(), sink: new RecordingSink(), timers: clock });
  return {
    device: uart,
    ranges: [{ handler: uart.handler, length: 8 }],
    pokes: [(random) => uart.receive(Uint8Array.from({ length: random() % 20 }, () => random()))],
  };
});

describe("uart16550", () => {
  it("passes the probe of the Linux 8250 driver and is found to be a 16550A", () => {
    const { inb, outb } = makeUart();
    // Presence: only the low four bits of IER stick.
    outb(1, 0);
    expect(inb(1) & 0x0f).toBe(0);
    outb(1, 0x0f);
    expect(inb(1) & 0x0f).toBe(0x0f);
    outb(1, 0);
    // Loop-back: RTS and OUT2 come back as CTS and DCD.
    outb(4, 0x1a);
    expect(inb(6) & 0xf0).toBe(0x90);
    outb(4, 0);
    // FIFO: both FIFO bits in IIR, no EFR behind LCR 0xBF, no 64-byte FIFO, no XScale UUE bit.
    outb(3, 0xbf);
    outb(2, 0);
    outb(3, 0);
    outb(2, 1);
    expect(inb(2) >> 6).toBe(3);
    outb(3, 0x80);
    expect(inb(2)).not.toBe(0);
    outb(2, 0x21);
    expect(inb(2) >> 5).toBe(6);
    outb(3, 0);
    outb(1, 0x40);
    expect(inb(1) & 0x40).toBe(0);
  });

  it("passes the driver's tests for transmit-empty bugs", () => {
    const { inb, outb } = makeUart();
    outb(1, 2);
    expect(inb(2) & 1).toBe(0);
    outb(1, 0);
    outb(1, 2);
    expect(inb(5) & 0x60).toBe(0x60);
    expect(inb(2)).toBe(2);
    expect(inb(2)).toBe(1);
  });

  it("transmits at once and gives an edge for each byte", () => {
    const { inb, outb, irq, sink } = makeUart();
    outb(1, 2);
    for (const byte of [0x68, 0x69]) outb(0, byte);
    expect(sink.text()).toBe("hi");
    expect(irq.edges).toBe(3);
    expect(inb(2)).toBe(2);
    expect(irq.level).toBe(false);
  });

  it("reports received data by trigger level and by timeout", () => {
    const { clock, inb, irq, outb, uart } = makeUart();
    outb(2, 0x81);
    outb(3, 3);
    outb(1, 1);
    uart.receive(Uint8Array.of(1, 2, 3));
    expect(irq.level).toBe(false);
    clock.advance(5_000_000);
    expect(irq.level).toBe(true);
    expect(inb(2)).toBe(0xcc);
    uart.receive(Uint8Array.of(4, 5, 6, 7, 8));
    expect(inb(2)).toBe(0xc4);
    for (let i = 1; i <= 8; i++) expect(inb(0)).toBe(i);
    expect(inb(5) & 1).toBe(0);
    expect(irq.level).toBe(false);
    clock.advance(1e9);
    expect(irq.level).toBe(false);
  });

  it("pushes back when the FIFO is full and says when there is room", () => {
    let ready = 0;
    const { inb, outb, uart } = makeUart(() => ready++);
    outb(2, 1);
    expect(uart.receive(new Uint8Array(20))).toBe(16);
    expect(ready).toBe(0);
    inb(0);
    expect(ready).toBe(1);
    inb(0);
    expect(ready).toBe(1);
    outb(4, 0x10);
    expect(uart.receive(new Uint8Array(1))).toBe(0);
    outb(4, 0);
    expect(ready).toBe(2);
  });

  it("loops back with overrun", () => {
    const { inb, outb, sink } = makeUart();
    outb(4, 0x10);
    outb(0, 0x41);
    outb(0, 0x42);
    expect(inb(5) & 3).toBe(3);
    expect(inb(5) & 2).toBe(0);
    expect(inb(0)).toBe(0x42);
    expect(inb(0)).toBe(0x42);
    outb(2, 1);
    expect(inb(0)).toBe(0);
    expect(sink.bytes).toEqual([]);
  });

  it("keeps the divisor behind DLAB and the scratch register", () => {
    const { inb, outb } = makeUart();
    outb(3, 0x83);
    outb(0, 1);
    outb(1, 0);
    expect([inb(0), inb(1)]).toEqual([1, 0]);
    outb(3, 3);
    expect(inb(1)).toBe(0);
    outb(7, 0x5a);
    expect(inb(7)).toBe(0x5a);
  });

  it("reports modem status changes once", () => {
    const { inb, irq, outb } = makeUart();
    expect(inb(6)).toBe(0xb0);
    outb(1, 8);
    outb(4, 0x1f);
    expect(irq.level).toBe(false);
    outb(4, 0x19);
    expect(irq.level).toBe(true);
    expect(inb(2)).toBe(0);
    expect(inb(6)).toBe(0xa5);
    outb(4, 0x0b);
    expect(inb(6)).toBe(0xb1);
    expect(inb(6)).toBe(0xb0);
    expect(irq.level).toBe(false);
  });
});
