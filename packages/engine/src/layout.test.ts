// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { defineLayout } from "./layout.js";

describe("defineLayout", () => {
  const layout = defineLayout({
    a: { type: "u8", doc: "" },
    b: { type: "u32", count: 3, doc: "" },
    c: { type: "v128", count: 2, stride: 64, doc: "" },
    d: { type: "u16", doc: "" },
  });

  it("aligns fields to their width and wide strides to 64 bytes", () => {
    expect([
      layout.at("a"),
      layout.at("b"),
      layout.at("b", 2),
      layout.at("c"),
      layout.at("c", 1),
      layout.at("d"),
    ]).toEqual([0, 4, 12, 64, 128, 192]);
    expect(layout.size).toBe(256);
  });

  it("refuses an index outside the field", () => {
    expect(() => layout.at("b", 3)).toThrow("outside its field");
  });
});
