// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { Fis, HEADER_SIZE, REGION_LENGTH, REGION_SIZE, TABLE_ATAPI, TABLE_REGIONS } from "./registers.js";

/** Why data could not be moved. */
export type MoveFailure = "overflow" | "bus";

/** An entry of the command list, with its command FIS and the regions of memory that its data goes through. */
export class AhciCommand {
  readonly flags: number;
  /** 20 bytes of register FIS; zeros if the table is not in RAM. */
  readonly fis: Uint8Array = new Uint8Array(20);
  private readonly header: number;
  private readonly table: number;
  private readonly regions: number;
  private moved = 0;
  /** The next region, and what is left of the one before it. */
  private region = 0;
  private address = 0;
  private left = 0;

  /**
   * @param list address of the command list
   * @param mayMaster whether the function may access memory
   */
  constructor(
    private readonly ram: GuestRam,
    list: number,
    readonly slot: number,
    private readonly mayMaster: () => boolean,
  ) {
    this.header = list + slot * HEADER_SIZE;
    this.flags = ram.u32(this.header);
    this.regions = this.flags >>> 16;
    this.table = ram.u32(this.header + 8) + ram.u32(this.header + 12) * 2 ** 32;
    if (mayMaster()) ram.read(this.table, this.fis);
  }

  /** Whether this is a FIS that a drive understands. */
  get valid(): boolean {
    return this.fis[0] === Fis.HostToDevice;
  }

  /** The packet of a packet command; zeros if it is not in RAM. */
  packet(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.ram.read(this.table + TABLE_ATAPI, bytes);
    return bytes;
  }

  /** Moves all of `bytes` to or from the regions, and counts them in the header; says what went wrong, or null. */
  move(bytes: Uint8Array, toMemory: boolean): MoveFailure | null {
    for (let done = 0; done < bytes.length;) {
      if (this.left === 0) {
        if (this.region >= this.regions) return "overflow";
        const entry = this.table + TABLE_REGIONS + this.region * REGION_SIZE;
        if (this.ram.offsetOf(entry, REGION_SIZE) < 0) return "bus";
        this.region++;
        this.address = this.ram.u32(entry) + this.ram.u32(entry + 4) * 2 ** 32;
        // The field holds the length less one, and lengths are even (4.2.3.3).
        this.left = ((this.ram.u32(entry + 12) & REGION_LENGTH) | 1) + 1;
      }
      const length = Math.min(this.left, bytes.length - done);
      const part = bytes.subarray(done, done + length);
      const { ram, address } = this;
      if (!this.mayMaster() || !(toMemory ? ram.write(address, part) : ram.read(address, part))) return "bus";
      this.address += length;
      this.left -= length;
      this.moved += length;
      done += length;
    }
    this.ram.setU32(this.header + 4, this.moved);
    return null;
  }
}
