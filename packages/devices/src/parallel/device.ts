// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { ByteSink } from "@isola/ports";
import { checkState, copyState, type Device } from "../device.js";
import { Control, Port, Status } from "./registers.js";
import { parallelState, type ParallelState } from "./state.js";

/** A parallel port with a printer that is never busy. */
export class Parallel implements Device<ParallelState> {
  readonly handler: IoHandler = {
    read: (offset) => this.read(offset),
    write: (offset, _size, value) => this.write(offset, value & 0xff),
  };
  private s = parallelState();

  /** @param printer takes each byte when the strobe says that it is there */
  constructor(
    private readonly irq: IrqLine,
    private readonly printer: ByteSink,
  ) {}

  reset(): void {
    this.s = parallelState();
    this.irq.set(false);
  }

  save(): ParallelState {
    return copyState(this.s);
  }

  restore(state: ParallelState): void {
    checkState(state, "parallel", 1);
    this.s = copyState(state);
  }

  private read(offset: number): number {
    const { s } = this;
    switch (offset) {
      case Port.Data:
        return s.data;
      case Port.Status: {
        const pending = s.interrupting ? 0 : Status.InterruptOff;
        this.interrupt(false);
        return Status.Ready | Status.AcknowledgeOff | Status.Selected | Status.NoError | Status.Unused | pending;
      }
      default:
        return s.control | Control.Unused;
    }
  }

  private write(offset: number, value: number): void {
    const { s } = this;
    if (offset === Port.Data) s.data = value;
    if (offset !== Port.Control) return;
    const before = s.control;
    s.control = value & Control.Writable;
    const listens = (value & Control.InitOff) !== 0;
    const strobe = value & Control.Strobe;
    if (listens && strobe !== 0 && (before & Control.Strobe) === 0) this.printer.write(Uint8Array.of(s.data));
    const acknowledged = listens && strobe === 0 && (before & Control.Strobe) !== 0;
    if ((value & Control.InterruptEnable) === 0) this.interrupt(false);
    else if (acknowledged) {
      // Another edge, if the last one was not noticed.
      this.interrupt(false);
      this.interrupt(true);
    }
  }

  private interrupt(asserted: boolean): void {
    this.s.interrupting = asserted;
    this.irq.set(asserted);
  }
}
