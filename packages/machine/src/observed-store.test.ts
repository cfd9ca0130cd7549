// SPDX-License-Identifier: Apache-2.0
import type { BlockStore } from "@isola/ports";
import { describe, expect, it } from "vitest";
import { ObservedStore, type StoreRequest } from "./observed-store.js";

function setUp(store: Partial<BlockStore> = {}) {
  let time = 0;
  const inner: BlockStore = {
    size: 4096,
    readOnly: false,
    read: () => {},
    write: () => Promise.resolve(),
    flush: () => {},
    close: () => {},
    ...store,
  };
  const observed = new ObservedStore(inner, () => (time += 10));
  const seen: StoreRequest[] = [];
  observed.onRequest = (request) => seen.push(request);
  return { observed, seen };
}

describe("ObservedStore", () => {
  it("counts what finishes at once and what finishes later", async () => {
    const { observed, seen } = setUp();
    expect(observed.read(0, new Uint8Array(512))).toBeUndefined();
    const write = observed.write(512, new Uint8Array(1024));
    expect(observed.counters().bytesWritten).toBe(0);
    await write;
    void observed.flush();
    expect(observed.counters()).toEqual({
      requests: { read: 1, write: 1, flush: 1, discard: 0 },
      bytesRead: 512,
      bytesWritten: 1024,
      errors: 0,
      time: 30,
    });
    expect(seen[1]).toEqual({ operation: "write", offset: 512, bytes: 1024, start: 30, end: 40, failed: false });
  });

  it("passes errors on and counts them", async () => {
    const { observed, seen } = setUp({
      read: () => {
        throw new Error("torn");
      },
      write: () => Promise.reject(new Error("full")),
    });
    expect(() => observed.read(0, new Uint8Array(1))).toThrow("torn");
    await expect(observed.write(0, new Uint8Array(1))).rejects.toThrow("full");
    expect(observed.counters()).toMatchObject({ errors: 2, bytesRead: 0, bytesWritten: 0 });
    expect(seen.map(({ failed }) => failed)).toEqual([true, true]);
  });

  it("discards only if the store can", () => {
    expect(setUp().observed.discard).toBeUndefined();
    const { observed } = setUp({ discard: () => {} });
    void observed.discard?.(0, 4096);
    expect(observed.counters().requests["discard"]).toBe(1);
  });
});
