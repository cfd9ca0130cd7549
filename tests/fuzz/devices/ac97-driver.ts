// SPDX-License-Identifier: Apache-2.0
import type { Driver, DriverTools } from "./driver.js";

/** Buffer lists of the AC'97 bus masters, 16 bytes of registers each (ICH data sheet, "AC'97 bus master"). */
export class Ac97Driver implements Driver {
  /** @param mixer port of the mixer's registers; @param masters port of those of the bus masters */
  constructor(
    private readonly tools: DriverTools,
    private readonly mixer: number,
    private readonly masters: number,
  ) {}

  start(): void {
    this.tools.ports.write(this.masters + 0x2c, 4, 2);
  }

  request(): void {
    const { ports, values, ram } = this.tools;
    const master = this.masters + 16 * values.below(3);
    const list = values.page();
    for (let i = 0; i < 32; i++) {
      ram.setU32(list + i * 8, values.chance(16) ? values.address(ram.size) : values.page());
      ram.setU32(list + i * 8 + 4, (values.chance(16) ? values.next() : values.below(2048)) | 0x8000_0000);
    }
    ports.write(master, 4, list);
    ports.write(master + 5, 1, values.below(64));
    ports.write(master + 11, 1, values.chance(8) ? values.below(256) : 0x1d);
    ports.write(this.mixer + values.below(64) * 2, 2, values.chance(2) ? 0 : values.next() & 0xffff);
    ports.write(master + 6, 2, 0x1c);
  }
}
