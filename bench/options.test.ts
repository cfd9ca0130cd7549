// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.js";

describe("parseOptions", () => {
  test("without arguments, everything is measured", () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 4,
      only: [],
      architectures: ["amd64", "i386"],
      isola: true,
      qemu: true,
      v86: true,
      bootOnly: false,
      complete: true,
      output: null,
    });
  });
  test.each([
    ["--no-v86"],
    ["--no-qemu"],
    ["--no-isola"],
    ["--boot-only"],
    ["--only", "sort"],
    ["--guest", "i386"],
    ["--rounds", "1"],
    ["--scale", "5"],
  ])("%s %s leaves something out", (...args) => expect(parseOptions(args).complete).toBe(false));
  test("more than the default is complete", () => expect(parseOptions(["--rounds", "20"]).complete).toBe(true));
  test("values", () => {
    expect(parseOptions(["--rounds", "5", "--scale=10", "--only", "sort,x87", "--output", "o.md"])).toMatchObject({
      rounds: 5,
      scale: 10,
      only: ["sort", "x87"],
      output: "o.md",
    });
  });
  test.each([
    [["--rounds", "0"], /--rounds 0/],
    [["--rounds", "1.5"], /--rounds 1.5/],
    [["--scale", "fast"], /--scale fast/],
    [["--guest", "arm64"], /--guest arm64/],
    [["--turbo"], /--turbo/],
    [["--boot-only", "--only", "sort"], /exclude/],
    [["sort"], /sort/],
  ])("%j makes no sense", (args, message) => expect(() => parseOptions(args)).toThrow(message));
});
