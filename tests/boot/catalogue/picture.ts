// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { encodePng } from "../../../packages/host-node/src/index.js";
import { CheckFailure } from "../check.js";
import { type IsolaProcess, LIMIT_SECONDS } from "../isola-process.js";
import type { Region } from "./guest.js";
import { type Picture, readPng } from "./png-pixels.js";

const POLL_MILLISECONDS = 100;
/** A busy machine needs a while, and a picture more. */
const ASK_MILLISECONDS = 3000;
const BETWEEN_LOOKS_MILLISECONDS = 1000;
const SHOT_SECONDS = 60;
const MAX_PALETTE = 256;
/** With two bits of each colour left, 64 colours are the most there can be. */
const MOST_BITS_DROPPED = 6;
/** The last chunk of a PNG: no data, its type, its checksum. */
const END = Buffer.from("0000000049454e44ae426082", "hex");

/**
 * Has the machine write its screen to `file`; resolves with the PNG when it is whole. A machine whose display is switched
 * off, as while firmware starts or a mode changes, is asked again.
 * @param machine has begun to run: only then does it know the signal
 */
export async function takePicture(machine: IsolaProcess, file: string): Promise<Buffer> {
  rmSync(file, { force: true });
  for (let waited = 0; waited < SHOT_SECONDS * 1000; waited += POLL_MILLISECONDS) {
    if (waited % ASK_MILLISECONDS === 0) machine.kill("SIGUSR1");
    await sleep(POLL_MILLISECONDS);
    const png = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    if (png.subarray(-END.length).equals(END)) return png;
  }
  throw new CheckFailure(`no picture of the screen within ${SHOT_SECONDS} s`);
}

/**
 * A picture as it is kept: with a palette, for which colours are made coarser, bit by bit, if there are too many. That
 * changes shades, nothing else.
 */
export function evidence(png: Buffer): Uint8Array {
  const { width, height, pixels } = readPng(png);
  for (let dropped = 0; ; dropped++) {
    const mask = 0x01_01_01 * ((0xff << dropped) & 0xff);
    if (dropped < MOST_BITS_DROPPED && new Set(pixels.map((colour) => colour & mask)).size > MAX_PALETTE) continue;
    const bytes = new Uint8Array(pixels.length * 4);
    pixels.forEach((colour, i) => {
      const coarse = colour & mask;
      bytes.set([coarse >> 16, (coarse >> 8) & 0xff, coarse & 0xff, 0], i * 4);
    });
    return encodePng({ width, height, pixels: bytes });
  }
}

/** SHA-256 of the pixels of a region, line by line; null when the picture does not contain it. */
export function regionHash({ width, height, pixels }: Picture, region: Region): string | null {
  if (region.x + region.width > width || region.y + region.height > height) return null;
  const hash = createHash("sha256");
  for (let y = region.y; y < region.y + region.height; y++) {
    const start = y * width + region.x;
    const line = pixels.subarray(start, start + region.width);
    hash.update(new Uint8Array(line.buffer, line.byteOffset, line.byteLength));
  }
  return hash.digest("hex");
}

/** Waits until the region of the screen has exactly these pixels. */
export async function lookFor(
  machine: IsolaProcess,
  file: string,
  { look, pixels, shows, seconds = LIMIT_SECONDS }: { look: Region; pixels: string; shows: string; seconds?: number },
): Promise<void> {
  let last = "";
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const picture = readPng(await takePicture(machine, file));
    const hash = regionHash(picture, look);
    if (hash === pixels) return;
    last = `${picture.width} by ${picture.height} pixels, the region has the hash ${hash}`;
    await sleep(BETWEEN_LOOKS_MILLISECONDS);
  }
  throw new CheckFailure(`the screen did not show "${shows}" within ${seconds} s; last: ${last}`);
}
