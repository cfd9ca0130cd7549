// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { IrqLine } from "@isola/memory";
import { checkState, type Device } from "../device.js";
import { type WireOrState, wireOrResetState } from "./state.js";

/** One line that several sources share, as PCI functions share INTA#: it is up while any source asserts it. */
export class WireOr implements Device<WireOrState> {
  private readonly asserted: boolean[] = [];
  private count = 0;

  constructor(private readonly line: IrqLine) {}

  /** Adds a source. Sources are told apart in a snapshot by the order in which they were added. */
  source(): IrqLine {
    const index = this.asserted.push(false) - 1;
    return { set: (level) => this.drive(index, level) };
  }

  reset(): void {
    this.asserted.fill(false);
    if (this.count > 0) this.line.set(false);
    this.count = 0;
  }

  save(): WireOrState {
    return { ...wireOrResetState(), asserted: this.asserted.flatMap((level, i) => (level ? [i] : [])) };
  }

  restore(state: WireOrState): void {
    checkState(state, "wire-or", 1);
    this.asserted.fill(false);
    for (const index of state.asserted) {
      assert(index < this.asserted.length, "a snapshot names an interrupt source that this machine does not have");
      this.asserted[index] = true;
    }
    this.count = state.asserted.length;
  }

  private drive(index: number, level: boolean): void {
    if (this.asserted[index] === level) return;
    this.asserted[index] = level;
    this.count += level ? 1 : -1;
    if (this.count === (level ? 1 : 0)) this.line.set(level);
  }
}

/** One line that leads to several inputs, as ISA interrupts lead to the 8259 and to the I/O APIC. */
export function fanOut(...lines: readonly IrqLine[]): IrqLine {
  return {
    set: (asserted) => {
      for (const line of lines) line.set(asserted);
    },
  };
}
