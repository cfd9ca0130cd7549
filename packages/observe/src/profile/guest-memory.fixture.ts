// SPDX-License-Identifier: Apache-2.0
import type { GuestMemory, GuestSample } from "@isola/ports";

/** Guest memory made of pages: each linear page that is written to gets a physical one. */
export class FakeMemory implements GuestMemory {
  private readonly ram = new Uint8Array(64 << 12);
  private readonly view = new DataView(this.ram.buffer);
  private readonly pages = new Map<bigint, number>();

  translate(linear: bigint): number {
    const page = this.pages.get(linear >> 12n);
    return page === undefined ? -1 : page * 4096 + Number(linear & 0xfffn);
  }

  physical(address: number, length: number): Uint8Array | null {
    return address >= 0 && address + length <= this.ram.length ? this.ram.subarray(address, address + length) : null;
  }

  /** Maps `bytes` at `linear`, which lie in one run of pages. */
  put(linear: bigint, bytes: Iterable<number>): void {
    let at = linear;
    for (const byte of bytes) this.ram[this.touch(at++)] = byte;
  }

  word(linear: bigint, value: bigint): void {
    this.touch(linear + 7n);
    this.view.setBigUint64(this.touch(linear), BigInt.asUintN(64, value), true);
  }

  int32(linear: bigint, value: number): void {
    this.view.setInt32(this.touch(linear), value, true);
  }

  int16(linear: bigint, value: number): void {
    this.view.setInt16(this.touch(linear), value, true);
  }

  private touch(linear: bigint): number {
    const page = linear >> 12n;
    if (!this.pages.has(page)) this.pages.set(page, this.pages.size + 1);
    return this.translate(linear);
  }
}

/** A sample of a kernel in 64-bit mode, unless told otherwise. */
export function fakeSample(fields: Partial<GuestSample>): GuestSample {
  return {
    vcpu: 0,
    time: 1000,
    bits: 64,
    user: false,
    rip: 0n,
    rsp: 0n,
    rbp: 0n,
    systemCall: 0n,
    systemEnter: 0n,
    ...fields,
  };
}
