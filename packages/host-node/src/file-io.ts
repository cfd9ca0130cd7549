// SPDX-License-Identifier: Apache-2.0
import { readSync, writeSync } from "node:fs";

/** Reads from byte `offset` of an open file until `buffer` is full. What lies behind the end of the file is zeros. */
export function readFully(file: number, offset: number, buffer: Uint8Array): void {
  let done = 0;
  while (done < buffer.length) {
    const count = readSync(file, buffer, done, buffer.length - done, offset + done);
    if (count === 0) return void buffer.fill(0, done);
    done += count;
  }
}

/** Writes all of `buffer` from byte `offset` of an open file on. */
export function writeFully(file: number, offset: number, buffer: Uint8Array): void {
  let done = 0;
  while (done < buffer.length) done += writeSync(file, buffer, done, buffer.length - done, offset + done);
}
