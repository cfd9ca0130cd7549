// SPDX-License-Identifier: Apache-2.0
import { crc32, inflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { encodePng } from "./png.js";

it("writes a PNG whose chunks and pixels can be read back", () => {
  const pixels = Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 1, 2, 3, 255);
  const png = Buffer.from(encodePng({ width: 2, height: 2, pixels }));
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.set(png.subarray(at + 4, at + 8).toString(), png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  expect([...chunks.keys()]).toEqual(["IHDR", "IDAT", "IEND"]);
  expect(chunks.get("IHDR")?.readUInt32BE(0)).toBe(2);
  const lines = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  expect([...lines]).toEqual([0, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255, 1, 2, 3]);
});
