// SPDX-License-Identifier: Apache-2.0
import { MemoryDriver, QUEUE } from "./driver.js";

const COMMAND_RING = QUEUE;
const EVENT_RING = QUEUE + 4096;
const CONTEXTS = QUEUE + 2 * 4096;
const INPUT = QUEUE + 3 * 4096;
const TRANSFER_RING = QUEUE + 4 * 4096;
const MAX_SLOT = 4;

/** Command and transfer rings of xHCI (xHCI 1.2, 4.2, 4.3 and 6.4). */
export class XhciDriver extends MemoryDriver {
  private index = 0;

  start(): void {
    this.index = 0;
    this.ram.write(QUEUE, new Uint8Array(6 * 4096));
    for (let slot = 1; slot <= MAX_SLOT; slot++) this.words(CONTEXTS + slot * 8, QUEUE + 5 * 4096 + slot * 1024, 0);
    this.words(QUEUE + 5 * 4096 + 512, EVENT_RING, 0, 256, 0);
    const operational = 0x40;
    this.write(operational + 0x38, 4, MAX_SLOT);
    this.write(operational + 0x30, 4, CONTEXTS);
    this.write(operational + 0x18, 4, COMMAND_RING | 1);
    this.write(0x1020 + 0x08, 4, 1);
    this.write(0x1020 + 0x18, 4, EVENT_RING);
    this.write(0x1020 + 0x10, 4, QUEUE + 5 * 4096 + 512);
    this.write(0x1020, 4, 2);
    this.write(operational, 4, 5);
    for (let port = 0; port < 16; port++) this.write(0x440 + port * 16, 4, 0x0210);
  }

  request(): void {
    const { values } = this;
    if (this.index === 250) this.start();
    if (values.chance(2)) this.command();
    else this.transfer();
  }

  private command(): void {
    const { values } = this;
    const port = values.below(17);
    // Input control context, slot context, endpoint 0 and another one.
    this.words(INPUT, 0, values.chance(4) ? values.below(32) : 3);
    this.words(INPUT + 32, 0x0820_0000 + (values.below(5) << 20), port << 16, 0, 0);
    for (let endpoint = 1; endpoint < 5; endpoint++) {
      const kind = endpoint === 1 ? 4 : values.below(8);
      this.words(INPUT + 32 + 32 * endpoint, 0, (64 << 16) | (kind << 3) | 6, TRANSFER_RING | 1, 0, 8);
    }
    const type = values.chance(8) ? values.below(64) : 9 + values.below(6);
    const slot = values.below(MAX_SLOT + 1);
    this.words(COMMAND_RING + this.index * 16, INPUT, 0, 0, (slot << 24) | (type << 10) | 1);
    this.index++;
    this.write(0x2000, 4, 0);
  }

  private transfer(): void {
    const { values } = this;
    // A control transfer, or something else.
    const request = values.pick([0x0100_0680, 0x0200_0680, 0x0001_0900, 0x0000_fea1, 0x0000_00a1, values.next()]);
    this.words(TRANSFER_RING, request, 64 << 16, 8, (3 << 16) | (2 << 10) | 0x41);
    for (let i = 1; i < 8; i++) {
      const type = values.chance(4) ? values.below(10) : i === 1 ? 3 : 4;
      const flags = values.below(2) << 4;
      this.words(TRANSFER_RING + i * 16, this.buffer(), 0, values.below(4096), (1 << 16) | (type << 10) | 0x21 | flags);
    }
    this.write(0x2000 + 4 * (1 + values.below(MAX_SLOT)), 4, 1 + values.below(5));
  }
}
