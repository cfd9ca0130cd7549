// SPDX-License-Identifier: Apache-2.0
import { HEADS, MAX_CYLINDERS, MAX_MULTIPLE, SECTORS_PER_TRACK } from "./registers.js";
import type { DriveState } from "./state.js";

const WORDS = 256;
const MAX_LBA28 = 0x0fff_ffff;
/** Transfer modes as SET FEATURES encodes them: type in the upper bits, number in the lower three. */
const MULTIWORD = 0x20;
const ULTRA = 0x40;
const MODE_NUMBER = 0x07;

/** Words of the answer to IDENTIFY DEVICE and IDENTIFY PACKET DEVICE (ATA-6, 8.15 and 8.16). */
class IdentifyWords {
  readonly bytes: Uint8Array = new Uint8Array(WORDS * 2);
  private readonly view = new DataView(this.bytes.buffer);

  set(word: number, value: number): this {
    this.view.setUint16(word * 2, value & 0xffff, true);
    return this;
  }

  set32(word: number, value: number): this {
    return this.set(word, value % 0x1_0000).set(word + 1, Math.floor(value / 0x1_0000));
  }

  /** Text has the first character of each pair in the upper byte, and is padded with spaces. */
  text(word: number, words: number, value: string): this {
    const padded = value.padEnd(words * 2).slice(0, words * 2);
    for (let i = 0; i < words; i++) this.set(word + i, (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1));
    return this;
  }

  /** Modes that are possible, and in the upper byte the one that is in use. */
  modes(word: number, supported: number, current: number, type: number): this {
    const selected = (current & ~MODE_NUMBER) === type ? 1 << (8 + (current & MODE_NUMBER)) : 0;
    return this.set(word, supported | selected);
  }
}

function common(words: IdentifyWords, serial: string, model: string, transferMode: number): IdentifyWords {
  return words
    .text(10, 10, serial)
    .text(23, 4, "1.0")
    .text(27, 20, model)
    .set(49, 0x0b00)
    .set(53, 0x0007)
    .modes(63, 0x07, transferMode, MULTIWORD)
    .set(64, 0x03)
    .set(65, 120)
    .set(66, 120)
    .set(67, 120)
    .set(68, 120)
    .set(80, 0x007e)
    .modes(88, 0x07, transferMode, ULTRA);
}

/** What a disk of `sectors` says of itself. */
export function identifyDisk(sectors: number, serial: string, s: DriveState): Uint8Array {
  const cylinders = Math.min(MAX_CYLINDERS, Math.floor(sectors / (HEADS * SECTORS_PER_TRACK)));
  const currentCylinders = Math.min(0xffff, Math.floor(sectors / (s.heads * s.sectorsPerTrack)));
  const words = new IdentifyWords().set(0, 0x0040).set(1, cylinders).set(3, HEADS).set(6, SECTORS_PER_TRACK);
  common(words, serial, "ISOLA HARDDISK", s.transferMode)
    .set(47, 0x8000 | MAX_MULTIPLE)
    .set(48, 1)
    .set(50, 0x4000)
    .set(51, 0x0200)
    .set(52, 0x0200)
    .set(54, currentCylinders)
    .set(55, s.heads)
    .set(56, s.sectorsPerTrack)
    .set32(57, currentCylinders * s.heads * s.sectorsPerTrack)
    .set(59, s.multiple === 0 ? 0 : 0x0100 | s.multiple)
    .set32(60, Math.min(sectors, MAX_LBA28))
    // NOP, write cache, look-ahead; flush, flush ext, 48-bit addresses.
    .set(82, 0x4060)
    .set(83, 0x7400)
    .set(84, 0x4000)
    .set(85, 0x4040 | (s.writeCache ? 0x20 : 0))
    .set(86, 0x3400)
    .set(87, 0x4000)
    // Reset passed; the drive's number follows from how it is jumpered.
    .set(93, 0x6001)
    .set32(100, sectors % 2 ** 32)
    .set32(102, Math.floor(sectors / 2 ** 32));
  return words.bytes;
}

/** What a CD drive says of itself: a packet device with removable medium and packets of 12 bytes. */
export function identifyCdrom(s: DriveState): Uint8Array {
  const words = common(new IdentifyWords().set(0, 0x85c0), "ISOLA0000", "ISOLA DVD-ROM", s.transferMode)
    .set(71, 30)
    .set(72, 30)
    // NOP, DEVICE RESET, PACKET.
    .set(82, 0x4210)
    .set(83, 0x4000)
    .set(84, 0x4000)
    .set(85, 0x4210)
    .set(87, 0x4000);
  return words.bytes;
}
