// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TranslationFile } from "./translation-file.js";

let directory: string;
const code = Uint8Array.from({ length: 1000 }, (_, i) => i);
const file = (name = "guest", version = "1"): TranslationFile => TranslationFile.inDirectory(directory, name, version);
const read = (of: TranslationFile): Uint8Array | null => {
  const log = of.open();
  const bytes = log.length === 0 ? null : log.read(0, log.length);
  log.close();
  return bytes;
};
const paths = (): string[] => readdirSync(directory).map((name) => join(directory, name));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "isola-translations-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("gives back what was written, to the same version and name only", () => {
  expect(read(file())).toBeNull();
  file().write([code.subarray(0, 300), code.subarray(300)]);
  expect(read(file())).toEqual(code);
  expect(read(file("guest", "2"))).toBeNull();
  expect(read(file("other"))).toBeNull();
});

it("is for its owner alone, and leaves no draft", () => {
  file().write([code.subarray(0, 300), code.subarray(300)]);
  expect(paths().map((path) => statSync(path).mode & 0o777)).toEqual([0o600]);
});

it("takes a damaged or short file for none", () => {
  file().write([code.subarray(0, 300), code.subarray(300)]);
  const [path = ""] = paths();
  const good = readFileSync(path);
  for (const bad of [
    Buffer.alloc(0),
    good.subarray(0, 20),
    good.subarray(0, 500),
    flipped(good, 40),
    flipped(good, 3),
  ]) {
    writeFileSync(path, bad);
    expect(read(file())).toBeNull();
  }
});

it("does without a directory that cannot be made", () => {
  const blocked = join(directory, "file");
  writeFileSync(blocked, "");
  const inFile = TranslationFile.inDirectory(blocked, "guest", "1");
  inFile.write([code.subarray(0, 300), code.subarray(300)]);
  inFile.tidy(0);
  expect(read(inFile)).toBeNull();
});

it("removes what has not been used for longest", () => {
  for (const [i, name] of ["old", "middle", "new"].entries()) {
    const before = new Set(paths());
    file(name).write([code.subarray(0, 300), code.subarray(300)]);
    const added = paths().find((path) => !before.has(path)) ?? "";
    utimesSync(added, 1000 + i, 1000 + i);
  }
  file().write([code.subarray(0, 300), code.subarray(300)]);
  file().tidy(2500);
  expect(["old", "middle", "new", "guest"].map((name) => read(file(name)) !== null)).toEqual([false, true, true, true]);
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
