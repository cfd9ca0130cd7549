// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeDeb } from "../test-support/archives.js";
import { type FakeArchive, bootableArchive, simplePackage } from "../test-support/fake-archive.js";
import { OTHER_KEY } from "../test-support/signatures.js";
import { hasTool, run } from "../test-support/tools.js";
import { sha256OfFile } from "./cache/image-cache.js";
import type { ProgressEvent } from "./progress.js";
import { buildBusyboxInitramfs, pullImage } from "./pull-image.js";
import type { PullOptions, PulledImage } from "./pull-options.js";
import { defaultRecipesDir, listRecipes, loadRecipe } from "./recipe/recipe.js";

const recipe = {
  reference: "test:1",
  description: "a test",
  architecture: "amd64",
  component: "main",
  suites: ["bookworm"],
  kernelPackage: "linux-image-test",
  initrdModules: ["virtio_blk", "ext4"],
  append: "console=ttyS0",
  disk: {
    sizeMiB: 64,
    priorities: ["required"],
    packages: [],
    pathRules: ["exclude /usr/share-tool"],
    configureFirst: ["base-passwd"],
    links: { "etc/mtab": "../proc/self/mounts" },
  },
};

let directory = "";
let archive: FakeArchive;
let mirror = "";
let events: ProgressEvent[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-test-"));
  await mkdir(join(directory, "guests", "test-1", "files", "usr", "lib", "isola"), { recursive: true });
  await writeFile(join(directory, "guests", "test-1", "files", "usr", "lib", "isola", "first-boot"), "#!/bin/sh\n");
  await writeFile(join(directory, "guests", "test-1", "recipe.json"), JSON.stringify(recipe));
  archive = bootableArchive();
  mirror = await archive.start();
  events = [];
});
afterEach(async () => {
  await archive.stop();
  await rm(directory, { recursive: true });
});

const pull = (options: Partial<PullOptions> = {}): Promise<PulledImage> =>
  pullImage({
    reference: "test:1",
    cacheDir: join(directory, "cache"),
    recipesDir: join(directory, "guests"),
    mirror,
    env: { ISOLA_DEBIAN_KEYRING: join(directory, "no-such-ring.gpg") },
    progress: (event) => events.push(event),
    retryDelay: 1,
    ...options,
  });
/** What is left in the cache but should not be. */
const leftovers = async (): Promise<string[]> => {
  const cache = join(directory, "cache");
  const work = await readdir(join(cache, "work"));
  return [...work, ...(await readdir(join(cache, "blobs"))).filter((name) => name.length !== 64)];
};

describe("pullImage", () => {
  test("a whole image, which the second call finds in the cache", async () => {
    const image = await pull();
    expect(image).toMatchObject({
      reference: "test:1",
      architecture: "amd64",
      kernelRelease: "6.1.0-test",
      append: "console=ttyS0",
      configured: false,
    });
    expect(image.packages.map(({ name }) => name)).toEqual([
      "linux-image-6.1.0-test",
      "busybox-static",
      "base-passwd",
      "tool",
    ]);
    expect(await readFile(image.kernel, "utf8")).toBe("bzImage");
    const initrd = await readFile(image.initrd, "latin1");
    expect(initrd.indexOf("insmod /lib/modules/6.1.0-test/kernel/virtio.ko")).toBeGreaterThan(0);
    expect(initrd).toContain("switch_root");
    expect((await stat(image.disk ?? "")).size).toBe(64 * 2 ** 20);
    expect(events.some(({ warning }) => warning?.startsWith("NOT VERIFIED"))).toBe(true);
    expect(events.map(({ step }) => step).filter((step, i, all) => step !== all[i - 1])).toEqual([
      "release",
      "index",
      "release",
      "resolve",
      "download",
      "initrd",
      "unpack",
      "disk",
      "ready",
    ]);
    expect(await leftovers()).toEqual([]);

    await archive.stop();
    expect(await pull()).toEqual(image);
  });

  test.skipIf(!hasTool("debugfs", "-V"))("what the disk holds", async () => {
    const { disk } = await pull();
    const cat = (path: string): string =>
      run("debugfs", "-R", `cat ${path}`, disk ?? "").output.replace(/^debugfs \d.*\n|debugfs \d.*\n$/g, "");
    expect(run("e2fsck", "-fn", disk ?? "").code).toBe(0);
    expect(cat("/usr/bin/base")).toBe("base");
    expect(cat("/etc/passwd")).toBe("root:*:0:0::/root:/bin/sh\n");
    expect(cat("/etc/apt/sources.list")).toBe(`deb ${mirror} bookworm main\n`);
    expect(cat("/usr/lib/isola/first-boot.conf")).toBe('CONFIGURE_FIRST="base-passwd"\n');
    const status = cat("/var/lib/dpkg/status");
    expect(status).toContain("Package: base-passwd\nStatus: install ok unpacked\n");
    expect(status).toContain("Conffiles:\n /etc/base.conf f968f33f844c98de1d3b4fe70f2e1a0f\n");
    expect(status).toContain("Package: tool\nStatus: install ok installed\n");
    expect(cat("/var/lib/dpkg/info/tool:amd64.list")).toBe("/.\n/usr\n/usr/share-tool\n");
    expect(cat("/usr/share-tool")).toMatch(/File not found/);
    expect(cat("/etc/dpkg/dpkg.cfg.d/50-isola")).toBe("path-exclude=/usr/share-tool\n");
    expect(cat("/var/lib/dpkg/triggers/File")).toBe("/usr/lib/x base-passwd/noawait\n");
    expect(cat("/var/lib/dpkg/triggers/rebuild")).toBe("base-passwd\n");
    expect(cat("/usr/lib/modules/6.1.0-test/modules.alias")).toBe("alias virtio:d00000002v* virtio_blk\n");
  });

  test("equal input gives equal bytes; a newer package gives another image", async () => {
    const first = await pull();
    const second = await pull({ cacheDir: join(directory, "other") });
    expect(second.key).toBe(first.key);
    expect(await sha256OfFile(second.disk ?? "")).toBe(await sha256OfFile(first.disk ?? ""));
    const newer = simplePackage("tool", "", "newer\n");
    archive.add("tool", newer.deb, newer.control.replace("Version: 1.0", "Version: 1.1"));
    archive.publish();
    expect((await pull()).key).toBe(first.key);
    expect((await pull({ refresh: true })).key).not.toBe(first.key);
  });

  test("a caller that can run machines gets a disk that is configured", async () => {
    const seen: string[] = [];
    const image = await pull({
      firstBoot: async ({ append, disk }) => {
        seen.push(append);
        await writeFile(disk, "configured", { flag: "r+" });
        return "Isola: packages configured in 3 s\n";
      },
    });
    expect(seen).toEqual(["console=ttyS0 isola.prepare"]);
    expect(image.configured).toBe(true);
    expect((await readFile(image.disk ?? "")).subarray(0, 10).toString()).toBe("configured");
    expect((await pull()).configured).toBe(false);
    const failing = pull({ cacheDir: join(directory, "other"), firstBoot: async () => "dpkg: broken\nPowering off\n" });
    await expect(failing).rejects.toMatchObject({
      code: "FIRST_BOOT_FAILED",
      message: expect.stringContaining("Powering off") as string,
    });
    expect(await readdir(join(directory, "other", "images"))).toEqual([]);
  });

  test("an image that lives in memory", async () => {
    const { disk: _disk, ...memory } = recipe;
    await mkdir(join(directory, "guests", "busybox"));
    await writeFile(
      join(directory, "guests", "busybox", "recipe.json"),
      JSON.stringify({ ...memory, reference: "busybox" }),
    );
    const env = { ISOLA_DEBIAN_KEYRING: join(directory, "no-such-ring.gpg") };
    const options = {
      cacheDir: join(directory, "cache"),
      recipesDir: join(directory, "guests"),
      mirror,
      env,
      arch: "amd64",
      retryDelay: 1,
    } as const;
    const image = await buildBusyboxInitramfs({ ...options, modules: [] });
    expect(image).toMatchObject({ configured: true });
    expect(image.disk).toBeUndefined();
    expect(await readFile(image.initrd, "latin1")).not.toContain("virtio.ko");
    expect(await readFile((await buildBusyboxInitramfs(options)).initrd, "latin1")).toContain("virtio.ko");
  });

  test("an abort at any step leaves nothing half-made, and the next call succeeds", async () => {
    for (const step of ["index", "download", "unpack", "disk"] as const) {
      const controller = new AbortController();
      const progress = (event: ProgressEvent): void => {
        if (event.step === step) controller.abort(new Error(`stopped in ${step}`));
      };
      await expect(pull({ signal: controller.signal, progress })).rejects.toThrow(`stopped in ${step}`);
      expect(await leftovers()).toEqual([]);
      expect(await readdir(join(directory, "cache", "images"))).toEqual([]);
    }
    expect((await pull()).reference).toBe("test:1");
  });
});

describe("what goes wrong, in one line each", () => {
  const failure = async (options: Partial<PullOptions> = {}): Promise<string> => {
    const error: unknown = await pull(options).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "OperatorError", message: expect.not.stringContaining("\n") as string });
    return (error as { code: string }).code;
  };
  test("no mirror configured", async () => {
    const options = {
      reference: "test:1",
      cacheDir: join(directory, "cache"),
      recipesDir: join(directory, "guests"),
      env: {},
    };
    await expect(pullImage({ ...options, aptDirectory: directory })).rejects.toMatchObject({
      code: "MIRROR_NOT_CONFIGURED",
    });
  });
  test("an unknown image, and a broken recipe", async () => {
    expect(await failure({ reference: "debian:99" })).toBe("IMAGE_UNKNOWN");
    expect(await failure({ reference: "../../etc" })).toBe("IMAGE_UNKNOWN");
    await writeFile(join(directory, "guests", "test-1", "recipe.json"), JSON.stringify({ ...recipe, append: 3 }));
    expect(await failure()).toBe("RECIPE_INVALID");
  });
  test("a suite that is not there, a package that is not there", async () => {
    archive.files.delete("/debian/dists/bookworm/InRelease");
    expect(await failure()).toBe("MIRROR_NOT_FOUND");
    archive.publish();
    archive.files.delete("/debian/pool/main/tool.deb");
    expect(await failure()).toBe("MIRROR_NOT_FOUND");
  });
  test("an index that does not match in any form, though one damaged form is survived", async () => {
    const stem = "/debian/dists/bookworm/main/binary-amd64/Packages";
    archive.files.set(`${stem}.gz`, Buffer.from("tampered"));
    expect((await pull()).reference).toBe("test:1");
    await rm(join(directory, "cache"), { recursive: true });
    archive.files.set(stem, Buffer.from("tampered"));
    expect(await failure()).toBe("HASH_MISMATCH");
  });
  test("a tampered package", async () => {
    const path = "/debian/pool/main/tool.deb";
    const deb = Buffer.from(archive.files.get(path) ?? "");
    deb[100] ^= 1;
    archive.files.set(path, deb);
    expect(await failure()).toBe("HASH_MISMATCH");
  });
  test("a package whose bytes are as promised but no package", async () => {
    archive.add("tool", Buffer.from("not a package"), "Package: tool\nVersion: 2.0\nArchitecture: amd64\n");
    archive.publish();
    expect(await failure()).toBe("PACKAGE_DAMAGED");
  });
  test("a package that wants to write outside", async () => {
    const control = "Package: tool\nVersion: 2.0\nArchitecture: amd64\n";
    archive.add("tool", makeDeb({ control, files: [{ path: "./../../../outside", body: "x" }] }), control);
    archive.publish();
    expect(await failure()).toBe("PACKAGE_DAMAGED");
  });
  test("an expired suite", async () => {
    archive.publish("bookworm", "Valid-Until: Sun, 12 Jul 2020 10:16:37 UTC");
    expect(await failure()).toBe("RELEASE_EXPIRED");
  });
  test.skipIf(!hasTool("gpgv", "--version"))("a signature by nobody we know", async () => {
    const ring = join(directory, "ring.asc");
    await writeFile(ring, OTHER_KEY);
    expect(await failure({ env: { ISOLA_DEBIAN_KEYRING: ring } })).toBe("SIGNATURE_INVALID");
  });
  test("a mirror that answers nonsense", async () => {
    archive.files.set("/debian/dists/bookworm/InRelease", Buffer.from("<html>please log in</html>"));
    expect(await failure()).toBe("MIRROR_BROKEN");
  });
});

describe("recipes of this repository", () => {
  test("all load, and debian:12-dev is debian:12 with more", async () => {
    const names = await listRecipes();
    expect(names).toEqual([
      "busybox",
      "busybox:generic",
      "busybox:i386",
      "busybox:legacy",
      "debian:12",
      "debian:12-dev",
    ]);
    const [base, dev] = await Promise.all([loadRecipe("debian:12"), loadRecipe("debian:12-dev")]);
    for (const name of names) expect((await loadRecipe(name)).reference).toBe(name);
    expect(dev.disk?.packages).toEqual(expect.arrayContaining([...(base.disk?.packages ?? []), "gcc", "python3"]));
    expect([...(dev.disk?.files ?? [])].map(([path]) => path)).toEqual(
      [...(base.disk?.files ?? [])].map(([path]) => path),
    );
    expect(base.disk?.files.get("usr/lib/isola/first-boot")?.mode).toBe(0o755);
  });
  test("their scripts are valid shell", async () => {
    const copy = join(directory, "recipes");
    await cp(defaultRecipesDir(), copy, { recursive: true });
    expect(run("sh", "-n", join(copy, "debian-12/files/usr/lib/isola/first-boot"))).toEqual({ code: 0, output: "" });
  });
});
