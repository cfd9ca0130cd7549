// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { makeDeb, makeModule } from "./archives.js";

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What the server does instead of answering properly; returns whether it has answered. */
export type Fault = (request: IncomingMessage, response: ServerResponse, body: Buffer | undefined) => boolean;

/** A Debian archive of a few packages behind a real HTTP server on this machine. */
export class FakeArchive {
  readonly files = new Map<string, Buffer>();
  /** Paths asked for, with the Range header if there was one. */
  readonly requests: string[] = [];
  fault: Fault = () => false;
  private server: Server | undefined;
  private readonly packages: string[] = [];

  /** Adds a package whose index entry is `control` with what the archive adds. */
  add(name: string, deb: Buffer, control: string): void {
    const filename = `pool/main/${name}.deb`;
    this.files.set(`/debian/${filename}`, deb);
    this.packages.push(`${control.trim()}\nFilename: ${filename}\nSize: ${deb.length}\nSHA256: ${sha256(deb)}\n`);
  }

  /** Writes the index and an InRelease without a real signature. */
  publish(suite = "bookworm", extra = "", architecture = "amd64"): void {
    const index = Buffer.from(this.packages.join("\n"));
    const packed = gzipSync(index);
    const stem = `main/binary-${architecture}/Packages`;
    const entry = (bytes: Buffer, path: string): string => ` ${sha256(bytes)} ${bytes.length} ${path}`;
    const release = [
      `Suite: oldstable`,
      `Codename: ${suite}`,
      `Date: Sat, 11 Jul 2026 10:16:37 UTC`,
      ...(extra ? [extra] : []),
      `SHA256:`,
      entry(index, stem),
      entry(packed, `${stem}.gz`),
    ].join("\n");
    const base = `/debian/dists/${suite}`;
    this.files.set(`${base}/${stem}`, index);
    this.files.set(`${base}/${stem}.gz`, packed);
    this.files.set(`${base}/InRelease`, Buffer.from(clearSigned(release)));
  }

  async start(): Promise<string> {
    const server = createServer((request, response) => this.answer(request, response));
    this.server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/debian`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve(undefined)));
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? "");
    const { range } = request.headers;
    this.requests.push(range ? `${path} ${range}` : path);
    const body = this.files.get(path);
    if (this.fault(request, response, body)) return;
    if (!body) {
      response.writeHead(404).end();
      return;
    }
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (start > 0) {
      const head = {
        "content-range": `bytes ${start}-${body.length - 1}/${body.length}`,
        "content-length": body.length - start,
      };
      response.writeHead(206, head).end(body.subarray(start));
    } else {
      response.writeHead(200, { "content-length": body.length }).end(body);
    }
  }
}

/** The frame of a clear-signed message, with a signature that no key made. */
export function clearSigned(text: string): string {
  const signature = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n";
  return `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${text}\n${signature}`;
}

/** Control text and .deb of a package with one file. */
export function simplePackage(name: string, fields = "", body = `${name}\n`): { control: string; deb: Buffer } {
  const control = `Package: ${name}\nVersion: 1.0\nArchitecture: amd64\n${fields}Description: ${name}\n`;
  const deb = makeDeb({
    control,
    files: [
      { path: "./", type: "5", mode: 0o755 },
      { path: "./usr/", type: "5", mode: 0o755 },
      { path: `./usr/share-${name}`, body },
    ],
  });
  return { control, deb };
}

/** An archive that can make a whole image: a kernel, busybox, and a base system of three packages. */
export function bootableArchive(): FakeArchive {
  const archive = new FakeArchive();
  const meta =
    "Package: linux-image-test\nVersion: 6.1\nArchitecture: amd64\nDepends: linux-image-6.1.0-test (= 6.1)\n";
  archive.add("linux-image-test", makeDeb({ control: meta, files: [] }), meta);
  const kernel = "Package: linux-image-6.1.0-test\nVersion: 6.1\nArchitecture: amd64\n";
  const modules = "./lib/modules/6.1.0-test";
  const kernelDeb = makeDeb({
    control: kernel,
    files: [
      { path: "./boot/vmlinuz-6.1.0-test", body: "bzImage" },
      { path: `${modules}/kernel/virtio.ko`, body: makeModule(["name=virtio", "depends="]) },
      {
        path: `${modules}/kernel/virtio_blk.ko`,
        body: makeModule(["name=virtio_blk", "depends=virtio", "alias=virtio:d00000002v*"]),
      },
      { path: `${modules}/modules.builtin`, body: "kernel/fs/ext4/ext4.ko\n" },
    ],
    compression: "zst",
  });
  archive.add("linux-image-6.1.0-test", kernelDeb, kernel);
  const busybox = "Package: busybox-static\nVersion: 1\nArchitecture: amd64\n";
  archive.add(
    "busybox-static",
    makeDeb({ control: busybox, files: [{ path: "./bin/busybox", body: "busybox", mode: 0o755 }] }),
    busybox,
  );
  const base =
    "Package: base-passwd\nVersion: 1\nArchitecture: amd64\nEssential: yes\nPriority: required\nDepends: tool\n";
  const baseDeb = makeDeb({
    control: base,
    scripts: {
      postinst: "#!/bin/sh\n",
      conffiles: "/etc/base.conf\n",
      triggers: "interest-noawait /usr/lib/x\ninterest rebuild\n",
    },
    files: [
      { path: "./usr/share/base-passwd/passwd.master", body: "root:*:0:0::/root:/bin/sh\n" },
      { path: "./usr/share/base-passwd/group.master", body: "root:*:0:\n" },
      { path: "./etc/base.conf", body: "x=1\n" },
      { path: "./bin/base", body: "base", mode: 0o755 },
    ],
  });
  archive.add("base-passwd", baseDeb, base);
  const tool = simplePackage("tool", "Multi-Arch: same\n");
  archive.add("tool", tool.deb, tool.control);
  archive.publish();
  return archive;
}
