// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encodePng } from "../../../packages/host-node/src/index.js";
import { GUESTS } from "./list.js";
import { evidence, regionHash } from "./picture.js";
import { readPng } from "./png-pixels.js";
import { EVIDENCE, readRecords } from "./record.js";
import { ScreenText } from "./screen-text.js";
import { guestTable, TABLE } from "./table.js";

const root = join(import.meta.dirname, "../../..");

describe("the table of guests", () => {
  const records = readRecords(root);

  it("is what the declared guests and the records of their runs make of it", () => {
    expect(readFileSync(join(root, TABLE), "utf8")).toBe(guestTable(GUESTS, records));
  });

  it("has records of declared guests only, in their order, and their pictures", () => {
    expect(Object.keys(records)).toEqual(GUESTS.map(({ id }) => id).filter((id) => records[id] !== undefined));
    const named = Object.values(records).flatMap(({ pictures }) => pictures);
    const kept = readdirSync(join(root, EVIDENCE)).filter((name) => name.endsWith(".png"));
    expect(kept.sort()).toEqual([...named].sort());
  });

  it("names every guest once, and every medium that an option names", () => {
    const ids = GUESTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { media, stages } of GUESTS)
      for (const option of stages.flatMap(({ options }) => options))
        for (const [, name] of option.matchAll(/@([\w.-]+)/g)) expect(Object.keys(media)).toContain(name);
  });
});

describe("the text of a screen", () => {
  it("is put together from lines that are drawn at their places, wherever the output is cut", () => {
    const output = "\x1b[2J\x1b[Hone\x1b[K\x1b[3;1Hthree  \x1b[K\x1b[1;1Huno\x1b[K\x1b[25;1H";
    for (let cut = 0; cut <= output.length; cut++) {
      const screen = new ScreenText();
      screen.write(output.slice(0, cut));
      screen.write(output.slice(cut));
      expect(String(screen)).toBe("uno\n\nthree");
    }
  });

  it("loses what is cleared", () => {
    const screen = new ScreenText();
    screen.write("\x1b[1;1Hlonger line\x1b[K\x1b[1;1Hshort\x1b[K");
    expect(String(screen)).toBe("short");
    screen.write("\x1b[2J");
    expect(String(screen)).toBe("");
  });
});

describe("pictures of a screen", () => {
  const picture = (colours: number) => ({
    width: 20,
    height: 20,
    pixels: Uint8Array.from({ length: 1600 }, (_, i) => ((i >> 2) % colours) >> ((i & 3) * 8)),
  });

  it("are read as they were written, with and without a palette", () => {
    for (const colours of [1, 2, 3, 16, 17, 256, 300]) {
      const { pixels } = readPng(Buffer.from(encodePng(picture(colours))));
      const expected = Array.from({ length: 400 }, (_, i) => {
        const value = i % colours;
        return ((value & 0xff) << 16) | ((value >> 8) << 8);
      });
      expect([...pixels]).toEqual(expected);
    }
  });

  it("are kept with a palette, in coarser shades where there are too many", () => {
    const few = readPng(Buffer.from(encodePng(picture(200))));
    expect(readPng(Buffer.from(evidence(Buffer.from(encodePng(picture(200))))))).toEqual(few);
    const many = readPng(Buffer.from(evidence(Buffer.from(encodePng(picture(300))))));
    expect(many.pixels[297]).toBe((0x28 << 16) | (0x00 << 8));
    expect(many.pixels[1]).toBe(0);
    expect(new Set(many.pixels).size).toBeLessThanOrEqual(256);
  });

  it("are compared by region", () => {
    const one = readPng(Buffer.from(encodePng(picture(300))));
    const other = { ...one, pixels: one.pixels.slice() };
    other.pixels[5 * 20 + 5] ^= 1;
    const at = (x: number, width: number) => ({ x, y: 5, width, height: 1 });
    expect(regionHash(other, at(6, 14))).toBe(regionHash(one, at(6, 14)));
    expect(regionHash(other, at(5, 1))).not.toBe(regionHash(one, at(5, 1)));
    expect(regionHash(one, at(6, 15))).toBeNull();
  });
});
