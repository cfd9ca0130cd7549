// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { printCode } from "./text.js";

it.each([
  ["local.get 128", [0x20, 0x80, 0x01]],
  ["i32.const -1", [0x41, 0x7f]],
  ["i64.const -9223372036854775808", [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]],
  ["f32.const 0x3f800000", [0x43, 0x00, 0x00, 0x80, 0x3f]],
  ["i32.load offset=4294967295", [0x28, 0x02, 0xff, 0xff, 0xff, 0xff, 0x0f]],
  [
    "v128.const 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15",
    [0xfd, 0x0c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  ],
])("prints %s, and refuses it without its last byte", (text, bytes) => {
  expect(printCode(Uint8Array.from(bytes), String)).toEqual([text]);
  const cut = Uint8Array.from(bytes.slice(0, -1));
  expect(() => printCode(cut, String)).toThrow("the code ends inside an instruction");
});

it("refuses an opcode that nothing here emits", () => {
  expect(() => printCode(Uint8Array.of(0x06), String)).toThrow("unknown opcode 6");
});
