// SPDX-License-Identifier: Apache-2.0
import { MemoryDriver, QUEUE } from "./driver.js";

const ENTRIES = 32;

/** Rings of the 82540EM (Software Developer's Manual, 3.2, 3.3, 14.4 and 14.5). */
export class E1000Driver extends MemoryDriver {
  private tail = 0;

  start(): void {
    this.tail = 0;
    for (const [register, ring, control, enable] of [
      [0x2800, QUEUE, 0x0100, 0x0400_803e],
      [0x3800, QUEUE + 4096, 0x0400, 0x0000_00fa],
    ] as const) {
      this.write(register, 4, ring);
      this.write(register + 4, 4, 0);
      this.write(register + 8, 4, ENTRIES * 16);
      this.write(register + 0x10, 4, 0);
      this.write(register + 0x18, 4, 0);
      this.write(control, 4, enable);
    }
    this.write(0x5400, 4, 0x0054_5200);
    this.write(0xd0, 4, 0xff);
  }

  request(): void {
    const { values } = this;
    for (let i = 0; i < ENTRIES; i++) if (values.chance(8)) this.words(QUEUE + i * 16, this.buffer(), 0, 0, 0);
    this.write(0x2818, 4, values.below(ENTRIES));
    const count = 1 + values.below(4);
    for (let i = 0; i < count; i++) {
      const extended = values.chance(2) ? 0x2000_0000 | (values.below(2) << 20) : 0;
      const length = values.chance(16) ? values.below(0x1_0000) : values.below(1500);
      const command = (values.below(256) << 24) >>> 0;
      this.words(QUEUE + 4096 + this.tail * 16, this.buffer(), 0, length | extended | command, values.next());
      this.tail = (this.tail + 1) % ENTRIES;
    }
    this.write(0x3818, 4, values.chance(64) ? values.next() : this.tail);
  }
}
