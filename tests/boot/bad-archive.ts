// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDeb } from "../../packages/images/test-support/archives.js";
import { FakeArchive } from "../../packages/images/test-support/fake-archive.js";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { isola, type IsolaResult } from "./isola-process.js";
import { smallDisk } from "./small-disk.js";

const NOISE = createHash("shake256", { outputLength: 3 << 20 })
  .update("kernel")
  .digest();

/** An archive that has what the image "busybox" needs. */
function archive(): FakeArchive {
  const server = new FakeArchive();
  const add = (name: string, path: string, body: Uint8Array | string) => {
    const control = `Package: ${name}\nVersion: 1\nArchitecture: amd64\n`;
    server.add(name, makeDeb({ control, files: [{ path, body, mode: 0o755 }], compression: "none" }), control);
  };
  add("linux-image-cloud-amd64", "./boot/vmlinuz-1", NOISE);
  add("busybox-static", "./bin/busybox", NOISE.subarray(0, 1 << 20));
  server.publish();
  return server;
}

function pull(context: CheckContext, name: string, mirror: string, cache: string): Promise<IsolaResult> {
  const env = {
    ISOLA_CACHE_DIR: cache,
    ISOLA_DEBIAN_MIRROR: mirror,
    // There is no key that could sign; a ring that does not exist is warned about, and hashes are still checked.
    ISOLA_DEBIAN_KEYRING: join(context.scratch, "no-keyring"),
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
  };
  return isola(context, { name, args: ["pull", "busybox"], env });
}

/** The last line tells what is wrong, and nothing is left that is not whole. */
function ensureClean({ status, errors }: IsolaResult, complaint: RegExp, cache: string): void {
  ensureEqual(status, 1, `the exit status (${errors.trim()})`);
  const lines = errors.trimEnd().split("\n");
  ensure(complaint.test(lines.at(-1) ?? ""), `the last line should say ${complaint}:\n${errors}`);
  const strange = lines.filter((line) => !line.startsWith("isola: "));
  ensure(strange.length === 0, `not one line but a report:\n${errors}`);
  const inside = (name: string) => (existsSync(join(cache, name)) ? readdirSync(join(cache, name)) : []);
  for (const name of ["images", "references", "work"]) ensureEqual(inside(name), [], `what is left in ${name}`);
  for (const name of inside("blobs")) {
    const sha256 = createHash("sha256")
      .update(readFileSync(join(cache, "blobs", name)))
      .digest("hex");
    ensureEqual(sha256, name, "the hash of a cached file");
  }
}

async function withArchive(action: (server: FakeArchive, mirror: string) => Promise<void>): Promise<void> {
  const server = archive();
  const mirror = await server.start();
  try {
    await action(server, mirror);
  } finally {
    await server.stop();
  }
}

const unreachable: Check = {
  name: "mirror-unreachable",
  async run(context) {
    const cache = join(context.scratch, "cache");
    let mirror = "";
    // Nobody listens at an address where a server has just stopped.
    await withArchive((_, address) => Promise.resolve(void (mirror = address)));
    const result = await pull(context, "mirror-unreachable", mirror, cache);
    const host = new URL(mirror).host;
    ensureClean(result, new RegExp(`${host}.*check the network and proxy settings`), cache);
    const wrong = await pull(context, "mirror-invalid", "ftp://127.0.0.1/debian", cache);
    ensureClean(wrong, /ftp:\/\/127\.0\.0\.1\/debian is no http or https address/, cache);
  },
};

const damaged: Check = {
  name: "mirror-damaged",
  async run(context) {
    const cache = join(context.scratch, "cache");
    await withArchive(async (server, mirror) => {
      const path = [...server.files.keys()].find((name) => name.endsWith("/busybox-static.deb")) ?? "";
      const body = Buffer.from(server.files.get(path) ?? "");
      body[body.length >> 1] ^= 1;
      server.files.set(path, body);
      ensureClean(
        await pull(context, "mirror-damaged", mirror, cache),
        /busybox-static\.deb: not the bytes that its index promises/,
        cache,
      );
      server.files.delete(path);
      ensureClean(await pull(context, "mirror-incomplete", mirror, cache), /busybox-static\.deb.*404/, cache);
      server.files.delete("/debian/dists/bookworm/InRelease");
      const result = await pull(context, "mirror-without-suite", mirror, cache);
      ensureClean(result, /dists\/bookworm\/InRelease: HTTP 404; the mirror does not carry this suite/, cache);
    });
  },
};

const fullDisk: Check = {
  name: "disk-full",
  async run(context) {
    const cache = join(context.scratch, "cache");
    // Room for the packages, but not for the image; and not even for the packages.
    for (const [name, size] of [
      ["disk-full-image", 6 << 20],
      ["disk-full-download", 2 << 20],
    ] as const) {
      const folder = `${cache}-${name}`;
      const unmount = smallDisk(folder, size);
      try {
        await withArchive(async (_, mirror) => {
          const result = await pull(context, name, mirror, folder);
          ensureClean(result, new RegExp(`no space left for ${folder}`), folder);
        });
      } finally {
        unmount();
      }
    }
  },
};

export const badArchives: readonly Check[] = [unreachable, damaged, fullDisk];
