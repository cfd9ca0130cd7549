// SPDX-License-Identifier: Apache-2.0
import { deflateRawSync, deflateSync } from "node:zlib";
import { expect, it } from "vitest";
import { hostDecompressor } from "./decompressor.js";
import { hostEntropy } from "./entropy.js";

const data = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

it("unpacks exactly what was packed, whatever stands behind it", async () => {
  const packed = Buffer.concat([deflateRawSync(data), Buffer.alloc(1000, 1)]);
  expect(Buffer.compare(await hostDecompressor.inflateRaw(packed, data.length), data)).toBe(0);
  expect(Buffer.compare(await hostDecompressor.inflate(deflateSync(data), data.length), data)).toBe(0);
});

it("refuses more, less and damaged data", async () => {
  const packed = deflateRawSync(data);
  await expect(hostDecompressor.inflateRaw(packed, data.length - 1)).rejects.toThrow("more than");
  await expect(hostDecompressor.inflateRaw(packed, data.length + 1)).rejects.toThrow();
  await expect(hostDecompressor.inflateRaw(Buffer.alloc(100, 0xff), 10)).rejects.toThrow();
});

it("fills more than the browser gives at a time with random bytes", () => {
  const bytes = new Uint8Array(200_000);
  hostEntropy.fill(bytes);
  expect(new Set(bytes.subarray(-1000)).size).toBeGreaterThan(100);
});
