// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseImageRows } from "./pull.js";

describe("parseImageRows", () => {
  test("what isola pull prints", () => {
    const text =
      "image         debian:12\nkernel        /a b/vmlinuz\ninitrd        /i\ndisk          /d\nappend        root=/dev/vda quiet\n";
    expect(parseImageRows(text)).toEqual({
      kernel: "/a b/vmlinuz",
      initrd: "/i",
      disk: "/d",
      append: "root=/dev/vda quiet",
    });
  });
  test("an image without a disk", () => {
    expect(parseImageRows("kernel /k\ninitrd /i\nappend quiet\n")).not.toHaveProperty("disk");
  });
  test("a line is missing", () => {
    expect(() => parseImageRows("kernel /k\n")).toThrow('isola pull printed no line "initrd"');
  });
});
