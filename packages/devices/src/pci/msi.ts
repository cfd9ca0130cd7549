// SPDX-License-Identifier: Apache-2.0
import type { MsiSink } from "@isola/memory";
import type { PciFunction } from "./function.js";
import { CapabilityId, MsiControl } from "./registers.js";

/** The MSI capability of a function: 64-bit addresses, no per-vector masking (6.8.1). All its state is in `config`. */
export class Msi {
  private readonly capability: number;

  /** @param vectorsLog2 the function can use 2^n vectors, n at most 5 */
  constructor(
    private readonly fn: PciFunction,
    private readonly vectorsLog2: number,
    private readonly sink: MsiSink,
  ) {
    this.capability = fn.addCapability(CapabilityId.Msi, 14);
    const c = fn.config;
    const control = MsiControl.Address64 | (vectorsLog2 << 1);
    c.set16(this.capability + 2, control, MsiControl.Enable | MsiControl.MultipleEnable);
    c.set32(this.capability + 4, 0, 0xffff_fffc);
    c.set32(this.capability + 8, 0, 0xffff_ffff);
    c.set16(this.capability + 12, 0, 0xffff);
  }

  get enabled(): boolean {
    return (this.fn.config.get16(this.capability + 2) & MsiControl.Enable) !== 0;
  }

  /** Sends a vector's message; vectors that the guest did not allot fold onto those it did. */
  notify(vector: number): void {
    if (!this.enabled || !this.fn.busMaster) return;
    const c = this.fn.config;
    const granted = (c.get16(this.capability + 2) & MsiControl.MultipleEnable) >> MsiControl.MultipleEnableShift;
    const mask = (1 << Math.min(granted, this.vectorsLog2)) - 1;
    const address = c.get32(this.capability + 8) * 2 ** 32 + c.get32(this.capability + 4);
    const data = c.get16(this.capability + 12);
    this.sink.signal(address, (data & ~mask) | (vector & mask));
  }
}
