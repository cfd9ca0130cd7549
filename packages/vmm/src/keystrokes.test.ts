// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { keysOf } from "./keystrokes.js";

const typed = (text: string) => keysOf(text).map(({ code, pressed }) => `${pressed ? "+" : "-"}${code.toString(16)}`);

it("types characters, capitals, control and editing keys", () => {
  expect(typed("a\r")).toEqual(["+1e", "-1e", "+1c", "-1c"]);
  expect(typed("A")).toEqual(["+2a", "+1e", "-1e", "-2a"]);
  expect(typed("\x03")).toEqual(["+1d", "+2e", "-2e", "-1d"]);
  expect(typed("\x1b[A\x7f")).toEqual(["+e048", "-e048", "+e", "-e"]);
  expect(typed("\x1b")).toEqual(["+1", "-1"]);
  expect(typed("\x1bx")).toEqual(["+38", "+2d", "-2d", "-38"]);
});

it("knows where the keys of a US keyboard are", () => {
  expect(typed("1q`z/ ").filter((key) => key.startsWith("+"))).toEqual(["+2", "+10", "+29", "+2c", "+35", "+39"]);
  expect(typed("~|?").filter((key) => key.startsWith("+"))).toEqual(["+2a", "+29", "+2a", "+2b", "+2a", "+35"]);
});
