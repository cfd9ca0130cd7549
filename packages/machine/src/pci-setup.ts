// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { PciFunction } from "@isola/devices";
import { PCI_WINDOW_32, PCI_WINDOW_64, PortBase, pciWire, pciWireIrq } from "./memory-layout.js";

/** A function and the slot in which it sits. */
export interface PlacedFunction {
  readonly slot: number;
  readonly fn: PciFunction;
}

// Type 0 configuration header (PCI Local Bus 3.0, 6.1).
const COMMAND = 0x04;
const BAR_0 = 0x10;
const BAR_END = 0x28;
const INTERRUPT_LINE = 0x3c;
const INTERRUPT_PIN = 0x3d;
const COMMAND_IO_MEMORY = 3;
const BAR_IO = 1;
const BAR_TYPE = 6;
const BAR_TYPE_64 = 4;
const ALL_ONES = 0xffff_ffff;

/** Hands out naturally aligned ranges of one address space, from `start` up. */
class Window {
  constructor(
    private next: number,
    private readonly end: number,
  ) {}

  take(size: number): number {
    const start = Math.ceil(this.next / size) * size;
    this.next = start + size;
    assert(this.next <= this.end, "the PCI functions of this board need more address space than it has");
    return start;
  }
}

/** Size of the region behind a base address register, found as software finds it (6.2.5.1), or 0 if there is none. */
function sizeOf(fn: PciFunction, bar: number, flagBits: number): number {
  fn.config.write(bar, 4, ALL_ONES);
  const mask = (fn.config.read(bar, 4) & ~flagBits) >>> 0;
  return mask === 0 ? 0 : 2 ** 32 - mask;
}

/**
 * What firmware does before it starts an operating system: gives every PCI function its addresses and an interrupt
 * line, and turns its decoders on. A machine that boots a kernel directly has no other firmware to do so.
 */
export function assignPciResources(functions: readonly PlacedFunction[]): void {
  const ports = new Window(PortBase.PciWindow, 0x1_0000);
  const low = new Window(PCI_WINDOW_32.start, PCI_WINDOW_32.start + PCI_WINDOW_32.length);
  const high = new Window(PCI_WINDOW_64.start, PCI_WINDOW_64.start + PCI_WINDOW_64.length);
  for (const { slot, fn } of functions) {
    for (let bar = BAR_0; bar < BAR_END; bar += 4) {
      const kind = fn.config.read(bar, 4);
      if ((kind & BAR_IO) !== 0) {
        const size = sizeOf(fn, bar, 3);
        // Only the lower 16 bits of an I/O register need to be writable.
        if (size > 0) fn.config.write(bar, 4, ports.take(size % 0x1_0000 || size));
        continue;
      }
      const size = sizeOf(fn, bar, 15);
      if (size === 0) continue;
      const wide = (kind & BAR_TYPE) === BAR_TYPE_64;
      const address = (wide ? high : low).take(size);
      fn.config.write(bar, 4, address >>> 0);
      if (!wide) continue;
      bar += 4;
      fn.config.write(bar, 4, Math.floor(address / 2 ** 32));
    }
    const pin = fn.config.read(INTERRUPT_PIN, 1);
    if (pin !== 0) fn.config.write(INTERRUPT_LINE, 1, pciWireIrq(pciWire(slot, pin - 1)));
    fn.config.write(COMMAND, 2, COMMAND_IO_MEMORY);
  }
}
