// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDeb, makeModule, type TarMember } from "../../packages/images/test-support/archives.js";
import { FakeArchive } from "../../packages/images/test-support/fake-archive.js";
import { type Check, type CheckContext, ensure, ensureEqual } from "./check.js";
import { isola, type IsolaOptions, IsolaProcess, type IsolaResult } from "./isola-process.js";
import { smallDisk } from "./small-disk.js";

const NOISE = createHash("shake256", { outputLength: 3 << 20 })
  .update("kernel")
  .digest();

/** An archive that has what the image "busybox" needs. */
function archive(): FakeArchive {
  const server = new FakeArchive();
  const add = (name: string, files: readonly TarMember[]) => {
    const control = `Package: ${name}\nVersion: 1\nArchitecture: amd64\n`;
    server.add(name, makeDeb({ control, files, compression: "none" }), control);
  };
  const modules = ["pci", "mmio", "blk", "net", "console", "rng"].map((name) => ({
    path: `./lib/modules/1/kernel/virtio_${name}.ko`,
    body: makeModule([`name=virtio_${name}`, "depends="]),
  }));
  add("linux-image-cloud-amd64", [{ path: "./boot/vmlinuz-1", body: NOISE }, ...modules]);
  add("busybox-static", [{ path: "./bin/busybox", body: NOISE.subarray(0, 1 << 20), mode: 0o755 }]);
  server.publish();
  return server;
}

/** How the command line pulls from `mirror` into `cache`. */
function pullOptions(context: CheckContext, name: string, mirror: string, cache: string): IsolaOptions {
  const env = {
    ISOLA_CACHE_DIR: cache,
    ISOLA_DEBIAN_MIRROR: mirror,
    // There is no key that could sign; a ring that does not exist is warned about, and hashes are still checked.
    ISOLA_DEBIAN_KEYRING: join(context.scratch, "no-keyring"),
    NO_PROXY: "127.0.0.1",
    no_proxy: "127.0.0.1",
  };
  return { name, args: ["pull", "busybox"], env };
}

function pull(context: CheckContext, name: string, mirror: string, cache: string): Promise<IsolaResult> {
  return isola(context, pullOptions(context, name, mirror, cache));
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

/** Ctrl-C, or the end of the world, while the second package is on its way; the next pull finishes the work. */
const interrupted: Check = {
  name: "pull-interrupted",
  async run(context) {
    const cache = join(context.scratch, "cache");
    await withArchive(async (server, mirror) => {
      const stall = async (signal: NodeJS.Signals): Promise<IsolaResult> => {
        const name = `pull-${signal.toLowerCase()}`;
        const child = new IsolaProcess(context, pullOptions(context, name, mirror, cache));
        server.fault = (request, response, body) => {
          if (body === undefined || !request.url?.endsWith("/busybox-static.deb")) return false;
          response.writeHead(200, { "content-length": body.length });
          response.write(body.subarray(0, body.length >> 1), () => setTimeout(() => child.kill(signal), 200));
          return true;
        };
        try {
          return await child.result();
        } finally {
          child.kill();
        }
      };
      ensureClean(await stall("SIGINT"), /^isola: cancelled; run it again to go on$/, cache);
      ensureEqual((await stall("SIGKILL")).signal, "SIGKILL", "the signal that ended the process");
      server.fault = () => false;
      const { status, errors } = await pull(context, "pull-after", mirror, cache);
      ensureEqual(status, 0, `the exit status of the next pull (${errors})`);
      ensure(server.requests.at(-1)?.includes("bytes=") === true, "the download did not go on where it stopped");
      for (const name of ["work", "partial"])
        ensureEqual(readdirSync(join(cache, name)), [], `what is left in ${name}`);
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

export const badArchives: readonly Check[] = [unreachable, damaged, interrupted, fullDisk];
