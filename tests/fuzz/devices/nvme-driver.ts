// SPDX-License-Identifier: Apache-2.0
import { MemoryDriver, QUEUE } from "./driver.js";

const ENTRIES = 32;

/** Admin queue and one pair of I/O queues of NVMe (NVM Express Base Specification 2.0, 3.5.1). */
export class NvmeDriver extends MemoryDriver {
  private tails = [0, 0];

  start(): void {
    this.tails = [0, 0];
    this.write(0x14, 4, 0);
    this.ram.write(QUEUE, new Uint8Array(4 * 4096));
    this.write(0x24, 4, ((ENTRIES - 1) << 16) | (ENTRIES - 1));
    this.write(0x28, 4, QUEUE);
    this.write(0x30, 4, QUEUE + 4096);
    this.write(0x14, 4, 0x0046_0001);
    const size = (ENTRIES - 1) << 16;
    this.submit(0, 0x05, 0, QUEUE + 3 * 4096, size | 1, 3);
    this.submit(0, 0x01, 0, QUEUE + 2 * 4096, size | 1, 0x1_0001);
  }

  request(): void {
    const { values } = this;
    const queue = values.below(2);
    const small = () => (values.chance(8) ? values.next() : values.below(16));
    const opcode = values.chance(16) ? values.below(256) : values.below(queue === 0 ? 17 : 12);
    // Completions are taken at once, more or less.
    this.write(0x1004 + 8 * queue, 4, values.below(ENTRIES));
    this.submit(queue, opcode, values.chance(8) ? small() : 1, this.buffer(), small(), small());
  }

  private submit(queue: number, opcode: number, namespace: number, data: number, cdw10: number, cdw11: number): void {
    const { values } = this;
    const tail = this.tails[queue] ?? 0;
    const at = QUEUE + 2 * queue * 4096 + tail * 64;
    this.words(at, opcode | (values.below(0x1_0000) << 16), namespace, 0, 0, 0, 0, data, 0, this.buffer(), 0);
    this.words(at + 40, cdw10, cdw11, values.chance(8) ? values.next() : values.below(16), 0, 0, 0);
    this.tails[queue] = (tail + 1) % ENTRIES;
    this.write(0x1000 + 8 * queue, 4, values.chance(64) ? values.next() : (this.tails[queue] ?? 0));
  }
}
