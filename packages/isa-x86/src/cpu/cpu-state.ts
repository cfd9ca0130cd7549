// SPDX-License-Identifier: Apache-2.0
import { cpu as layout, type CpuField } from "../cpu-layout.js";

/** Typed access to one vCPU's record. 64-bit fields are bigint here: this is for cold code. */
export class CpuState {
  constructor(
    readonly view: DataView,
    /** Address of the record. */
    readonly base: number,
  ) {}

  /** An 8-, 16- or 32-bit field, unsigned. */
  get(field: CpuField, index = 0): number {
    const at = this.base + layout.at(field, index);
    switch (layout.fields[field].type) {
      case "u8":
        return this.view.getUint8(at);
      case "u16":
        return this.view.getUint16(at, true);
      default:
        return this.view.getUint32(at, true);
    }
  }

  set(field: CpuField, value: number, index = 0): void {
    const at = this.base + layout.at(field, index);
    switch (layout.fields[field].type) {
      case "u8":
        return this.view.setUint8(at, value);
      case "u16":
        return this.view.setUint16(at, value, true);
      default:
        return this.view.setUint32(at, value, true);
    }
  }

  /** A 64-bit field, unsigned. */
  get64(field: CpuField, index = 0): bigint {
    return this.view.getBigUint64(this.base + layout.at(field, index), true);
  }

  set64(field: CpuField, value: bigint, index = 0): void {
    this.view.setBigUint64(this.base + layout.at(field, index), value, true);
  }

  /** Bytes of a vector or x87 register. */
  bytes(field: CpuField, index: number, length: number): Uint8Array {
    return new Uint8Array(this.view.buffer, this.base + layout.at(field, index), length);
  }
}
