// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { RecordingLine, RecordingSink } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { Parallel } from "./device.js";

function makePort() {
  const irq = new RecordingLine();
  const paper = new RecordingSink();
  const port = new Parallel(irq, paper);
  const print = (text: string, control: number) => {
    for (const character of text) {
      port.handler.write(0, 1, character.charCodeAt(0));
      port.handler.write(2, 1, control | 1);
      port.handler.write(2, 1, control);
    }
  };
  return { port, irq, paper, print };
}

deviceConformance("parallel", () => {
  const { port } = makePort();
  return { device: port, ranges: [{ handler: port.handler, length: 3 }] };
});

describe("parallel", () => {
  it("prints a byte for each strobe, to a printer that is ready", () => {
    const { port, paper, print, irq } = makePort();
    expect([port.handler.read(1, 1), port.handler.read(2, 1)]).toEqual([0xdf, 0xec]);
    print("Hello", 0x0c);
    expect([paper.text(), port.handler.read(0, 1), irq.edges]).toEqual(["Hello", "o".charCodeAt(0), 0]);
    // While its reset is held, the printer takes nothing.
    print("lost", 0x08);
    expect(paper.text()).toBe("Hello");
  });

  it("interrupts when a byte was taken, until the status is read", () => {
    const { port, print, irq } = makePort();
    print("ab", 0x1c);
    expect([irq.level, irq.edges, port.handler.read(1, 1)]).toEqual([true, 2, 0xdb]);
    expect([irq.level, port.handler.read(1, 1)]).toEqual([false, 0xdf]);
    print("c", 0x1c);
    port.handler.write(2, 1, 0x0c);
    expect(irq.level).toBe(false);
  });
});
