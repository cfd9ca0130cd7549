// SPDX-License-Identifier: Apache-2.0

/** One interrupt wire. Level: it stays asserted until it is set to false again; an edge is true then false. */
export interface IrqLine {
  set(asserted: boolean): void;
}

/** A wire that leads nowhere. */
export const NO_IRQ: IrqLine = { set: () => {} };

/** Takes message-signalled interrupts: a 32-bit write of `data` to `address` in the APIC range. */
export interface MsiSink {
  signal(address: number, data: number): void;
}
