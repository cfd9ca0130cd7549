// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { ByteWriter } from "../byte-writer.js";

const HEADER_BYTES = 4;
const MAX_FORMATTED = 0xff;

/** One SMBIOS structure in the making: the formatted area, and the strings that it refers to by number (SMBIOS 3.6, 6.1). */
export class Structure {
  private readonly area = new ByteWriter();
  private readonly strings: string[] = [];

  /** @param handle by which other structures refer to this one */
  constructor(
    private readonly type: number,
    readonly handle: number,
  ) {}

  u8(...values: readonly number[]): this {
    this.area.u8(...values);
    return this;
  }

  u16(...values: readonly number[]): this {
    for (const value of values) this.area.u16(value);
    return this;
  }

  u32(...values: readonly number[]): this {
    for (const value of values) this.area.u32(value);
    return this;
  }

  /** A value below 2^53. */
  u64(...values: readonly number[]): this {
    for (const value of values) this.area.u64(value);
    return this;
  }

  append(bytes: Iterable<number>): this {
    this.area.append(bytes);
    return this;
  }

  /** The number of a string; 0 for an empty one. Equal strings share a number. Only printable ASCII is kept. */
  text(value: string): this {
    const printable = value.replace(/[^\x20-\x7e]/g, "?");
    if (printable === "") return this.u8(0);
    if (!this.strings.includes(printable)) this.strings.push(printable);
    return this.u8(this.strings.indexOf(printable) + 1);
  }

  finish(): Uint8Array {
    const formatted = this.area.finish();
    const length = HEADER_BYTES + formatted.length;
    assert(length <= MAX_FORMATTED, "an SMBIOS structure is too long");
    const w = new ByteWriter().u8(this.type, length).u16(this.handle).append(formatted);
    for (const string of this.strings) w.text(string, string.length).u8(0);
    // Two zeros end the strings, also where there are none.
    return w.zeros(this.strings.length === 0 ? 2 : 1).finish();
  }
}
