// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { OUTPUT_RATE } from "../audio-output/registers.js";
import { Entry, ENTRY_BYTES, EngineControl, EngineReg, EngineStatus, LIST_ENTRIES } from "./registers.js";
import { type EngineState, engineState } from "./state.js";

/** What becomes of the samples of an engine. */
export interface EngineKind {
  /** Samples in a frame. */
  readonly channels: number;
  /** Whether samples go from memory to the codec. */
  readonly plays: boolean;
  /** Frames in a second. */
  rate(): number;
}

/** One bus master: goes through a list of buffers at the rate of the codec (13.2). */
export class Engine {
  s: EngineState = engineState();

  constructor(
    private readonly ram: GuestRam,
    readonly kind: EngineKind,
    private readonly mayMaster: () => boolean,
  ) {}

  get running(): boolean {
    const { control, status } = this.s;
    return (control & EngineControl.Run) !== 0 && (status & EngineStatus.Halted) === 0 && this.mayMaster();
  }

  /** Whether a condition that the driver wants to hear of holds. */
  get interrupting(): boolean {
    const { control, status } = this.s;
    return (
      ((status & EngineStatus.LastDone) !== 0 && (control & EngineControl.LastInterrupt) !== 0) ||
      ((status & EngineStatus.BufferDone) !== 0 && (control & EngineControl.BufferInterrupt) !== 0)
    );
  }

  /** Frames of the output until the buffer under way is over. */
  framesToEvent(): number {
    const frames = Math.max(Math.ceil(this.s.left / this.kind.channels), 1);
    return Math.ceil((frames * OUTPUT_RATE - this.s.phase) / this.kind.rate());
  }

  /** The bytes of the registers from `offset` on that belong to one register. */
  read(offset: number): number {
    const { s } = this;
    switch (offset) {
      case EngineReg.ListBase:
        return s.listBase;
      case EngineReg.Current:
        return s.current;
      case EngineReg.LastValid:
        return s.lastValid;
      case EngineReg.Status:
        return s.status;
      case EngineReg.Left:
        return s.left;
      case EngineReg.Prefetched:
        return s.prefetched;
      case EngineReg.Control:
        return s.control;
      default:
        return 0;
    }
  }

  write(offset: number, value: number): void {
    const { s } = this;
    switch (offset) {
      case EngineReg.ListBase:
        s.listBase = (value & ~7) >>> 0;
        return;
      case EngineReg.LastValid:
        s.lastValid = value % LIST_ENTRIES;
        // A new last buffer takes an engine on that had come to its end (13.2.4).
        if ((s.control & EngineControl.Run) !== 0 && (s.status & EngineStatus.Halted) !== 0) this.goOn();
        return;
      case EngineReg.Status:
        s.status &= ~(value & EngineStatus.Clearable);
        return;
      case EngineReg.Control:
        return this.control(value);
      default:
        return;
    }
  }

  /** Lets one frame of the output pass. True if a buffer came to its end. */
  step(): boolean {
    const { s, kind } = this;
    let ended = false;
    s.phase += kind.rate();
    while (s.phase >= OUTPUT_RATE) {
      s.phase -= OUTPUT_RATE;
      s.before[0] = s.frame[0];
      s.before[1] = s.frame[1];
      ended = this.transfer() || ended;
    }
    return ended;
  }

  private control(value: number): void {
    const { s } = this;
    const wasRunning = (s.control & EngineControl.Run) !== 0;
    if ((value & EngineControl.Reset) !== 0) {
      // Everything but the interrupt enables (13.2.7).
      const kept = s.control & ~EngineControl.Run & EngineControl.Writable;
      this.s = { ...engineState(), control: kept };
      return;
    }
    s.control = value & EngineControl.Writable;
    const runs = (value & EngineControl.Run) !== 0;
    if (!runs) s.status |= EngineStatus.Halted;
    else if (!wasRunning) {
      s.phase = 0;
      s.frame = [0, 0];
      s.before = [0, 0];
      // One that was paused in the middle of a buffer goes on there.
      if (s.left > 0) s.status &= ~EngineStatus.Halted;
      else this.goOn();
    }
  }

  /** Begins with the next entry of the list. */
  private goOn(): void {
    const { s } = this;
    s.status &= ~(EngineStatus.Halted | EngineStatus.CurrentIsLast);
    this.nextEntry();
    this.skipEmpty();
  }

  private nextEntry(): void {
    const { s, ram } = this;
    s.current = s.prefetched;
    s.prefetched = (s.prefetched + 1) % LIST_ENTRIES;
    const at = s.listBase + s.current * ENTRY_BYTES;
    const lengthAndFlags = ram.u32(at + 4);
    s.address = (ram.u32(at) & ~1) >>> 0;
    s.left = lengthAndFlags & Entry.Samples;
    s.interrupts = (lengthAndFlags & Entry.InterruptOnCompletion) !== 0;
  }

  /** Ends buffers without samples. An engine that has gone round all of its list stops at the last valid entry. */
  private skipEmpty(): boolean {
    const { s } = this;
    let ended = false;
    while (s.left === 0 && (s.status & EngineStatus.Halted) === 0) {
      this.endBuffer();
      ended = true;
    }
    return ended;
  }

  private endBuffer(): void {
    const { s } = this;
    if (s.interrupts) s.status |= EngineStatus.BufferDone;
    if (s.current === s.lastValid) s.status |= EngineStatus.LastDone | EngineStatus.CurrentIsLast | EngineStatus.Halted;
    else this.nextEntry();
  }

  /** Moves one frame. A buffer that is not RAM reads as silence. */
  private transfer(): boolean {
    const { s, ram, kind } = this;
    if ((s.status & EngineStatus.Halted) !== 0) {
      s.frame[0] = 0;
      s.frame[1] = 0;
      return false;
    }
    let ended = false;
    for (let channel = 0; channel < kind.channels && s.left > 0; channel++) {
      if (kind.plays) s.frame[channel] = (ram.u16(s.address) << 16) >> 16;
      else ram.setU16(s.address, 0);
      s.address = (s.address + 2) % 2 ** 32;
      s.left--;
      ended = this.skipEmpty() || ended;
    }
    return ended;
  }
}
