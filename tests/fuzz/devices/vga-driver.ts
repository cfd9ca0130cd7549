// SPDX-License-Identifier: Apache-2.0
import type { Driver, DriverTools } from "./driver.js";

/** Modes of the display, by the registers of VGA and those of the VBE extension. */
export class VgaDriver implements Driver {
  constructor(private readonly tools: DriverTools) {}

  start(): void {
    this.tools.ports.write(0x3c2, 1, 0x67);
  }

  request(): void {
    const { ports, mmio, values } = this.tools;
    const indexed = (port: number, index: number, value: number): void => {
      ports.write(port, 1, index);
      ports.write(port + 1, 1, value);
    };
    indexed(0x3c4, values.below(5), values.below(256));
    indexed(0x3ce, values.below(9), values.below(256));
    indexed(0x3d4, values.below(0x19), values.below(256));
    ports.read(0x3da, 1);
    ports.write(0x3c0, 1, values.below(0x15));
    ports.write(0x3c0, 1, values.below(256));
    // The screen is on.
    ports.read(0x3da, 1);
    ports.write(0x3c0, 1, 0x20);
    if (values.chance(4)) {
      const modes = [
        0,
        values.below(1700),
        values.below(1300),
        values.pick([4, 8, 15, 16, 24, 32, 7]),
        values.below(256),
      ];
      for (const index of [4, 1, 2, 3, 6, 7, 8, 9, 4]) {
        ports.write(0x1ce, 2, index);
        ports.write(0x1cf, 2, index === 4 ? values.pick([0, 1, 0x41, 0xc1]) : (modes[index] ?? values.below(2000)));
      }
    }
    for (let i = 0; i < 8; i++) mmio.write(0xa_0000 + values.below(0x2_0000), values.pick([1, 2, 4]), values.next());
    if (values.chance(8)) this.tools.look();
  }
}
