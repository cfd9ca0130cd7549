// SPDX-License-Identifier: Apache-2.0
import type { IrqLine } from "@isola/memory";

/** An interrupt wire with a switch in it: while that is open, the other end sees it released. */
export class GatedLine implements IrqLine {
  private asserted = false;
  private closed = true;

  constructor(private readonly line: IrqLine) {}

  set(asserted: boolean): void {
    this.asserted = asserted;
    if (this.closed) this.line.set(asserted);
  }

  /** Closes the switch, which lets interrupts through, or opens it. */
  connect(closed: boolean): void {
    this.closed = closed;
    this.line.set(closed && this.asserted);
  }
}
