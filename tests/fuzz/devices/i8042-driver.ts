// SPDX-License-Identifier: Apache-2.0
import type { Driver, DriverTools } from "./driver.js";

/** Commands to the keyboard controller, the keyboard and the mouse. */
export class I8042Driver implements Driver {
  constructor(private readonly tools: DriverTools) {}

  start(): void {}

  request(): void {
    const { ports, values } = this.tools;
    const device = values.below(3);
    if (device === 0)
      ports.write(0x64, 1, values.chance(8) ? values.below(256) : 0x20 + values.pick([0, 0x40, 0x87, 0x8a]));
    if (device === 1) ports.write(0x64, 1, 0xd4);
    ports.write(0x60, 1, values.chance(2) ? 0xe6 + values.below(26) : values.below(256));
    for (let i = values.below(8); i > 0; i--) ports.read(values.chance(2) ? 0x60 : 0x64, 1);
  }
}
