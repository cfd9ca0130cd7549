// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { declareCounters, flattenCounters, sumOf } from "./counters.js";

describe("counters", () => {
  it("are declared with names that can stand in a path", () => {
    expect(() => declareCounters("x", { "a.b": { unit: "events", doc: "" } })).toThrow('"a.b" cannot name a counter');
    expect(declareCounters("x", { ab: { unit: "events", doc: "d" } }).specs.ab.doc).toBe("d");
  });

  it("have full names", () => {
    expect(flattenCounters("vcpu.0", { slices: 3, exits: { Trap: 2, Decode: 1 } })).toEqual({
      "vcpu.0.slices": 3,
      "vcpu.0.exits.Trap": 2,
      "vcpu.0.exits.Decode": 1,
    });
    expect(sumOf({ a: 1, b: 2 })).toBe(3);
  });
});
