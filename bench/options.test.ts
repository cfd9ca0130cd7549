// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.js";

describe("parseOptions", () => {
  test("without arguments, everything is measured", () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 4,
      only: [],
      guests: ["amd64", "i386", "io", "debian"],
      secondStart: false,
      firstStart: true,
      programScale: 100,
      isola: true,
      qemu: true,
      v86: true,
      browser: false,
      bootOnly: false,
      complete: true,
      output: null,
    });
  });
  test.each([
    ["--no-v86"],
    ["--no-qemu"],
    ["--no-isola"],
    ["--no-first-start"],
    ["--boot-only"],
    ["--only", "sort"],
    ["--guest", "i386"],
    ["--rounds", "1"],
    ["--scale", "5"],
    ["--program-scale", "50"],
    ["--quick"],
    ["--guest", "debian"],
    ["--guest", "io"],
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
  test("a quick run is small, except for what is given", () => {
    expect(parseOptions(["--quick"])).toMatchObject({ rounds: 1, scale: 10, programScale: 15 });
    expect(parseOptions(["--quick", "--rounds=3"])).toMatchObject({ rounds: 3, scale: 10 });
  });
  test("a second start comes on top", () => {
    expect(parseOptions(["--second-start"])).toMatchObject({ secondStart: true, complete: true });
  });
  test.each([
    [["--rounds", "0"], /--rounds 0/],
    [["--rounds", "1.5"], /--rounds 1.5/],
    [["--scale", "fast"], /--scale fast/],
    [["--guest", "arm64"], /--guest arm64/],
    [["--program-scale", "0"], /--program-scale 0/],
    [["--second-start", "--no-isola"], /--second-start/],
    [["--turbo"], /--turbo/],
    [["--boot-only", "--only", "sort"], /exclude/],
    [["sort"], /sort/],
  ])("%j makes no sense", (args, message) => expect(() => parseOptions(args)).toThrow(message));
});
