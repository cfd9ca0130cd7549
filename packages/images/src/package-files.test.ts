// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeDeb } from "../test-support/archives.js";
import { FakeArchive } from "../test-support/fake-archive.js";
import { type PackageFiles, readPackageFiles } from "./package-files.js";

let directory = "";
let mirror = "";
let archive: FakeArchive;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-package-files-"));
  archive = new FakeArchive();
  const control = "Package: firmware\nVersion: 1.2-3\nArchitecture: all\n";
  const files = [
    { path: "./usr/share/firmware/bios.bin", body: "BIOS" },
    { path: "./usr/share/firmware/default.bin", type: "2", link: "bios.bin" },
  ] as const;
  archive.add("firmware", makeDeb({ control, files }), control);
  archive.publish();
  mirror = await archive.start();
});
afterEach(async () => {
  await archive.stop();
  await rm(directory, { recursive: true });
});

const read = (packageName: string, ...paths: string[]): Promise<PackageFiles> =>
  readPackageFiles({
    packageName,
    paths,
    mirror,
    cacheDir: directory,
    env: { ISOLA_DEBIAN_KEYRING: join(directory, "no-such-ring.gpg") },
    retryDelay: 1,
  });

test("files of a package, through links", async () => {
  const { version, files } = await read("firmware", "usr/share/firmware/bios.bin", "usr/share/firmware/default.bin");
  expect(version).toBe("1.2-3");
  expect([...files.values()].map((bytes) => Buffer.from(bytes).toString())).toEqual(["BIOS", "BIOS"]);
  expect(await readdir(join(directory, "work"))).toEqual([]);
});

test("what is not there has a name", async () => {
  await expect(read("firmware", "usr/share/none")).rejects.toMatchObject({ code: "FILE_NOT_IN_PACKAGE" });
  await expect(read("firmware", "usr/share")).rejects.toMatchObject({ code: "FILE_NOT_IN_PACKAGE" });
  await expect(read("hardware", "x")).rejects.toMatchObject({ code: "PACKAGE_NOT_FOUND" });
  expect(await readdir(join(directory, "work"))).toEqual([]);
});
