// SPDX-License-Identifier: Apache-2.0
import { FileTreeError } from "@isola/ports";
import { Errno, NAME_MAX } from "./fuse-abi.js";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Reads the fields of a request in order. What is not there is an error of the request: EINVAL. */
export class FuseReader {
  private readonly view: DataView;

  constructor(
    private readonly bytes: Uint8Array,
    private at: number,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    this.need(4);
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  /** A 64-bit number; one beyond 2^53 is of no use to anybody and comes out rounded. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  skip(length: number): this {
    this.need(length);
    this.at += length;
    return this;
  }

  /** So many bytes, which are not copied. */
  take(length: number): Uint8Array {
    this.need(length);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Bytes up to a zero, which is passed over, at most `max` of them. */
  text(max: number): Uint8Array {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new FileTreeError(Errno.Invalid);
    const text = this.bytes.slice(this.at, end);
    this.at = end + 1;
    if (text.length > max) throw new FileTreeError(Errno.NameTooLong);
    return text;
  }

  /** A name in a directory: one component that leads nowhere else. */
  name(): Uint8Array {
    const name = this.text(NAME_MAX);
    const dots = name.length <= 2 && name.every((byte) => byte === DOT);
    if (name.length === 0 || dots || name.includes(SLASH)) throw new FileTreeError(Errno.Invalid);
    return name;
  }

  private need(length: number): void {
    if (this.at + length > this.bytes.length) throw new FileTreeError(Errno.Invalid);
  }
}
