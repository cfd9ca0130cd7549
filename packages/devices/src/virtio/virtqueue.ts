// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { copyState } from "../device.js";
import { Chain } from "./chain.js";
import { AVAIL_NO_INTERRUPT, DESC_SIZE, DescFlag, MAX_CHAIN, RING_HEADER, USED_ELEMENT_SIZE } from "./registers.js";
import { type VirtqueueState, virtqueueResetState } from "./state.js";

/**
 * A split virtqueue (2.7), the device's side. The driver is not trusted: addresses, indices, lengths and chains are
 * checked, and whatever is malformed calls `broken` once and silences the queue until reset.
 */
export class Virtqueue {
  s: VirtqueueState;
  private desc = 0;
  private avail = 0;
  private used = 0;

  /**
   * @param maxSize largest size offered to the driver, a power of two
   * @param broken called when the driver broke the rules, with what it did
   */
  constructor(
    private readonly ram: GuestRam,
    readonly maxSize: number,
    private readonly broken: (reason: string) => void,
  ) {
    this.s = virtqueueResetState(maxSize);
  }

  reset(): void {
    this.s = virtqueueResetState(this.maxSize);
  }

  restore(state: VirtqueueState): void {
    this.s = copyState(state);
    this.locate();
  }

  /** Whether requests can be taken and returned. */
  get ready(): boolean {
    return this.s.enabled && !this.s.failed;
  }

  /** Puts the queue into use where `s` says it is. */
  enable(indirect: boolean, eventIdx: boolean): void {
    const s = this.s;
    s.indirect = indirect;
    s.eventIdx = eventIdx;
    s.enabled = true;
    this.locate();
    const { ram } = this;
    // The event index fields are part of the rings even when the feature is off (2.7.6, 2.7.8).
    if (this.desc % 16 !== 0 || ram.offsetOf(this.desc, s.size * DESC_SIZE) < 0)
      this.fail("descriptor table is misplaced");
    else if (this.avail % 2 !== 0 || ram.offsetOf(this.avail, RING_HEADER + 2 * s.size + 2) < 0)
      this.fail("available ring is misplaced");
    else if (this.used % 4 !== 0 || ram.offsetOf(this.used, RING_HEADER + USED_ELEMENT_SIZE * s.size + 2) < 0)
      this.fail("used ring is misplaced");
  }

  /** Whether the driver has made requests that were not taken yet. */
  hasAvailable(): boolean {
    return this.ready && this.ram.u16(this.avail + 2) !== this.s.nextAvail;
  }

  /** Takes the next request, or null if there is none or the queue is broken. */
  pop(): Chain | null {
    if (!this.ready) return null;
    const s = this.s;
    const waiting = (this.ram.u16(this.avail + 2) - s.nextAvail) & 0xffff;
    if (waiting === 0) return null;
    if (waiting > s.size) return this.fail("available index jumped past the queue size");
    const head = this.ram.u16(this.avail + RING_HEADER + 2 * (s.nextAvail % s.size));
    const chain = this.walk(head);
    if (chain !== null) s.nextAvail = (s.nextAvail + 1) & 0xffff;
    return chain;
  }

  /** Undoes the last `count` calls of `pop` whose requests were not returned. */
  putBack(count: number): void {
    this.s.nextAvail = (this.s.nextAvail - count) & 0xffff;
  }

  /** Returns a request of which `written` writable bytes were filled. */
  push(chain: Chain, written: number): void {
    if (!this.ready) return;
    const s = this.s;
    const element = this.used + RING_HEADER + USED_ELEMENT_SIZE * (s.nextUsed % s.size);
    this.ram.setU32(element, chain.head);
    this.ram.setU32(element + 4, written >>> 0);
    s.nextUsed = (s.nextUsed + 1) & 0xffff;
    this.ram.setU16(this.used + 2, s.nextUsed);
  }

  /** Whether the driver wants an interrupt for what was returned since the last call (2.7.7). */
  needsInterrupt(): boolean {
    if (!this.ready) return false;
    const s = this.s;
    const before = s.signalledUsed;
    if (before === s.nextUsed) return false;
    s.signalledUsed = s.nextUsed;
    if (!s.eventIdx) return (this.ram.u16(this.avail) & AVAIL_NO_INTERRUPT) === 0;
    const event = this.ram.u16(this.avail + RING_HEADER + 2 * s.size);
    return ((s.nextUsed - event - 1) & 0xffff) < ((s.nextUsed - before) & 0xffff);
  }

  /**
   * Asks to be notified of the next request (2.7.10). True when one came meanwhile, so that the caller must look again.
   */
  enableNotify(): boolean {
    if (!this.ready) return false;
    if (this.s.eventIdx) this.ram.setU16(this.used + RING_HEADER + USED_ELEMENT_SIZE * this.s.size, this.s.nextAvail);
    return this.hasAvailable();
  }

  private locate(): void {
    this.desc = addressOf(this.s.desc);
    this.avail = addressOf(this.s.driver);
    this.used = addressOf(this.s.device);
  }

  private fail(reason: string): null {
    if (!this.s.failed) {
      this.s.failed = true;
      this.broken(reason);
    }
    return null;
  }

  /** Follows a chain from `head`, through at most one indirect table. */
  private walk(head: number): Chain | null {
    const { ram } = this;
    const chain = new Chain(head);
    let table = this.desc;
    let entries = this.s.size;
    let indirect = false;
    let index = head;
    for (let count = 0; ; count++) {
      if (index >= entries) return this.fail("descriptor index is out of range");
      if (count >= Math.min(entries, MAX_CHAIN)) return this.fail("descriptor chain is too long or loops");
      const at = table + index * DESC_SIZE;
      const address = ram.u32(at) + ram.u32(at + 4) * 2 ** 32;
      const length = ram.u32(at + 8);
      const flags = ram.u16(at + 12);
      if ((flags & DescFlag.Indirect) !== 0) {
        if (indirect || !this.s.indirect) return this.fail("indirect descriptor where none is allowed");
        if ((flags & DescFlag.Next) !== 0) return this.fail("indirect descriptor with a successor");
        if (length === 0 || length % DESC_SIZE !== 0) return this.fail("indirect table has a bad length");
        if (ram.offsetOf(address, length) < 0) return this.fail("indirect table is not in RAM");
        table = address;
        entries = length / DESC_SIZE;
        indirect = true;
        index = 0;
        count = -1;
        continue;
      }
      const writable = (flags & DescFlag.Write) !== 0;
      if (!writable && chain.writable.length > 0) return this.fail("readable descriptor after a writable one");
      if (ram.offsetOf(address, length) < 0) return this.fail("buffer is not in RAM");
      if (length > 0) chain.add({ address, length }, writable);
      if ((flags & DescFlag.Next) === 0) return chain;
      index = ram.u16(at + 14);
    }
  }
}

function addressOf(halves: readonly [number, number]): number {
  return halves[1] * 2 ** 32 + halves[0];
}
