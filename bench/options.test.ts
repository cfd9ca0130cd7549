// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.js";

describe("parseOptions", () => {
  test("without arguments, the whole comparison goes to the document", () => {
    expect(parseOptions([])).toMatchObject({
      rounds: 4,
      only: [],
      architectures: ["amd64", "i386"],
      isola: true,
      qemu: true,
      v86: true,
      bootOnly: false,
      output: "docs/benchmarks.md",
    });
  });
  test.each([["--no-v86"], ["--no-qemu"], ["--no-isola"], ["--boot-only"], ["--only", "sort"], ["--guest", "i386"]])(
    "%s %s is partial, and does not replace the document",
    (...args) => expect(parseOptions(args).output).toBe("build/bench/report.md"),
  );
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
