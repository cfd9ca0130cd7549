// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import type { ApicBus, EoiListener } from "../lapic/apic-bus.js";
import { Index, IOAPIC_PINS, IOAPIC_VERSION, Mmio, Redirection } from "./registers.js";
import { type IoapicState, ioapicResetState } from "./state.js";

/** An I/O APIC with 24 pins. Pin polarity is left to the wiring: a line that is set is asserted. */
export class Ioapic implements Device<IoapicState>, EoiListener {
  readonly handler: IoHandler = {
    read: (offset, size) => {
      if ((offset & 15) + size > 4) return 0;
      return partOf(this.readMmio(offset & ~3), offset, size);
    },
    write: (offset, size, value) => {
      // The select register takes narrow writes too; the others are dwords.
      if (offset === Mmio.Select) this.s.select = value & 0xff;
      else if (size === 4) this.writeMmio(offset, value);
      else if (offset === Mmio.Eoi) this.endOfInterrupt(value & 0xff);
    },
  };
  /** Input pins, by number. */
  readonly pins: readonly IrqLine[];
  private s: IoapicState = ioapicResetState();

  constructor(private readonly bus: ApicBus) {
    this.pins = Array.from({ length: IOAPIC_PINS }, (_, pin) => ({
      set: (asserted: boolean) => this.setPin(pin, asserted),
    }));
    bus.listen(this);
  }

  reset(): void {
    this.s = ioapicResetState();
  }

  save(): IoapicState {
    return copyState(this.s);
  }

  restore(state: IoapicState): void {
    checkState(state, "ioapic", 1);
    this.s = copyState(state);
  }

  /** A local APIC, or the guest by the EOI register, ended a level-triggered vector. */
  endOfInterrupt(vector: number): void {
    const s = this.s;
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const entry = s.low[pin];
      if ((entry & Redirection.RemoteIrr) === 0 || (entry & Redirection.Vector) !== vector) continue;
      s.low[pin] = entry & ~Redirection.RemoteIrr;
      this.serviceLevel(pin);
    }
  }

  private setPin(pin: number, asserted: boolean): void {
    const s = this.s;
    const bit = 1 << pin;
    const was = (s.pins & bit) !== 0;
    s.pins = asserted ? s.pins | bit : s.pins & ~bit;
    if (!asserted) return;
    const entry = s.low[pin];
    if ((entry & Redirection.Level) !== 0) this.serviceLevel(pin);
    // An edge on a masked pin is lost (82093AA, 3.2.4 "Interrupt Mask").
    else if (!was && (entry & Redirection.Masked) === 0) this.send(pin);
  }

  /** Sends a level-triggered pin's message if it is asserted, unmasked and not yet in service. */
  private serviceLevel(pin: number): void {
    const s = this.s;
    const entry = s.low[pin];
    if ((entry & Redirection.Level) === 0 || (entry & (Redirection.Masked | Redirection.RemoteIrr)) !== 0) return;
    if ((s.pins & (1 << pin)) === 0) return;
    s.low[pin] = entry | Redirection.RemoteIrr;
    this.send(pin);
  }

  private send(pin: number): void {
    const entry = this.s.low[pin];
    this.bus.deliver(
      this.s.high[pin] >>> 24,
      (entry & Redirection.Logical) !== 0,
      false,
      (entry >> Redirection.ModeShift) & 7,
      entry & Redirection.Vector,
      (entry & Redirection.Level) !== 0,
    );
  }

  private readMmio(offset: number): number {
    if (offset === Mmio.Select) return this.s.select;
    if (offset !== Mmio.Window) return 0;
    const index = this.s.select;
    switch (index) {
      case Index.Id:
      case Index.Arbitration:
        return this.s.id;
      case Index.Version:
        return IOAPIC_VERSION;
      default: {
        const pin = (index - Index.Redirection) >> 1;
        if (index < Index.Redirection || pin >= IOAPIC_PINS) return 0;
        return ((index & 1) === 0 ? this.s.low[pin] : this.s.high[pin]) >>> 0;
      }
    }
  }

  private writeMmio(offset: number, value: number): void {
    if (offset === Mmio.Eoi) this.endOfInterrupt(value & 0xff);
    if (offset !== Mmio.Window) return;
    const index = this.s.select;
    if (index === Index.Id) this.s.id = value & 0x0f00_0000;
    const pin = (index - Index.Redirection) >> 1;
    if (index < Index.Redirection || pin >= IOAPIC_PINS) return;
    if ((index & 1) === 0) this.writeEntry(pin, value);
    else this.s.high[pin] = (value & 0xff00_0000) >>> 0;
  }

  private writeEntry(pin: number, value: number): void {
    const s = this.s;
    let entry = (value & Redirection.Writable) | (s.low[pin] & Redirection.RemoteIrr);
    // Remote IRR has no meaning for an edge; Linux switches a stuck pin to edge and back to clear it.
    if ((entry & Redirection.Level) === 0) entry &= ~Redirection.RemoteIrr;
    s.low[pin] = entry;
    this.serviceLevel(pin);
  }
}
