// SPDX-License-Identifier: Apache-2.0
import type { Driver, DriverTools } from "./driver.js";

/** DMA of firmware's configuration (QEMU's fw_cfg interface): structures in RAM, big endian. */
export class FwCfgDriver implements Driver {
  constructor(private readonly tools: DriverTools) {}

  start(): void {}

  request(): void {
    const { ports, values, ram } = this.tools;
    const swap = (value: number): number =>
      ((value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
    const at = values.page();
    const key = values.chance(2) ? values.below(0x40) : values.below(0x1_0000);
    ram.setU32(at, swap(((key << 16) | (values.chance(4) ? values.below(256) : 8 | (2 << values.below(3)))) >>> 0));
    ram.setU32(at + 4, swap(values.chance(8) ? values.next() : values.below(8192)));
    ram.setU32(at + 8, swap(values.chance(32) ? values.next() : 0));
    ram.setU32(at + 12, swap(values.chance(8) ? values.address(ram.size) : values.page()));
    ports.write(0x514, 4, 0);
    ports.write(0x518, 4, swap(at));
  }
}
