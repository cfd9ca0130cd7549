// SPDX-License-Identifier: Apache-2.0
import { CD_BLOCK_SIZE } from "./registers.js";
import { FIRST_FRAME, FRAMES_PER_SECOND, LEAD_OUT, ModePage, SENSE_LENGTH } from "./packet-registers.js";

/** Answers of a CD drive, which are big endian. */

function ascii(text: string, width: number): number[] {
  return Array.from(text.padEnd(width).slice(0, width), (character) => character.charCodeAt(0));
}

function big32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** A block address, or minutes, seconds and frames. */
function address(block: number, msf: boolean): number[] {
  if (!msf) return big32(block);
  const frames = block + FIRST_FRAME;
  const seconds = Math.floor(frames / FRAMES_PER_SECOND);
  return [0, Math.floor(seconds / 60) & 0xff, seconds % 60, frames % FRAMES_PER_SECOND];
}

/** SPC-3, 4.5.3: fixed format, current error. */
export function senseData(key: number, code: number): Uint8Array {
  const bytes = new Uint8Array(SENSE_LENGTH);
  bytes[0] = 0x70;
  bytes[2] = key;
  bytes[7] = SENSE_LENGTH - 8;
  bytes[12] = code >> 8;
  bytes[13] = code & 0xff;
  return bytes;
}

/** A removable CD or DVD drive (SPC-3, 6.4.2). */
export function inquiryData(): Uint8Array {
  return Uint8Array.from([
    5,
    0x80,
    0,
    0x21,
    31,
    0,
    0,
    0,
    ...ascii("ISOLA", 8),
    ...ascii("DVD-ROM", 16),
    ...ascii("1.0", 4),
  ]);
}

export function capacityData(blocks: number): Uint8Array {
  return Uint8Array.from([...big32(blocks - 1), ...big32(CD_BLOCK_SIZE)]);
}

/** Formats 0 to 2 of READ TOC (MMC-6, 6.25): one session with one data track. Null for other formats. */
export function tocData(format: number, track: number, msf: boolean, blocks: number): Uint8Array | null {
  if (format === 0) {
    if (track > 1 && track !== LEAD_OUT) return null;
    const first = track <= 1 ? [0, 0x14, 1, 0, ...address(0, msf)] : [];
    const entries = [...first, 0, 0x16, LEAD_OUT, 0, ...address(blocks, msf)];
    return Uint8Array.from([0, entries.length + 2, 1, 1, ...entries]);
  }
  if (format === 1) return Uint8Array.from([0, 10, 1, 1, 0, 0x14, 1, 0, ...address(0, msf)]);
  if (format !== 2) return null;
  const point = (number: number, [, minute = 0, second = 0, frame = 0]: number[]): number[] => [
    ...[1, 0x14, 0, number, 0, 0, 0, 0],
    ...[minute, second, frame],
  ];
  const entries = [
    ...point(0xa0, [0, 1, 0, 0]),
    ...point(0xa1, [0, 1, 0, 0]),
    ...point(0xa2, address(blocks, true)),
    ...point(1, address(0, true)),
  ];
  return Uint8Array.from([0, entries.length + 2, 1, 1, ...entries]);
}

const PROFILE_CD_ROM = 0x08;
const PROFILE_DVD_ROM = 0x10;
/** More blocks than the longest CD has (80 minutes). */
const CD_BLOCKS = 80 * 60 * FRAMES_PER_SECOND;

/** GET CONFIGURATION (MMC-6, 6.6): profile list, core, removable medium. `blocks` is 0 without a medium. */
export function configurationData(blocks: number): Uint8Array {
  const profile = blocks === 0 ? 0 : blocks > CD_BLOCKS ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
  const current = (one: number): number => (profile === one ? 1 : 0);
  const features = [
    ...[0, 0, 0x03, 8],
    ...[0, PROFILE_DVD_ROM, current(PROFILE_DVD_ROM), 0],
    ...[0, PROFILE_CD_ROM, current(PROFILE_CD_ROM), 0],
    ...[0, 1, 0x0b, 8, 0, 0, 0, 2, 1, 0, 0, 0],
    ...[0, 3, 0x03, 4, 0x29, 0, 0, 0],
  ];
  return Uint8Array.from([...big32(features.length + 4), 0, 0, 0, profile, ...features]);
}

/** GET EVENT STATUS NOTIFICATION for the media class (MMC-6, 6.7); `event` 2 is a new medium. */
export function mediaEventData(event: number, present: boolean): Uint8Array {
  return Uint8Array.from([0, 6, 4, 0x10, event, present ? 2 : 0, 0, 0]);
}

/** READ DISC INFORMATION (MMC-6, 6.22): complete, one session, one track. */
export function discInformation(): Uint8Array {
  const bytes = new Uint8Array(34);
  bytes.set([0, 32, 0x0e, 1, 1, 1, 1, 0x20]);
  return bytes;
}

/** Mode pages behind the header, or null for a page that there is not. */
export function modePages(page: number): Uint8Array | null {
  const recovery = [ModePage.ErrorRecovery, 6, 0, 5, 0, 0, 0, 0];
  const capabilities = [
    ...[ModePage.Capabilities, 18, 0x3b, 0, 0x71, 0x60, 0x29, 0, 0x02, 0xc2, 0, 2, 0x02, 0, 0x02, 0xc2, 0, 0, 0, 0],
  ];
  if (page === ModePage.ErrorRecovery) return Uint8Array.from(recovery);
  if (page === ModePage.Capabilities) return Uint8Array.from(capabilities);
  return page === ModePage.All ? Uint8Array.from([...recovery, ...capabilities]) : null;
}

/** Type of medium in the header of mode pages: closed with a data disc, or without a disc. */
export function mediumType(present: boolean): number {
  return present ? 0x01 : 0x70;
}
