// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";

function written(write: (out: ByteWriter) => void): ByteReader {
  const out = new ByteWriter(1);
  write(out);
  return new ByteReader(out.bytes);
}

describe("what is written", () => {
  it.each([0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])(
    "is read again: the unsigned number %i",
    (value) => {
      const reader = written((out) => {
        out.unsigned(value);
        out.word(value);
      });
      expect([reader.unsigned(), reader.word(), reader.done]).toEqual([value, value, true]);
    },
  );

  it.each([0, -1, 0x3f, 0x40, -0x40, -0x41, 0x7fff_ffff, -0x8000_0000])(
    "is read again: the signed number %i",
    (value) => {
      const reader = written((out) => {
        out.signed32(value);
        out.signed64(BigInt(value));
      });
      expect([reader.signed(), reader.signed(), reader.done]).toEqual([BigInt(value), BigInt(value), true]);
    },
  );

  it.each([1n << 32n, -(1n << 32n), (1n << 63n) - 1n, -(1n << 63n)])(
    "is read again: the signed number %i of 64 bits",
    (value) => {
      const reader = written((out) => out.signed64(value));
      expect([reader.signed(), reader.done]).toEqual([value, true]);
    },
  );

  it("is read again: bytes and lists, one behind the other", () => {
    const reader = written((out) => {
      out.byte(0xfe);
      out.append([1, 2, 3]);
      out.unsigned(2);
      out.word(5);
      out.word(6);
    });
    expect(reader.byte()).toBe(0xfe);
    expect([...reader.bytes(3)]).toEqual([1, 2, 3]);
    expect(reader.list(() => reader.word())).toEqual([5, 6]);
    expect(reader.done).toBe(true);
  });
});

it("writes a word with its lowest byte first", () => {
  const out = new ByteWriter();
  out.word(0x8765_4321);
  out.word(-2);
  expect([...out.bytes]).toEqual([0x21, 0x43, 0x65, 0x87, 0xfe, 0xff, 0xff, 0xff]);
});

it("reads zeros behind the end, where every number ends", () => {
  const reader = new ByteReader(Uint8Array.of(0xff));
  expect(reader.unsigned()).toBe(0x7f);
  expect(reader.done).toBe(true);
  expect([reader.byte(), reader.word(), reader.signed()]).toEqual([0, 0, 0n]);
  expect(reader.bytes(4)).toHaveLength(0);
  expect(reader.list(() => reader.byte())).toEqual([]);
});
