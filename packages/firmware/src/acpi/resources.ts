// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "../byte-writer.js";
import { type Aml, buffer } from "./aml.js";

/** One resource descriptor (ACPI 6.5, section 6.4). */
export type Resource = Uint8Array;

const END_TAG = 0x79;

/** Fixed I/O ports, decoded in 16 bits (6.4.2.5). */
export function ioPorts(start: number, length: number): Resource {
  return new ByteWriter().u8(0x47, 1).u16(start).u16(start).u8(1, length).finish();
}

/** An edge-triggered, active-high ISA interrupt (6.4.2.1). */
export function isaInterrupt(irq: number): Resource {
  return new ByteWriter()
    .u8(0x22)
    .u16(1 << irq)
    .finish();
}

/** An 8-bit channel of the ISA DMA controllers, no bus master (6.4.2.2). */
export function dmaChannel(channel: number): Resource {
  return new ByteWriter().u8(0x2a, 1 << channel, 0).finish();
}

/** A fixed, writable range of memory addresses below 4 GiB (6.4.3.4). */
export function fixedMemory(start: number, length: number): Resource {
  return new ByteWriter().u8(0x86).u16(9).u8(1).u32(start).u32(length).finish();
}

const enum SpaceKind {
  Memory = 0,
  Io = 1,
  BusNumber = 2,
}

/** Bit 2 and 3: both ends are fixed. A producer, positive decode (6.4.3.5). */
const WINDOW_FLAGS = 0x0c;
/** Memory: not cacheable, read and write. */
const MEMORY_FLAGS = 0x01;
/** I/O: the entire range, not only ISA aliases. */
const IO_FLAGS = 0x03;

/** Bus numbers that a host bridge hands on (word address space descriptor). */
export function busNumbers(first: number, last: number): Resource {
  const writer = new ByteWriter().u8(0x88).u16(13).u8(SpaceKind.BusNumber, WINDOW_FLAGS, 0);
  return writer
    .u16(0)
    .u16(first)
    .u16(last)
    .u16(0)
    .u16(last - first + 1)
    .finish();
}

/** I/O ports that a host bridge hands on. */
export function ioWindow(first: number, last: number): Resource {
  const writer = new ByteWriter().u8(0x88).u16(13).u8(SpaceKind.Io, WINDOW_FLAGS, IO_FLAGS);
  return writer
    .u16(0)
    .u16(first)
    .u16(last)
    .u16(0)
    .u16(last - first + 1)
    .finish();
}

/** Memory addresses below 4 GiB that a host bridge hands on. */
export function memoryWindow32(start: number, length: number): Resource {
  const writer = new ByteWriter().u8(0x87).u16(23).u8(SpaceKind.Memory, WINDOW_FLAGS, MEMORY_FLAGS);
  return writer
    .u32(0)
    .u32(start)
    .u32(start + length - 1)
    .u32(0)
    .u32(length)
    .finish();
}

/** Memory addresses anywhere that a host bridge hands on. */
export function memoryWindow64(start: number, length: number): Resource {
  const writer = new ByteWriter().u8(0x8a).u16(43).u8(SpaceKind.Memory, WINDOW_FLAGS, MEMORY_FLAGS);
  return writer
    .u64(0)
    .u64(start)
    .u64(start + length - 1)
    .u64(0)
    .u64(length)
    .finish();
}

/** `ResourceTemplate () { ... }`: the descriptors in one buffer, and an end tag whose checksum 0 means "none". */
export function resourceTemplate(...resources: readonly Resource[]): Aml {
  return buffer([...resources.flatMap((resource) => [...resource]), END_TAG, 0]);
}
