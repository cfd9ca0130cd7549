// SPDX-License-Identifier: Apache-2.0
import { type BootFile, FileReader, notBootable } from "../boot-image.js";

/** A part of the file that is to be loaded. */
export interface ElfSegment {
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  /** The bytes in the file; the rest up to `memorySize` is zero. */
  readonly bytes: Uint8Array;
  readonly memorySize: number;
}

export interface ElfNote {
  readonly name: string;
  readonly type: number;
  readonly content: Uint8Array;
}

export interface ElfFile {
  readonly bits: 32 | 64;
  readonly entry: number;
  /** PT_LOAD segments that occupy memory. */
  readonly segments: readonly ElfSegment[];
  readonly notes: readonly ElfNote[];
}

const MAGIC = 0x464c_457f;
const CLASS_32 = 1;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;
const EM_386 = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** Header counts are 16 bits wide, but no kernel has more than a handful; this bounds the work on a hostile file. */
const MAX_PROGRAM_HEADERS = 256;

/** Whether `bytes` begin with the ELF magic. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true) === MAGIC;
}

interface ProgramHeader {
  readonly type: number;
  readonly offset: number;
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

function readProgramHeader(reader: FileReader, at: number, bits: 32 | 64): ProgramHeader {
  const is64 = bits === 64;
  const word = (offset32: number, offset64: number) => (is64 ? reader.u64(at + offset64) : reader.u32(at + offset32));
  return {
    type: reader.u32(at),
    offset: word(4, 8),
    virtualAddress: word(8, 16),
    physicalAddress: word(12, 24),
    fileSize: word(16, 32),
    memorySize: word(20, 40),
  };
}

function readNotes(bytes: Uint8Array): ElfNote[] {
  const notes: ElfNote[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const align = (value: number) => Math.ceil(value / 4) * 4;
  let at = 0;
  while (at + 12 <= bytes.length) {
    const nameSize = view.getUint32(at, true);
    const contentSize = view.getUint32(at + 4, true);
    const content = at + 12 + align(nameSize);
    if (content + contentSize > bytes.length) break;
    notes.push({
      name: String.fromCharCode(...bytes.subarray(at + 12, at + 12 + Math.max(0, Math.min(nameSize, 64) - 1))),
      type: view.getUint32(at + 8, true),
      content: bytes.subarray(content, content + contentSize),
    });
    at = content + align(contentSize);
  }
  return notes;
}

/** Reads an x86 ELF executable. Throws OperatorError if it is for another machine or truncated. */
export function readElf(file: BootFile): ElfFile {
  const reader = new FileReader(file);
  const fileClass = reader.u8(4);
  const machine = reader.u16(18);
  if (reader.u8(5) !== LITTLE_ENDIAN || (machine !== EM_386 && machine !== EM_X86_64))
    throw notBootable(file, `is an ELF file for another processor (machine ${machine}); an x86 kernel is needed`);
  if (fileClass !== CLASS_32 && fileClass !== CLASS_64)
    throw notBootable(file, `has an unknown ELF class ${fileClass}`);
  const bits = fileClass === CLASS_64 ? 64 : 32;
  const table = bits === 64 ? reader.u64(32) : reader.u32(28);
  const entrySize = reader.u16(bits === 64 ? 54 : 42);
  const count = reader.u16(bits === 64 ? 56 : 44);
  if (count > MAX_PROGRAM_HEADERS) throw notBootable(file, `has ${count} ELF program headers, which cannot be right`);
  const segments: ElfSegment[] = [];
  const notes: ElfNote[] = [];
  for (let i = 0; i < count; i++) {
    const header = readProgramHeader(reader, table + i * entrySize, bits);
    if (header.type === PT_LOAD && header.memorySize > 0) {
      const { virtualAddress, physicalAddress, memorySize } = header;
      const bytes = reader.slice(header.offset, Math.min(header.fileSize, memorySize), `ELF segment ${i}`);
      segments.push({ virtualAddress, physicalAddress, bytes, memorySize });
    } else if (header.type === PT_NOTE) {
      notes.push(...readNotes(reader.slice(header.offset, header.fileSize, `ELF note segment ${i}`)));
    }
  }
  return { bits, entry: bits === 64 ? reader.u64(24) : reader.u32(24), segments, notes };
}
