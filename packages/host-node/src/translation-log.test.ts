// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { TranslationLog } from "./translation-log.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "isola-log-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const create = (): number => openSync(join(directory, "added"), "wx+");
const saved = (): number => {
  const path = join(directory, "saved");
  writeFileSync(path, Uint8Array.of(9, 9, 1, 2, 3));
  return openSync(path, "r");
};

it("reads what was saved, and what was added behind it", () => {
  const log = new TranslationLog(saved(), 2, create);
  expect(log.length).toBe(3);
  expect(log.append(Uint8Array.of(4, 5))).toBe(true);
  expect(log.append(Uint8Array.of(6))).toBe(true);
  expect(log.length).toBe(6);
  expect(log.read(1, 2)).toEqual(Uint8Array.of(2, 3));
  expect(log.read(3, 2)).toEqual(Uint8Array.of(4, 5));
  expect(log.read(5, 1)).toEqual(Uint8Array.of(6));
  log.close();
});

it("begins empty, and makes no file before it needs one", () => {
  const log = new TranslationLog(null, 2, () => {
    throw new Error("not now");
  });
  expect(log.length).toBe(0);
  expect(log.read(0, 1)).toBeNull();
  log.close();
});

it("adds nothing where nothing can be written, and does not try twice", () => {
  let tries = 0;
  const log = new TranslationLog(null, 0, () => {
    tries++;
    throw new Error("no room");
  });
  expect([log.append(Uint8Array.of(1)), log.append(Uint8Array.of(1))]).toEqual([false, false]);
  expect(log.length).toBe(0);
  expect(tries).toBe(1);
});

it("says so when a file is gone", () => {
  const log = new TranslationLog(saved(), 2, create);
  log.append(Uint8Array.of(4));
  log.close();
  expect(log.read(0, 1)).toBeNull();
  expect(log.read(3, 1)).toBeNull();
});
