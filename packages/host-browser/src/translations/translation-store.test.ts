// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CODE_FOLDER, DiskFolder } from "../disk/disk-folder.js";
import { FakeFolder } from "../disk/origin-storage.fixture.js";
import { saveNowAndThen } from "./saving-times.js";
import { TranslationStore } from "./translation-store.js";

const root = new FakeFolder();
beforeEach(() => vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(root) } }));
afterEach(() => vi.unstubAllGlobals());
const store = (name: string, version = "v1") => new TranslationStore(() => DiskFolder.open(CODE_FOLDER), name, version);
const code = Uint8Array.from({ length: 1000 }, (_, i) => i & 0xff);

it("gives back what was written, to the same version", async () => {
  expect(await store("guest").read()).toBeNull();
  await store("guest").write(code);
  expect(await store("guest").read()).toEqual(code);
  expect(await store("guest", "v2").read()).toBeNull();
  await store("guest").write(code.subarray(0, 10));
  expect(await store("guest").read()).toEqual(code.subarray(0, 10));
});

it("takes damaged files for none", async () => {
  await store("guest").write(code);
  const file = root.folders.get(CODE_FOLDER)?.files.get("guest");
  for (const at of [0, 40, 1000]) {
    if (file !== undefined) file.bytes[at] = (file.bytes[at] ?? 0) ^ 1;
    expect(await store("guest").read()).toBeNull();
    if (file !== undefined) file.bytes[at] = (file.bytes[at] ?? 0) ^ 1;
  }
  expect(await store("guest").read()).toEqual(code);
});

it("does without where nothing can be stored", async () => {
  const refused = new TranslationStore(() => Promise.reject(new Error("no")), "guest", "v1");
  await refused.write(code);
  expect(await refused.read()).toBeNull();
});

it("saves soon, then ever less often, until it is stopped", async () => {
  vi.useFakeTimers();
  try {
    const save = vi.fn(() => Promise.resolve());
    const stop = saveNowAndThen(save);
    const calls: number[] = [];
    for (const minutes of [0.5, 1, 2, 60]) {
      await vi.advanceTimersByTimeAsync(minutes * 60_000);
      calls.push(save.mock.calls.length);
    }
    expect(calls).toEqual([1, 2, 2, 9]);
    stop();
    await vi.advanceTimersByTimeAsync(3600_000);
    expect(save).toHaveBeenCalledTimes(9);
  } finally {
    vi.useRealTimers();
  }
});
