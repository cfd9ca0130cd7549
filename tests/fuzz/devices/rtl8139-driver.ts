// SPDX-License-Identifier: Apache-2.0
import { MemoryDriver, QUEUE } from "./driver.js";

const SLOTS = 4;

/** The four buffers of the RTL8139, and the descriptors of its C+ mode (RTL8139C+ data sheet 1.6, 5 and 9). */
export class Rtl8139Driver extends MemoryDriver {
  start(): void {
    const { values } = this;
    this.write(0x37, 1, 0x10);
    this.write(0x37, 1, 0x0c);
    this.write(0x30, 4, QUEUE + 4096);
    this.write(0x44, 4, 0x8f);
    this.write(0x3c, 2, 0xffff);
    this.write(0xe0, 2, values.below(4));
    this.write(0x20, 4, QUEUE);
    this.write(0x24, 4, 0);
    this.write(0xe4, 4, QUEUE + 512);
    this.write(0xe8, 4, 0);
  }

  request(): void {
    const { values } = this;
    for (let i = 0; i < SLOTS; i++) {
      const last = i === SLOTS - 1 ? 0x4000_0000 : 0;
      const flags = values.chance(16) ? values.next() : 0x8000_0000 | (values.below(4) << 28) | last;
      const kind = (values.below(8) << 16) | (values.chance(4) ? 0x0800_0000 : 0);
      const length = values.chance(16) ? values.below(0x1_0000) : values.below(1500);
      this.words(QUEUE + i * 16, flags | kind | length, values.next(), this.buffer(), 0);
      this.words(QUEUE + 512 + i * 16, 0x8000_0000 | last | values.below(4096), 0, this.buffer(), 0);
      this.write(0x20 + 4 * i, 4, i === 0 && values.chance(2) ? QUEUE : this.buffer());
      this.write(0x10 + 4 * i, 4, length);
    }
    this.write(0xd9, 1, 0x40);
    if (values.chance(4)) this.write(0x38, 2, values.below(0x1_0000));
    if (values.chance(16)) this.start();
  }
}
