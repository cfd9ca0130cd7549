// SPDX-License-Identifier: Apache-2.0
import type { MachineCode } from "./machine-code.js";

const HEADER = 64;
const PROGRAM_HEADER = 56;
const PAGE = 0x1000;
const CODE_ADDRESS = 0x40_0000;
/** Where the data segment of every program is. */
export const DATA_ADDRESS = 0x60_0000;

const enum Segment {
  Load = 1,
  /** PT_GNU_STACK: says that the stack is not executable. */
  Stack = 0x6474_e551,
}
const enum Access {
  Execute = 1,
  Write = 2,
  Read = 4,
}

interface ProgramHeader {
  readonly type: Segment;
  readonly access: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

function writeProgramHeader(view: DataView, at: number, header: ProgramHeader): void {
  view.setUint32(at, header.type, true);
  view.setUint32(at + 4, header.access, true);
  const fields = [header.offset, header.address, header.address, header.fileSize, header.memorySize, PAGE];
  fields.forEach((value, i) => view.setBigUint64(at + 8 + 8 * i, BigInt(value), true));
}

/** A static ELF program for 64-bit Linux (System V ABI, chapters 4 and 5): code to execute, data to write, nothing else. */
export function elfProgram(program: MachineCode): Uint8Array {
  const { code, data, dataLength } = program.finish();
  const codeOffset = HEADER + 3 * PROGRAM_HEADER;
  const dataOffset = Math.ceil((codeOffset + code.length) / PAGE) * PAGE;
  const file = new Uint8Array(dataOffset + data.length);
  const view = new DataView(file.buffer);
  // Magic, 64 bits, little-endian, version 1; ET_EXEC for x86-64.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE_ADDRESS + codeOffset), true);
  view.setBigUint64(32, BigInt(HEADER), true);
  view.setUint16(52, HEADER, true);
  view.setUint16(54, PROGRAM_HEADER, true);
  view.setUint16(56, 3, true);
  const codeSize = codeOffset + code.length;
  writeProgramHeader(view, HEADER, {
    type: Segment.Load,
    access: Access.Read | Access.Execute,
    offset: 0,
    address: CODE_ADDRESS,
    fileSize: codeSize,
    memorySize: codeSize,
  });
  writeProgramHeader(view, HEADER + PROGRAM_HEADER, {
    type: Segment.Load,
    access: Access.Read | Access.Write,
    offset: dataOffset,
    address: DATA_ADDRESS,
    fileSize: data.length,
    memorySize: dataLength,
  });
  const stack = { type: Segment.Stack, access: Access.Read | Access.Write, offset: 0, address: 0 };
  writeProgramHeader(view, HEADER + 2 * PROGRAM_HEADER, { ...stack, fileSize: 0, memorySize: 0 });
  file.set(code, codeOffset);
  file.set(data, dataOffset);
  return file;
}
