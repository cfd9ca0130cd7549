// SPDX-License-Identifier: Apache-2.0
import { BLOCK_SIZE, ModePage, VpdPage } from "./registers.js";

/** Answers of a disk, which are big endian. */

function ascii(text: string, width: number): number[] {
  return Array.from(text.padEnd(width).slice(0, width), (character) => character.charCodeAt(0) & 0x7f);
}

function big16(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}

function big32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** The last block, or all ones where that does not fit. */
function last32(blocks: number): number {
  return Math.min(blocks - 1, 0xffff_ffff);
}

/** Standard inquiry data (SPC-3, 6.4.2): a disk, version SPC-3, or a unit that cannot exist. */
export function inquiry(exists: boolean): Uint8Array {
  return Uint8Array.from([
    ...[exists ? 0x00 : 0x7f, 0, 5, 2, 31, 0, 0, 0],
    ...[...ascii("ISOLA", 8), ...ascii("USB DISK", 16), ...ascii("1.0", 4)],
  ]);
}

/** A page of vital product data (SPC-3, 7.6; SBC-3, 6.5); null for one that there is not. */
export function vpdPage(page: number, serial: string): Uint8Array | null {
  const body = vpdBody(page, serial);
  return body === null ? null : Uint8Array.from([0, page, ...big16(body.length), ...body]);
}

function vpdBody(page: number, serial: string): number[] | null {
  switch (page) {
    case VpdPage.Supported:
      return [VpdPage.Supported, VpdPage.Serial, VpdPage.Identification, VpdPage.BlockLimits, VpdPage.Characteristics];
    case VpdPage.Serial:
      return ascii(serial, 20);
    case VpdPage.Identification: {
      const id = [...ascii("ISOLA", 8), ...ascii(serial, 20)];
      // In ASCII, by vendor, of the logical unit.
      return [2, 1, 0, id.length, ...id];
    }
    case VpdPage.BlockLimits:
      // No limits beside those of the transport.
      return new Array<number>(60).fill(0);
    case VpdPage.Characteristics:
      // Not rotating.
      return [0, 1, ...new Array<number>(58).fill(0)];
    default:
      return null;
  }
}

export function capacity10(blocks: number): Uint8Array {
  return Uint8Array.from([...big32(last32(blocks)), ...big32(BLOCK_SIZE)]);
}

export function capacity16(blocks: number): Uint8Array {
  const last = Math.max(blocks - 1, 0);
  const bytes = new Uint8Array(32);
  bytes.set([...big32(Math.floor(last / 2 ** 32)), ...big32(last % 2 ** 32), ...big32(BLOCK_SIZE)]);
  return bytes;
}

/** READ FORMAT CAPACITIES (MMC-6, 6.24), which some systems ask memory sticks for: one formatted medium. */
export function formatCapacities(blocks: number): Uint8Array {
  return Uint8Array.from([0, 0, 0, 8, ...big32(Math.min(blocks, 0xffff_ffff)), 2, 0, ...big16(BLOCK_SIZE)]);
}

const HEADS = 255;
const SECTORS_PER_TRACK = 63;

/** Rigid disk geometry (SBC-2, 6.3.4), for firmware that asks for one. */
function geometryPage(blocks: number): number[] {
  const cylinders = Math.min(Math.floor(blocks / (HEADS * SECTORS_PER_TRACK)), 0xff_ffff);
  const page = new Array<number>(24).fill(0);
  page[0] = ModePage.RigidGeometry;
  page[1] = 22;
  page.splice(2, 4, ...big32(cylinders).slice(1), HEADS);
  // Revolutions a minute.
  page.splice(20, 2, ...big16(5400));
  return page;
}

/** Caching (SBC-3, 6.4.5): writes are cached until the initiator synchronizes. */
function cachingPage(): number[] {
  return [ModePage.Caching, 18, 4, ...new Array<number>(17).fill(0)];
}

function pagesOf(page: number, blocks: number): number[] | null {
  if (page === ModePage.RigidGeometry) return geometryPage(blocks);
  if (page === ModePage.Caching) return cachingPage();
  return page === ModePage.All ? [...geometryPage(blocks), ...cachingPage()] : null;
}

/**
 * MODE SENSE (SPC-3, 6.9 and 6.10) with its header; null for a page that there is not.
 * @param described whether a block descriptor is wanted
 */
export function modeSense(
  page: number,
  long: boolean,
  described: boolean,
  blocks: number,
  readOnly: boolean,
): Uint8Array | null {
  const pages = pagesOf(page, blocks);
  if (pages === null) return null;
  const descriptor = described ? [...big32(Math.min(blocks, 0xffff_ffff)), ...big32(BLOCK_SIZE)] : [];
  const protection = readOnly ? 0x80 : 0;
  const length = descriptor.length + pages.length;
  const header = long
    ? [...big16(length + 6), 0, protection, 0, 0, ...big16(descriptor.length)]
    : [length + 3, 0, protection, descriptor.length];
  return Uint8Array.from([...header, ...descriptor, ...pages]);
}
