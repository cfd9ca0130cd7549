// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "@isola/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ReplaceableFile } from "./replaceable-file.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function log() {
  const warnings: string[] = [];
  return { warnings, warn: (message: string) => void warnings.push(message), debug: () => {} };
}

describe("ReplaceableFile", () => {
  it("is complete after every write", () => {
    const path = join(folder, "f");
    const file = new ReplaceableFile(path, log());
    file.write("[]", 0);
    expect(readFileSync(path, "utf8")).toBe("[]");
    file.write("1,2]", 1);
    expect(readFileSync(path, "utf8")).toBe("[1,2]");
    file.write(",3]", 1);
    file.close();
    expect(readFileSync(path, "utf8")).toBe("[1,2,3]");
  });

  it("cannot be made in a folder that is not there", () => {
    expect(() => new ReplaceableFile(join(folder, "no", "f"), log())).toThrow(OperatorError);
    expect(() => new ReplaceableFile(join(folder, "no", "f"), log())).toThrow(/cannot write .*: there is no such file/);
  });

  it.skipIf(!existsSync("/dev/full"))("tells once that the disk is full, and goes on", () => {
    const heard = log();
    const file = new ReplaceableFile("/dev/full", heard);
    file.write("a", 0);
    file.write("b", 0);
    file.close();
    expect(heard.warnings).toEqual(["cannot write /dev/full: the disk is full; what comes now is left out"]);
  });
});
