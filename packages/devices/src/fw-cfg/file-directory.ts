// SPDX-License-Identifier: Apache-2.0
import { FILE_ENTRY_SIZE } from "./registers.js";

/** The file directory item: a big-endian count, then an entry of 64 bytes for each file, sorted by name. */
export function fileDirectory(files: readonly { name: string; key: number; size: number }[]): Uint8Array {
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const bytes = new Uint8Array(4 + sorted.length * FILE_ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sorted.length);
  sorted.forEach((file, i) => {
    const at = 4 + i * FILE_ENTRY_SIZE;
    view.setUint32(at, file.size);
    view.setUint16(at + 4, file.key);
    for (let c = 0; c < file.name.length; c++) bytes[at + 8 + c] = file.name.charCodeAt(c) & 0x7f;
  });
  return bytes;
}
