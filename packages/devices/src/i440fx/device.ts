// SPDX-License-Identifier: Apache-2.0
import { checkState, type Device } from "../device.js";
import { PciHost } from "../pci/device.js";
import type { PciSpaces } from "../pci/function.js";
import { I440FX_IDENTITY, Pam, PAM_AREAS, PAM_COUNT, Register, Smram } from "./registers.js";
import type { I440fxState } from "./state.js";

/** What the bridge tells the machine about the first megabyte. */
export interface I440fxEvents {
  /** Reads or writes of an area go to RAM, or else to the bus, where ROM may answer. */
  shadowChanged(start: number, length: number, read: boolean, write: boolean): void;
  /** RAM at 0xA0000-0xBFFFF is visible in front of video memory, or hidden behind it. */
  smramChanged(open: boolean): void;
}

/**
 * The 82441FX: PCI bus 0 with configuration mechanism #1, shadow RAM and SMRAM control. There is no system-management
 * mode, so SMRAM is plain RAM that software can open.
 */
export class I440fx implements Device<I440fxState> {
  readonly host: PciHost;
  /** What the machine has been told of each area, or -1. */
  private readonly told: number[] = PAM_AREAS.map(() => -1);

  constructor(
    spaces: PciSpaces,
    private readonly events: I440fxEvents,
  ) {
    this.host = new PciHost(spaces, I440FX_IDENTITY);
    const { bridge } = this.host;
    for (let i = 0; i < PAM_COUNT; i++) bridge.config.set8(Register.Pam0 + i, 0, Pam.Writable);
    bridge.config.set8(Register.Smram, Smram.BaseSegment, Smram.Writable);
    bridge.config.hook({ start: Register.Pam0, length: PAM_COUNT, afterWrite: () => this.applyShadow() });
    bridge.config.hook({ start: Register.Smram, length: 1, afterWrite: () => this.smramWritten() });
    bridge.seal();
  }

  reset(): void {
    this.host.reset();
    const { config } = this.host.bridge;
    config.set8(Register.Smram, Smram.BaseSegment, Smram.Writable);
    this.apply();
  }

  save(): I440fxState {
    return { device: "i440fx", version: 1, host: this.host.save() };
  }

  /** The memory map follows at once: it has no state of its own. */
  restore(state: I440fxState): void {
    checkState(state, "i440fx", 1);
    this.host.restore(state.host);
    this.lock();
    this.apply();
  }

  private apply(): void {
    this.told.fill(-1);
    this.applyShadow();
    this.applySmram();
  }

  private applyShadow(): void {
    const { config } = this.host.bridge;
    PAM_AREAS.forEach(({ start, length, register, shift }, i) => {
      const bits = (config.get8(Register.Pam0 + register) >> shift) & (Pam.ReadEnable | Pam.WriteEnable);
      if (bits === this.told[i]) return;
      this.told[i] = bits;
      this.events.shadowChanged(start, length, (bits & Pam.ReadEnable) !== 0, (bits & Pam.WriteEnable) !== 0);
    });
  }

  private smramWritten(): void {
    this.lock();
    this.applySmram();
  }

  /** D_LCK closes SMRAM and makes its register read-only until the next reset (3.2.23). */
  private lock(): void {
    const { config } = this.host.bridge;
    const value = config.get8(Register.Smram);
    if ((value & Smram.Locked) !== 0) config.set8(Register.Smram, value & ~Smram.Open, 0);
    else config.set8(Register.Smram, value, Smram.Writable);
  }

  private applySmram(): void {
    this.events.smramChanged((this.host.bridge.config.get8(Register.Smram) & Smram.Open) !== 0);
  }
}
