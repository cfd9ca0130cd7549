// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createQcow2, type RangeStore } from "@isola/storage";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDiskImage } from "./disk-image.js";
import { createFileStore } from "./file-store.js";
import { openUrlStore } from "./url-store.js";

const SIZE = 6_000_128;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 9)) & 0xff);

type Behaviour = (request: IncomingMessage, response: ServerResponse) => boolean | void;

let server: Server;
let url = "";
let files: Record<string, Uint8Array> = {};
let etag: string | null = '"v1"';
let requests: string[] = [];
/** Answers in place of the server's own way if it returns true. */
let behave: Behaviour = () => false;

function serve(request: IncomingMessage, response: ServerResponse): void {
  requests.push(request.headers.range ?? "");
  if (behave(request, response) === true) return;
  const body = files[(request.url ?? "").slice(1)];
  if (body === undefined) return void response.writeHead(404).end();
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const expected = request.headers["if-match"];
  if (expected !== undefined && expected !== etag) return void response.writeHead(412).end();
  const start = Number(match?.[1]);
  const end = Math.min(Number(match?.[2]), body.length - 1);
  response.writeHead(206, {
    "content-range": `bytes ${start}-${end}/${body.length}`,
    ...(etag === null ? {} : { etag }),
  });
  response.end(body.subarray(start, end + 1));
}

beforeEach(async () => {
  files = { disk: content };
  etag = '"v1"';
  requests = [];
  behave = () => false;
  server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function expectRead(store: RangeStore, offset: number, length: number): Promise<void> {
  const back = new Uint8Array(length);
  await store.read(offset, back);
  expect(Buffer.compare(back, content.subarray(offset, offset + length))).toBe(0);
}

describe("a file on a web server", () => {
  it("is read by ranges, and answers at once what it has", async () => {
    const store = await openUrlStore(`${url}disk`);
    expect(store.size).toBe(SIZE);
    await expectRead(store, 1000, 5000);
    expect(store.read(2000, new Uint8Array(100))).toBeUndefined();
    await expectRead(store, SIZE - 300_000, 300_000);
    await expectRead(store, 100_000, 5_000_000);
    expect(requests.length).toBeLessThan(8);
    store.close();
  });

  it("serves many readers at once with one request for each block", async () => {
    const store = await openUrlStore(`${url}disk`);
    await Promise.all(Array.from({ length: 40 }, (_, i) => expectRead(store, 3_000_000 + i * 512, 4096)));
    expect(requests.length).toBe(2);
    store.close();
  });

  it("reads ahead of a reader in sequence, within the bound of its memory", async () => {
    const store = await openUrlStore(`${url}disk`, { cacheBytes: 1 });
    for (let at = 0; at + 4096 <= SIZE; at += 4096) await expectRead(store, at, 4096);
    expect(requests.length).toBeLessThan(9);
    store.close();
  });

  it("tries again after failures that pass", async () => {
    let count = 0;
    behave = (_request, response) => {
      count++;
      if (count === 2) response.writeHead(503).end();
      else if (count === 3) response.destroy();
      else if (count === 4) {
        response.writeHead(206, {
          "content-range": `bytes 0-262143/${SIZE}`,
          etag: '"v1"',
          "content-length": "262144",
        });
        response.write("short");
        setTimeout(() => response.destroy(), 20);
      } else return false;
      return true;
    };
    const store = await openUrlStore(`${url}disk`);
    await expectRead(store, 0, 512);
    expect(count).toBe(5);
    store.close();
  });

  it("gives up after some tries, also on a server that hangs", async () => {
    const store = await openUrlStore(`${url}disk`, { attempts: 2, timeout: 200 });
    behave = () => true;
    await expect(store.read(0, new Uint8Array(512))).rejects.toThrow(
      /cannot read .*disk: the server does not answer in time/,
    );
    behave = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(store.read(0, new Uint8Array(512))).rejects.toThrow(/the server answers 500/);
    behave = () => false;
    await expectRead(store, 0, 512);
    store.close();
  });

  it.each<[string, () => void]>([
    ["another ETag", () => (etag = '"v2"')],
    ["no ETag any more", () => (etag = null)],
    ["another size", () => (files = { disk: content.subarray(0, SIZE - 512) })],
    [
      "a whole file instead of a part",
      () => {
        behave = (_request, response) => {
          response.writeHead(200).end("x");
          return true;
        };
      },
    ],
  ])("notices a change: %s", async (_what, change) => {
    const store = await openUrlStore(`${url}disk`);
    await expectRead(store, 0, 512);
    change();
    await expect(store.read(4_000_000, new Uint8Array(512))).rejects.toThrow(/has changed on the server/);
    store.close();
  });

  it.each<[string, Behaviour, RegExp]>([
    ["whole files only", (_, response) => void response.writeHead(200).end("x".repeat(100)), /no range requests/],
    ["404", (_, response) => void response.writeHead(404).end(), /the server answers 404/],
    [
      "a range without saying which",
      (_, response) => void response.writeHead(206).end("x"),
      /does not say which range/,
    ],
  ])("refuses a server that answers %s", async (_what, answer, message) => {
    behave = (request, response) => {
      answer(request, response);
      return true;
    };
    await expect(openUrlStore(`${url}disk`)).rejects.toThrow(message);
  });

  it("shows no password, and sends it", async () => {
    let sent = "";
    behave = (request) => void (sent = request.headers.authorization ?? "");
    const withPassword = url.replace("//", "//me:secret@");
    await (await openUrlStore(`${withPassword}disk`)).close();
    expect(Buffer.from(sent.slice(6), "base64").toString()).toBe("me:secret");
    await expect(openUrlStore(`${withPassword}no`)).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("secret") }),
    );
  });
});

describe("an image on a web server", () => {
  const withImage = async (backing: string) => {
    const folder = mkdtempSync(join(tmpdir(), "isola-url-"));
    const store = createFileStore(join(folder, "top"));
    await createQcow2(store, { size: SIZE, backing: { name: backing, format: "raw" } });
    store.close();
    const bytes = readFileSync(join(folder, "top"));
    rmSync(folder, { recursive: true });
    return bytes;
  };

  it("is a disk with its backing file from the same server; changes can be temporary", async () => {
    files["top"] = await withImage("disk");
    await expect(openDiskImage({ path: `${url}top`, mode: "writable" })).rejects.toThrow(
      /cannot be written; use it as/,
    );
    const disk = await openDiskImage({ path: `${url}top`, mode: "temporary" });
    const back = new Uint8Array(1024);
    await disk.write(512, new Uint8Array(512).fill(1));
    await disk.read(0, back);
    expect(Buffer.compare(back.subarray(0, 512), content.subarray(0, 512))).toBe(0);
    expect(back[512]).toBe(1);
    await disk.close();
  });

  it.each(["/etc/passwd", "file:///etc/passwd", "http://127.0.0.1:1/x", "json:{}"])(
    "may not be based on %s",
    async (backing) => {
      files["top"] = await withImage(backing);
      await expect(openDiskImage({ path: `${url}top`, mode: "readonly" })).rejects.toThrow(
        backing.startsWith("/") ? /cannot read .*etc\/passwd: the server answers 404/ : /not on the same server/,
      );
    },
  );
});
