// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WavFile } from "./wav-file.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-wav-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a WAV file", () => {
  it("is whole after every piece of sound", () => {
    const path = join(folder, "sound.wav");
    const file = new WavFile(path);
    file.open({ rate: 48_000, channels: 2 });
    for (const pieces of [0, 1, 2, 3]) {
      const bytes = readFileSync(path);
      expect(bytes.length).toBe(44 + 8 * pieces);
      expect(bytes.toString("latin1", 0, 4) + bytes.toString("latin1", 8, 16)).toBe("RIFFWAVEfmt ");
      expect([bytes.readUInt32LE(4), bytes.readUInt32LE(40)]).toEqual([bytes.length - 8, 8 * pieces]);
      expect([bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt32LE(28)]).toEqual([2, 48_000, 192_000]);
      if (pieces > 0) expect(bytes.subarray(-8)).toEqual(Buffer.from([1, 0, 0xff, 0xff, 0, 0x80, 0xff, 0x7f]));
      file.write(new Int16Array([9, 1, -1, -0x8000, 0x7fff]).subarray(1));
    }
    file.close();
    file.write(new Int16Array(2));
    expect(readFileSync(path).length).toBe(44 + 32);
  });

  it("says so when it cannot be made", () => {
    expect(() => new WavFile(join(folder, "no/such/folder.wav"))).toThrow(/cannot write/);
  });
});
