// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler, IrqLine } from "@isola/memory";
import { checkState, copyState, type Device } from "../device.js";
import { PicChip } from "./chip.js";
import { CASCADE_INPUT, ELCR_WRITABLE_MASTER, ELCR_WRITABLE_SLAVE } from "./registers.js";
import { type PicState, picChipResetState, picResetState } from "./state.js";

/** The two cascaded 8259As of a PC. `intr` follows the INT output of the master: LINT0 of the local APIC, or INTR. */
export class Pic8259 implements Device<PicState> {
  /** Ports 0x20 and 0x21. */
  readonly masterHandler: IoHandler = this.chipHandler(() => this.master);
  /** Ports 0xA0 and 0xA1. */
  readonly slaveHandler: IoHandler = this.chipHandler(() => this.slave);
  /** Edge/level control registers, ports 0x4D0 and 0x4D1 (EISA). */
  readonly elcrHandler: IoHandler = {
    read: (offset, size) => {
      const value = this.master.s.elcr | (this.slave.s.elcr << 8);
      return offset === 0 ? value & (size === 1 ? 0xff : 0xffff) : offset === 1 ? value >> 8 : 0xff;
    },
    write: (offset, size, value) => {
      if (offset === 0) this.master.setElcr(value & 0xff);
      if (offset === 1) this.slave.setElcr(value & 0xff);
      else if (size > 1) this.slave.setElcr((value >>> 8) & 0xff);
      this.update();
    },
  };
  /** Inputs 0-15; input 2 is taken by the cascade and leads nowhere. */
  readonly lines: readonly IrqLine[];
  private readonly master = new PicChip(true, ELCR_WRITABLE_MASTER);
  private readonly slave = new PicChip(false, ELCR_WRITABLE_SLAVE);
  private interrupt = false;

  constructor(private readonly intr: IrqLine) {
    this.lines = Array.from({ length: 16 }, (_, input) => ({
      set: (asserted: boolean) => this.setLine(input, asserted),
    }));
  }

  reset(): void {
    this.master.s = picChipResetState();
    this.slave.s = picChipResetState();
    this.update();
  }

  save(): PicState {
    return {
      ...picResetState(),
      master: copyState(this.master.s),
      slave: copyState(this.slave.s),
      interrupt: this.interrupt,
    };
  }

  restore(state: PicState): void {
    checkState(state, "pic8259", 1);
    this.master.s = copyState(state.master);
    this.slave.s = copyState(state.slave);
    this.interrupt = state.interrupt;
  }

  /**
   * The interrupt-acknowledge cycle. Returns the vector; when the request has gone meanwhile, that of input 7, which is
   * the spurious interrupt of this chip.
   */
  acknowledge(): number {
    const input = this.master.requested();
    let vector: number;
    if (input < 0) {
      vector = this.master.s.vectorBase | 7;
    } else if (input === CASCADE_INPUT) {
      this.master.serve(input);
      const slaveInput = this.slave.requested();
      if (slaveInput >= 0) this.slave.serve(slaveInput);
      vector = this.slave.s.vectorBase | (slaveInput < 0 ? 7 : slaveInput);
    } else {
      this.master.serve(input);
      vector = this.master.s.vectorBase | input;
    }
    this.update();
    return vector;
  }

  private chipHandler(chip: () => PicChip): IoHandler {
    return {
      read: (offset, size) => {
        const value = chip().read((offset & 1) !== 0);
        this.update();
        return size === 1 ? value : value | 0xff00;
      },
      write: (offset: number, _size: AccessSize, value: number) => {
        chip().write((offset & 1) !== 0, value & 0xff);
        this.update();
      },
    };
  }

  private setLine(input: number, asserted: boolean): void {
    if (input === CASCADE_INPUT) return;
    if (input < 8) this.master.setLine(input, asserted);
    else this.slave.setLine(input - 8, asserted);
    this.update();
  }

  private update(): void {
    const cascade = this.slave.requested() >= 0;
    // Every request of the slave is an edge to the master, even right after the last one was acknowledged.
    if (!cascade) this.master.s.irr &= ~(1 << CASCADE_INPUT);
    this.master.setLine(CASCADE_INPUT, false);
    if (cascade) this.master.setLine(CASCADE_INPUT, true);
    const interrupt = this.master.requested() >= 0;
    if (interrupt === this.interrupt) return;
    this.interrupt = interrupt;
    this.intr.set(interrupt);
  }
}
