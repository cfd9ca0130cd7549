// SPDX-License-Identifier: Apache-2.0
import { type BootFile, FileReader, notBootable } from "../boot-image.js";

// Multiboot Specification 0.6.96, section 3.1.
const MAGIC = 0x1bad_b002;
const SEARCH_BYTES = 8192;
const HEADER_BYTES = 12;
const ADDRESS_FIELDS_END = 32;
const FLAG_ADDRESSES = 1 << 16;
/** Requirements that we meet: page-aligned modules, memory information; a wished video mode may be ignored. */
const KNOWN_REQUIREMENTS = 0b111;

/** Where an image without a usable ELF header goes (the "a.out kludge"). */
export interface LoadAddresses {
  /** File offset of the byte that goes to `start`. */
  readonly fileOffset: number;
  readonly start: number;
  /** End of what comes from the file. */
  readonly loadEnd: number;
  /** End of memory to be zeroed behind it. */
  readonly bssEnd: number;
  readonly entry: number;
}

export interface MultibootHeader {
  readonly addresses: LoadAddresses | null;
}

function readAddresses(reader: FileReader, at: number): LoadAddresses {
  const { file } = reader;
  if (at + ADDRESS_FIELDS_END > reader.size) throw notBootable(file, "ends inside its Multiboot header");
  const headerAddress = reader.u32(at + 12);
  const start = reader.u32(at + 16);
  const fileOffset = at - (headerAddress - start);
  if (start > headerAddress || fileOffset < 0)
    throw notBootable(file, "has a Multiboot header that lies outside its own image");
  const loadEnd = reader.u32(at + 20) || start + reader.size - fileOffset;
  const bssEnd = reader.u32(at + 24) || loadEnd;
  if (loadEnd < start || bssEnd < loadEnd) throw notBootable(file, "has Multiboot load addresses in the wrong order");
  return { fileOffset, start, loadEnd, bssEnd, entry: reader.u32(at + 28) };
}

/** Finds the header, or returns null. Throws OperatorError if it asks for something that we do not provide. */
export function findMultibootHeader(file: BootFile): MultibootHeader | null {
  const reader = new FileReader(file);
  const last = Math.min(reader.size, SEARCH_BYTES) - HEADER_BYTES;
  for (let at = 0; at <= last; at += 4) {
    if (reader.u32(at) !== MAGIC) continue;
    const flags = reader.u32(at + 4);
    if ((MAGIC + flags + reader.u32(at + 8)) % 0x1_0000_0000 !== 0) continue;
    const unknown = flags & 0xffff & ~KNOWN_REQUIREMENTS;
    if (unknown !== 0) throw notBootable(file, `requires unknown Multiboot features (0x${unknown.toString(16)})`);
    return { addresses: (flags & FLAG_ADDRESSES) !== 0 ? readAddresses(reader, at) : null };
  }
  return null;
}
