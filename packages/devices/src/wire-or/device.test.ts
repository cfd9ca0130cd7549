// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { RecordingLine } from "../conformance/recorders.js";
import { deviceConformance } from "../conformance/suite.js";
import { fanOut, WireOr } from "./device.js";

deviceConformance("wire-or", () => {
  const device = new WireOr(new RecordingLine());
  const sources = Array.from({ length: 4 }, () => device.source());
  const poke = {
    read: () => 0,
    write: (offset: number, _size: number, value: number) => sources[offset]!.set(value % 2 === 1),
  };
  return { device, ranges: [{ handler: poke, length: 4 }] };
});

it("holds the line until the last source lets go", () => {
  const line = new RecordingLine();
  const other = new RecordingLine();
  const wire = new WireOr(fanOut(line, other));
  const a = wire.source();
  const b = wire.source();
  a.set(true);
  b.set(true);
  a.set(false);
  expect(line.level).toBe(true);
  b.set(false);
  expect([line.level, line.edges, other.edges]).toEqual([false, 1, 1]);
});
