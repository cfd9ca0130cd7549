// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { chordOf, typedText } from "./key-names.js";
import { machineTable } from "./machine-table.js";
import { mouseActions } from "./mouse-actions.js";

const codes = (events: ReturnType<typeof chordOf>) =>
  events.map((event) => (event.type === "key" ? (event.pressed ? 1 : -1) * event.code : 0));

describe("keys by name", () => {
  it.each([
    ["ctrl-alt-delete", [0x1d, 0x38, 0xe053, -0xe053, -0x38, -0x1d]],
    ["F2", [0x3c, -0x3c]],
    ["a", [0x1e, -0x1e]],
    ["shift-1", [0x2a, 0x02, -0x02, -0x2a]],
    ["minus", [0x0c, -0x0c]],
  ])("%s", (text, expected) => expect(codes(chordOf(text))).toEqual(expected));

  it.each(["", "ctrl-", "delet", "A!", "!", "ctrl+c", "constructor"])("there is no %s", (text) =>
    expect(() => chordOf(text)).toThrow(/there is no key/),
  );
});

describe("typed text", () => {
  it("knows shift and escapes", () => {
    expect(codes(typedText("aB\\n"))).toEqual([0x1e, -0x1e, 0x2a, 0x30, -0x30, -0x2a, 0x1c, -0x1c]);
    expect(codes(typedText("\\\\"))).toEqual(codes(typedText("\\x")).slice(0, 2));
    expect(() => typedText("naïve")).toThrow(/no key for "ï"/);
  });
});

describe("mouse actions", () => {
  it("are movements and buttons", () => {
    expect(mouseActions(["move", "-3", "4"])).toEqual([{ type: "mouse", dx: -3, dy: 4, wheel: 0, buttons: 0 }]);
    expect(mouseActions(["click", "right"]).map((event) => ("buttons" in event ? event.buttons : -1))).toEqual([2, 0]);
    expect(mouseActions(["drag", "1", "2"])).toHaveLength(3);
    expect(mouseActions(["point", "3", "4"])).toEqual([{ type: "point", x: 3, y: 4, buttons: 0 }]);
    expect(mouseActions(["scroll", "-1"])).toMatchObject([{ wheel: -1 }]);
  });

  it.each([
    [[]],
    [["fly"]],
    [["move", "1"]],
    [["move", "1", "x"]],
    [["point", "-1", "0"]],
    [["click", "lft"]],
    [["click", "left", "2"]],
  ])("%j makes no sense", (words) => expect(() => mouseActions(words)).toThrow());
});

describe("the table of machines", () => {
  it("aligns its columns and tells how long they run", () => {
    const one = { pid: 1, state: "running", machine: "pc", memory: 2 ** 29, cpus: 1, source: "a" } as const;
    const ages = [5, 65, 3700, 200_000].map((seconds, i) => ({ ...one, name: `m${i}`, startedAt: -seconds * 1000 }));
    const table = machineTable(ages, 0).split("\n");
    expect(table[0]).toBe("NAME  STATE    MACHINE  MEMORY  CPUS  UPTIME  SOURCE");
    expect(table.slice(1, 5).map((row) => row.slice(38, 46).trim())).toEqual(["5s", "1m5s", "1h1m", "2d7h"]);
  });
});
