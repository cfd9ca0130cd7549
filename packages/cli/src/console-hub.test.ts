// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from "node:stream";
import type { Vm } from "@isola/vmm";
import { describe, expect, it } from "vitest";
import { ConsoleHub } from "./console-hub.js";

const RECENT = 16 << 10;
const vm = { state: "running", listen: () => () => {}, pendingInput: () => 0, perform() {} } as unknown as Vm;

/** What somebody sees who attaches now. */
function seen(hub: ConsoleHub): Buffer {
  const stream = new PassThrough();
  const shown: Buffer[] = [];
  const { write } = stream;
  stream.write = ((bytes: Uint8Array) => {
    shown.push(Buffer.from(bytes));
    return write.call(stream, bytes, "latin1");
  }) as typeof stream.write;
  hub.attach(vm, stream);
  stream.destroy();
  return Buffer.concat(shown);
}

describe("ConsoleHub", () => {
  it.each([1, 7, 1000, RECENT, RECENT + 1, 5 * RECENT])(
    "shows the latest output, written %i bytes at a time",
    (piece) => {
      const hub = new ConsoleHub({ write() {} });
      expect(seen(hub)).toHaveLength(0);
      const all = Buffer.from(Array.from({ length: 5 * RECENT }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
      for (let at = 0; at < all.length; at += piece) {
        hub.write(all.subarray(at, at + piece));
        if (at % 997 !== 0) continue;
        const end = Math.min(at + piece, all.length);
        expect(seen(hub).equals(all.subarray(Math.max(0, end - RECENT), end))).toBe(true);
      }
      expect(seen(hub).equals(all.subarray(-RECENT))).toBe(true);
    },
  );
});
