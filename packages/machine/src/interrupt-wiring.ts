// SPDX-License-Identifier: Apache-2.0
import { fanOut, type Ioapic, type Pic8259, WireOr } from "@isola/devices";
import type { IrqLine } from "@isola/memory";
import { PCI_WIRE_COUNT, pciWire, pciWireIrq, pciWirePin } from "./memory-layout.js";

const TIMER_IRQ = 0;
const TIMER_PIN = 2;

/** Interrupt wires of a board: ISA interrupts 0-15 and, if asked for, eight shared PCI wires, to the 8259 and the I/O APIC. */
export class InterruptWiring {
  /** Shared wires, in the order in which a snapshot lists them. */
  readonly shared: WireOr[] = [];
  private readonly isaSources = new Map<number, WireOr>();
  private pciWires: readonly WireOr[] | null = null;

  constructor(
    private readonly pic: Pic8259,
    private readonly ioapic: Ioapic,
  ) {}

  /** A new source of ISA interrupt `irq`; several sources share the wire. */
  isa(irq: number): IrqLine {
    const pin = irq === TIMER_IRQ ? TIMER_PIN : irq;
    const known = this.isaSources.get(irq) ?? this.share(fanOut(this.pic.lines[irq], this.ioapic.pins[pin]));
    this.isaSources.set(irq, known);
    return known.source();
  }

  /** A new source of the wire for INTA# to INTD# (`pin` 0-3) of PCI device `slot`. */
  pci(slot: number, pin: number): IrqLine {
    this.pciWires ??= this.makePciWires();
    return this.pciWires[pciWire(slot, pin)].source();
  }

  /** A new source of input `line` of the board: ISA interrupts below 16, I/O APIC pins from there on. */
  line(line: number): IrqLine {
    return line < this.pic.lines.length ? this.isa(line) : this.ioapic.pins[line];
  }

  reset(): void {
    for (const wire of this.shared) wire.reset();
  }

  /** The wires of a board whose PCI interrupts have I/O APIC pins of their own. */
  private makePciWires(): readonly WireOr[] {
    const legacy = new Map<number, WireOr>();
    const legacySource = (irq: number): IrqLine => {
      const known = legacy.get(irq) ?? this.share(this.pic.lines[irq]);
      legacy.set(irq, known);
      return known.source();
    };
    return Array.from({ length: PCI_WIRE_COUNT }, (_, wire) =>
      this.share(fanOut(this.ioapic.pins[pciWirePin(wire)], legacySource(pciWireIrq(wire)))),
    );
  }

  /** A wire of several sources, which is reset with the board. */
  share(line: IrqLine): WireOr {
    const wire = new WireOr(line);
    this.shared.push(wire);
    return wire;
  }
}
