// SPDX-License-Identifier: Apache-2.0
import { CASCADE_INPUT, Icw1, Icw4, Ocw2, Ocw3 } from "./registers.js";
import { type PicChipState, picChipResetState } from "./state.js";

/** One 8259A. The pair around it forwards the output and the acknowledge cycles. */
export class PicChip {
  s: PicChipState = picChipResetState();

  /** @param elcrWritable inputs whose trigger mode may be set to level; zero bits stay edge triggered */
  constructor(
    private readonly master: boolean,
    private readonly elcrWritable: number,
  ) {}

  setLine(input: number, asserted: boolean): void {
    const s = this.s;
    const bit = 1 << input;
    if (asserted) {
      if ((s.lines & bit) === 0 || this.isLevel(bit)) s.irr |= bit;
      s.lines |= bit;
    } else {
      s.lines &= ~bit;
      // An edge stays latched until it is acknowledged; a level request ends with its line.
      if (this.isLevel(bit)) s.irr &= ~bit;
    }
  }

  /** The input that would be served next, or -1. */
  requested(): number {
    const s = this.s;
    const candidates = s.irr & ~s.imr;
    if (candidates === 0) return -1;
    // In special mask mode a masked in-service input does not hold back the others.
    let serviced = s.specialMask ? s.isr & ~s.imr : s.isr;
    // In special fully nested mode the master accepts another request of the slave in service.
    if (this.master && s.specialFullyNested) serviced &= ~(1 << CASCADE_INPUT);
    for (let i = 1; i <= 8; i++) {
      const bit = 1 << ((s.lowest + i) & 7);
      // An input in service holds back itself and all below it.
      if ((serviced & bit) !== 0) return -1;
      if ((candidates & bit) !== 0) return (s.lowest + i) & 7;
    }
    return -1;
  }

  /** Serves `input`: what the chip does at the interrupt-acknowledge cycle. */
  serve(input: number): void {
    const s = this.s;
    const bit = 1 << input;
    if (!this.isLevel(bit)) s.irr &= ~bit;
    if (!s.autoEoi) s.isr |= bit;
    else if (s.rotateOnAutoEoi) s.lowest = input;
  }

  read(data: boolean): number {
    const s = this.s;
    if (s.poll) return this.pollRead();
    if (data) return s.imr;
    return s.readIsr ? s.isr : s.irr;
  }

  write(data: boolean, value: number): void {
    if (data) this.writeData(value);
    else if ((value & Icw1.Select) !== 0) this.initialise(value);
    else if ((value & Ocw3.Select) !== 0) this.writeOcw3(value);
    else this.writeOcw2(value);
  }

  setElcr(value: number): void {
    const s = this.s;
    s.elcr = value & this.elcrWritable;
    // A level-triggered input requests as long as its line is up, whatever was latched before.
    s.irr = (s.irr & ~s.elcr) | (s.lines & s.elcr);
  }

  private isLevel(bit: number): boolean {
    return this.s.levelTriggered || (this.s.elcr & bit) !== 0;
  }

  /** A read after the poll command serves the highest request; bit 7 tells whether there was one. */
  private pollRead(): number {
    this.s.poll = false;
    const input = this.requested();
    if (input < 0) return 0;
    this.serve(input);
    return 0x80 | input;
  }

  private initialise(value: number): void {
    const { lines, elcr } = this.s;
    this.s = picChipResetState();
    const s = this.s;
    s.lines = lines;
    s.elcr = elcr;
    s.needIcw4 = (value & Icw1.NeedIcw4) !== 0;
    s.single = (value & Icw1.Single) !== 0;
    s.levelTriggered = (value & Icw1.LevelTriggered) !== 0;
    s.expecting = 2;
    // The edge-sense circuit is cleared, so an edge-triggered line must fall and rise again; levels count at once.
    s.irr = s.levelTriggered ? lines : lines & elcr;
  }

  private writeData(value: number): void {
    const s = this.s;
    switch (s.expecting) {
      case 2:
        s.vectorBase = value & 0xf8;
        s.expecting = s.single ? (s.needIcw4 ? 4 : 0) : 3;
        break;
      case 3:
        // Where the cascade is wired is fixed on a PC.
        s.expecting = s.needIcw4 ? 4 : 0;
        break;
      case 4:
        s.autoEoi = (value & Icw4.AutoEoi) !== 0;
        s.specialFullyNested = (value & Icw4.SpecialFullyNested) !== 0;
        s.expecting = 0;
        break;
      default:
        s.imr = value;
        break;
    }
  }

  private writeOcw3(value: number): void {
    const s = this.s;
    if ((value & Ocw3.Poll) !== 0) s.poll = true;
    if ((value & Ocw3.ReadCommand) !== 0) s.readIsr = (value & Ocw3.ReadIsr) !== 0;
    if ((value & Ocw3.SpecialMaskCommand) !== 0) s.specialMask = (value & Ocw3.SpecialMask) !== 0;
  }

  private writeOcw2(value: number): void {
    const s = this.s;
    const level = value & 7;
    switch (value >> 5) {
      case Ocw2.RotateAutoEoiClear:
        s.rotateOnAutoEoi = false;
        break;
      case Ocw2.RotateAutoEoiSet:
        s.rotateOnAutoEoi = true;
        break;
      case Ocw2.NonSpecificEoi:
        this.endHighest();
        break;
      case Ocw2.RotateNonSpecificEoi: {
        const ended = this.endHighest();
        if (ended >= 0) s.lowest = ended;
        break;
      }
      case Ocw2.SpecificEoi:
        s.isr &= ~(1 << level);
        break;
      case Ocw2.RotateSpecificEoi:
        s.isr &= ~(1 << level);
        s.lowest = level;
        break;
      case Ocw2.SetPriority:
        s.lowest = level;
        break;
      default:
        break;
    }
  }

  private endHighest(): number {
    const s = this.s;
    // A non-specific EOI does not see inputs that special mask mode has masked.
    const serviced = s.specialMask ? s.isr & ~s.imr : s.isr;
    for (let i = 1; i <= 8; i++) {
      const input = (s.lowest + i) & 7;
      if ((serviced & (1 << input)) === 0) continue;
      s.isr &= ~(1 << input);
      return input;
    }
    return -1;
  }
}
