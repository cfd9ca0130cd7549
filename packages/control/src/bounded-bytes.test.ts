// SPDX-License-Identifier: Apache-2.0
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { boundedBytes } from "./bounded-bytes.js";

const chunks = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));
const tooLong = () => new RangeError("too long");

it("gives all that comes, up to the limit", async () => {
  expect((await boundedBytes(chunks("ab", "cd"), 4, tooLong)).toString()).toBe("abcd");
  expect(await boundedBytes(chunks(), 4, tooLong)).toHaveLength(0);
});

it("gives up, and ends the stream, as soon as more than that comes", async () => {
  let taken = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        taken++;
        yield Buffer.from("ab");
      }
    })(),
    { highWaterMark: 1 },
  );
  await expect(boundedBytes(endless, 4, tooLong)).rejects.toThrow(RangeError);
  expect(endless.destroyed).toBe(true);
  expect(taken).toBeLessThan(8);
});
