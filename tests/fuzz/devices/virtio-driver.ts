// SPDX-License-Identifier: Apache-2.0
import { MemoryDriver, QUEUE } from "./driver.js";

const MAX_QUEUES = 8;
const LENGTHS = [1, 2, 4, 8, 16, 24, 32, 40, 64, 80, 512, 4096] as const;

/** Queues of any virtio device on PCI (VIRTIO 1.2, 2.7, 3.1.1 and 4.1.4.3), with its structures at a base address. */
export class VirtioDriver extends MemoryDriver {
  private queues: { readonly size: number; readonly rings: readonly number[]; index: number }[] = [];

  start(): void {
    const { values } = this;
    this.write(0x14, 1, 0);
    this.write(0x14, 1, 1);
    this.write(0x14, 1, 3);
    for (const half of [0, 1]) {
      this.write(0x00, 4, half);
      const offered = this.read(0x04, 4);
      this.write(0x08, 4, half);
      this.write(0x0c, 4, half === 1 || values.chance(2) ? offered : offered & values.next());
    }
    this.write(0x14, 1, 11);
    this.queues = [];
    const count = Math.min(this.read(0x12, 2), MAX_QUEUES);
    for (let queue = 0; queue < count; queue++) this.queues.push(this.startQueue(queue));
    this.write(0x14, 1, 15);
  }

  request(): void {
    const { values, ram } = this;
    if (this.queues.length === 0) return;
    const number = values.below(this.queues.length);
    const queue = this.queues[number];
    if (queue === undefined) return;
    const [table = 0, driver = 0] = queue.rings;
    const requests = 1 + values.below(2);
    for (let i = 0; i < requests; i++) {
      const head = values.below(queue.size);
      this.chain(table, head, queue.size);
      ram.setU16(driver + 4 + 2 * (queue.index % queue.size), values.chance(64) ? values.next() : head);
      queue.index = (queue.index + 1) & 0xffff;
    }
    ram.setU16(driver + 2, values.chance(64) ? values.next() : queue.index);
    this.write(0x3000 + 4 * number, 2, number);
  }

  private startQueue(queue: number) {
    const { values } = this;
    const size = 2 << values.below(4);
    // Pages of their own, cleared, so that the first index is the driver's.
    const rings = [0, 1, 2].map((ring) => QUEUE + (queue * 3 + ring) * 4096);
    for (const ring of rings) this.ram.write(ring, new Uint8Array(4096));
    this.write(0x16, 2, queue);
    this.write(0x18, 2, size);
    [0x20, 0x28, 0x30].forEach((register, i) => {
      this.write(register, 4, rings[i] ?? 0);
      this.write(register + 4, 4, 0);
    });
    this.write(0x1c, 2, 1);
    return { size, rings, index: 0 };
  }

  /** Some readable descriptors and some writable ones, or any. */
  private chain(table: number, head: number, size: number): void {
    const { values, ram } = this;
    const readable = values.below(4);
    const total = Math.max(1, readable + values.below(4));
    for (let i = 0; i < total; i++) {
      const at = table + ((head + i) % size) * 16;
      const next = i + 1 < total ? 1 : 0;
      const flags = values.chance(64) ? values.below(8) : next | (i >= readable ? 2 : 0);
      const address = this.buffer();
      this.words(at, address, 0, values.chance(32) ? values.next() : values.pick(LENGTHS));
      ram.setU16(at + 12, flags);
      ram.setU16(at + 14, (head + i + 1) % size);
      // Requests begin with a kind and lengths: small numbers.
      if (i < readable && values.chance(2)) {
        for (let word = 0; word < 6; word++) {
          const kind = values.chance(4) ? 0x100 + values.below(16) : values.below(48);
          ram.setU32(address + word * 4, values.chance(3) ? 0 : kind);
        }
      }
    }
  }
}
