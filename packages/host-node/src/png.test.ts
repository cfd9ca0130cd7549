// SPDX-License-Identifier: Apache-2.0
import { crc32, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { encodePng } from "./png.js";

/** The chunks of a PNG by type; checks signature and checksums. */
function chunks(png: Buffer): Map<string, Buffer> {
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const found = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    found.set(png.subarray(at + 4, at + 8).toString(), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  return found;
}

const lines = (png: Map<string, Buffer>) => [...inflateSync(png.get("IDAT") ?? Buffer.alloc(0))];

it("writes few colours as a palette and packed indices", () => {
  const pixels = Uint8Array.of(
    255,
    0,
    0,
    255,
    0,
    255,
    0,
    255,
    0,
    0,
    255,
    255,
    255,
    0,
    0,
    0,
    0,
    255,
    0,
    9,
    1,
    2,
    3,
    255,
  );
  const png = chunks(Buffer.from(encodePng({ width: 3, height: 2, pixels })));
  expect([...png.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  // Width, height, depth 2, indexed, then the only methods there are.
  expect([...(png.get("IHDR") ?? [])]).toEqual([0, 0, 0, 3, 0, 0, 0, 2, 2, 3, 0, 0, 0]);
  expect([...(png.get("PLTE") ?? [])]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3]);
  expect(lines(png)).toEqual([0, 0b00_01_10_00, 0, 0b00_01_11_00]);
});

it("writes an index a byte from 17 colours on, and a bit up to two", () => {
  const grey = (count: number) => Uint8Array.from({ length: count * 4 }, (_, i) => i >> 2);
  expect(lines(chunks(Buffer.from(encodePng({ width: 17, height: 1, pixels: grey(17) }))))).toEqual([
    0,
    ...Array.from({ length: 17 }, (_, i) => i),
  ]);
  const black = new Uint8Array(10 * 4);
  expect(lines(chunks(Buffer.from(encodePng({ width: 10, height: 1, pixels: black }))))).toEqual([0, 0, 0]);
});

it("writes more than 256 colours as they are", () => {
  const pixels = Uint8Array.from({ length: 257 * 4 }, (_, i) => [(i >> 2) & 0xff, (i >> 2) >> 8, 7, 0][i & 3]);
  const png = chunks(Buffer.from(encodePng({ width: 257, height: 1, pixels })));
  expect([...png.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  expect([...(png.get("IHDR") ?? [])].slice(8, 10)).toEqual([8, 2]);
  expect(lines(png).slice(0, 7)).toEqual([0, 0, 0, 7, 1, 0, 7]);
  expect(lines(png).slice(-3)).toEqual([0, 1, 7]);
});
