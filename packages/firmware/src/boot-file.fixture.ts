// SPDX-License-Identifier: Apache-2.0
import { GuestRam } from "@isola/memory";
import type { BootFile } from "./boot-image.js";

const MIB = 0x10_0000;

/** Guest RAM of `mib` MiB on its own buffer. */
export function testRam(mib: number): GuestRam {
  return new GuestRam(new ArrayBuffer(mib * MIB), 0, mib * MIB);
}

/** A file of `size` zero bytes with little-endian `fields` written over it: [offset, bytes, value]. */
export function fileOf(name: string, size: number, fields: readonly (readonly [number, number, number])[]): BootFile {
  const bytes = new Uint8Array(size);
  for (const [at, width, value] of fields)
    for (let i = 0; i < width; i++) bytes[at + i] = Math.floor(value / 256 ** i) % 256;
  return { name, bytes };
}

/** The zero-terminated Latin-1 string at `address`. */
export function stringAt(ram: GuestRam, address: number): string {
  let text = "";
  for (let at = address; ram.u8(at) !== 0; at++) text += String.fromCharCode(ram.u8(at));
  return text;
}

export interface ElfSegmentSpec {
  readonly type: number;
  readonly virtualAddress: number;
  readonly physicalAddress: number;
  readonly bytes: Uint8Array;
  readonly memorySize: number;
}

/** An ELF executable with the given program headers, file contents behind them. */
export function elfFile(bits: 32 | 64, entry: number, segments: readonly ElfSegmentSpec[], machine?: number): BootFile {
  const is64 = bits === 64;
  const headerBytes = is64 ? 64 : 52;
  const entryBytes = is64 ? 56 : 32;
  const fields: [number, number, number][] = [
    [0, 4, 0x464c_457f],
    [4, 1, is64 ? 2 : 1],
    [5, 1, 1],
    [6, 1, 1],
    [16, 2, 2],
    [18, 2, machine ?? (is64 ? 62 : 3)],
    [24, is64 ? 8 : 4, entry],
    [is64 ? 32 : 28, is64 ? 8 : 4, headerBytes],
    [is64 ? 54 : 42, 2, entryBytes],
    [is64 ? 56 : 44, 2, segments.length],
  ];
  let next = headerBytes + entryBytes * segments.length;
  const contents: [number, Uint8Array][] = [];
  segments.forEach((segment, i) => {
    const at = headerBytes + entryBytes * i;
    const word = is64 ? 8 : 4;
    const offsets = is64 ? [8, 16, 24, 32, 40] : [4, 8, 12, 16, 20];
    const values = [next, segment.virtualAddress, segment.physicalAddress, segment.bytes.length, segment.memorySize];
    fields.push([at, 4, segment.type]);
    values.forEach((value, j) => fields.push([at + (offsets[j] ?? 0), word, value]));
    contents.push([next, segment.bytes]);
    next += segment.bytes.length;
  });
  const file = fileOf("test.elf", next, fields);
  for (const [at, bytes] of contents) file.bytes.set(bytes, at);
  return file;
}

/** A bzImage of protocol 2.15 whose kernel is `payload` bytes of 0x90, needing memory up to 16 MiB + 8 MiB. */
export function bzImage(changes: readonly (readonly [number, number, number])[] = [], payload = 4096): BootFile {
  const setup = 5 * 512;
  const file = fileOf("vmlinuz", setup + payload, [
    [0x1f1, 1, 4],
    [0x1f4, 4, payload / 16],
    [0x1fe, 2, 0xaa55],
    [0x200, 2, 0x6aeb],
    [0x202, 4, 0x5372_6448],
    [0x206, 2, 0x020f],
    [0x211, 1, 1],
    [0x214, 4, 0x10_0000],
    [0x22c, 4, 0x7fff_ffff],
    [0x236, 2, 1],
    [0x238, 4, 2047],
    [0x248, 4, 0],
    [0x24c, 4, payload],
    [0x258, 8, 0x100_0000],
    [0x260, 4, 0x80_0000],
    ...changes,
  ]);
  file.bytes.fill(0x90, setup);
  return file;
}
