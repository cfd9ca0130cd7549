// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { NvramWriter } from "./nvram-writer.js";

const SIZE = 4 * 4096;

function makeWriter() {
  const contents = new Uint8Array(SIZE);
  const kept = new Uint8Array(SIZE);
  const calls: string[] = [];
  const errors: unknown[] = [];
  let failures = 0;
  const store: BlockStore = {
    size: SIZE,
    readOnly: false,
    read: () => {},
    async write(offset, buffer) {
      await Promise.resolve();
      if (failures-- > 0) throw new Error("disk full");
      kept.set(buffer, offset);
      calls.push(`write ${offset / 4096} ${buffer.length}`);
    },
    flush: () => void calls.push("flush"),
    close: () => {},
  };
  const writer = new NvramWriter(contents, store, (error) => errors.push(error));
  const change = (offset: number, value: number): void => {
    contents[offset] = value;
    writer.changed(offset, 1);
  };
  const fail = (times: number): void => void (failures = times);
  return { calls, change, contents, errors, fail, kept, writer };
}

describe("NvramWriter", () => {
  it("writes what changed in one go as whole blocks, in order, and flushes once", async () => {
    const { calls, change, contents, kept, writer } = makeWriter();
    change(0x3001, 1);
    change(0x0fff, 2);
    change(0x3002, 3);
    writer.changed(0x0fff, 2);
    await writer.settle();
    expect(calls).toEqual(["write 0 4096", "write 1 4096", "write 3 4096", "flush"]);
    expect(kept).toEqual(contents);
    await writer.settle();
    expect(calls.length).toBe(4);
  });

  it("writes changes that come meanwhile afterwards", async () => {
    const { calls, change, contents, kept, writer } = makeWriter();
    change(0, 1);
    await Promise.resolve();
    change(0, 2);
    await writer.settle();
    expect(kept[0]).toBe(contents[0]);
    expect(calls).toEqual(["write 0 4096", "flush", "write 0 4096", "flush"]);
  });

  it("tells of a failure and tries again with the next change, or at the end", async () => {
    const { change, contents, errors, fail, kept, writer } = makeWriter();
    fail(1);
    change(0x1000, 1);
    await writer.settle();
    expect([errors.length, kept[0x1000]]).toEqual([1, 0]);
    change(0x2000, 2);
    await writer.settle();
    expect(kept).toEqual(contents);
    fail(1);
    change(0x1000, 7);
    await writer.settle();
    await writer.settle();
    expect([errors.length, kept[0x1000]]).toEqual([2, 7]);
  });
});
