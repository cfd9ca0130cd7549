// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeArchive, sha256 } from "../../test-support/fake-archive.js";
import { ImageCache } from "../cache/image-cache.js";
import { type FetchOptions, fetchBlob } from "./fetch-blob.js";
import { fetchText } from "./fetch-text.js";
import { HttpClient } from "./http-client.js";

const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i & 0xff));
const digest = sha256(body);
let directory = "";
let archive: FakeArchive;
let cache: ImageCache;
let client: HttpClient;
let url = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "isola-test-"));
  cache = await ImageCache.open(directory);
  client = new HttpClient({});
  archive = new FakeArchive();
  archive.files.set("/debian/blob", body);
  url = `${await archive.start()}/blob`;
});
afterEach(async () => {
  client.close();
  await archive.stop();
  await rm(directory, { recursive: true });
});

const fetch = (options: FetchOptions = {}): Promise<string> =>
  fetchBlob(client, cache, { url, sha256: digest, size: body.length }, { retryDelay: 1, ...options });
const partials = (): Promise<string[]> => readdir(join(directory, "partial"));

describe("fetchBlob", () => {
  test("brings the bytes once, and counts them", async () => {
    let bytes = 0;
    const path = await fetch({ onBytes: (count) => (bytes += count) });
    expect(await readFile(path)).toEqual(body);
    expect(bytes).toBe(body.length);
    await fetch();
    expect(archive.requests.length).toBe(1);
    expect(await partials()).toEqual([]);
  });
  test("a damaged blob in the cache is fetched again", async () => {
    await writeFile(await fetch(), "damaged");
    expect(await readFile(await fetch())).toEqual(body);
    expect(archive.requests.length).toBe(2);
  });
  test("a connection that breaks is resumed where it stopped", async () => {
    let bytes = 0;
    archive.fault = (request, response, content) => {
      if (request.headers.range !== undefined || !content) return false;
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 60_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    expect(await readFile(await fetch({ onBytes: (count) => (bytes += count) }))).toEqual(body);
    expect(archive.requests).toEqual(["/debian/blob", "/debian/blob bytes=60000-"]);
    expect(bytes).toBe(body.length);
  });
  test("what an earlier run left is used, and its process need not be alive", async () => {
    await writeFile(join(directory, "partial", `${digest}.4194304-0a`), body.subarray(0, 70_000));
    cache = await ImageCache.open(directory);
    await fetch();
    expect(archive.requests).toEqual(["/debian/blob bytes=70000-"]);
  });
  test("leftovers of another version are thrown away, not mixed in", async () => {
    await writeFile(join(directory, "partial", digest), Buffer.alloc(50_000, 1));
    expect(await readFile(await fetch())).toEqual(body);
    expect(archive.requests).toEqual(["/debian/blob bytes=50000-", "/debian/blob"]);
  });
  test("a server without ranges starts over", async () => {
    await writeFile(join(directory, "partial", digest), body.subarray(0, 10));
    archive.fault = (_request, response, content) => {
      response.writeHead(200).end(content);
      return true;
    };
    expect(await readFile(await fetch())).toEqual(body);
  });
  test("a server that refuses the range, or answers another", async () => {
    for (const status of [416, 206]) {
      await writeFile(join(directory, "partial", digest), body.subarray(0, 10));
      archive.fault = (request, response, content) => {
        if (request.headers.range === undefined || !content) return false;
        response.writeHead(status, { "content-range": "bytes 0-99999/100000" }).end(status === 206 ? content : "");
        return true;
      };
      expect(await readFile(await fetch())).toEqual(body);
      await rm(cache.blobPath(digest));
    }
  });
  test("wrong bytes, and more bytes than promised", async () => {
    archive.files.set("/debian/blob", Buffer.alloc(body.length, 7));
    await expect(fetch()).rejects.toMatchObject({ code: "HASH_MISMATCH" });
    for (const other of [Buffer.concat([body, body]), body.subarray(1)]) {
      archive.files.set("/debian/blob", other);
      await expect(fetch()).rejects.toMatchObject({ code: "HASH_MISMATCH" });
    }
    archive.fault = (_request, response) => {
      response.writeHead(200).end(Buffer.concat([body, body]));
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ code: "HASH_MISMATCH" });
    expect(await cache.findBlob(digest)).toBeUndefined();
  });
  test("404 is final, 503 is tried again, 403 is final", async () => {
    archive.files.delete("/debian/blob");
    await expect(fetch()).rejects.toMatchObject({ code: "MIRROR_NOT_FOUND" });
    expect(archive.requests.length).toBe(1);
    for (const [status, code, requests] of [
      [503, "MIRROR_UNREACHABLE", 5],
      [403, "MIRROR_BROKEN", 1],
    ] as const) {
      archive.requests.length = 0;
      archive.fault = (_request, response) => {
        response.writeHead(status).end();
        return true;
      };
      await expect(fetch()).rejects.toMatchObject({ code });
      expect(archive.requests.length).toBe(requests);
    }
  });
  test("a truncated answer again and again is given up, and kept for later", async () => {
    archive.fault = (_request, response) => {
      response.destroy();
      return true;
    };
    await expect(fetch()).rejects.toMatchObject({ code: "MIRROR_UNREACHABLE" });
  });
  test("nobody listening", async () => {
    await archive.stop();
    await expect(fetch()).rejects.toMatchObject({
      code: "MIRROR_UNREACHABLE",
      message: expect.not.stringContaining("\n") as string,
    });
  });
  test("an abort in the middle leaves a resumable part and nothing else", async () => {
    const controller = new AbortController();
    archive.fault = (_request, response, content) => {
      response.writeHead(200, { "content-length": body.length });
      response.write(content?.subarray(0, 1000));
      return true;
    };
    const onBytes = (): void => controller.abort(new Error("enough"));
    await expect(fetch({ signal: controller.signal, onBytes })).rejects.toThrow("enough");
    expect(await partials()).toEqual([digest]);
    expect(await readdir(join(directory, "blobs"))).toEqual([]);
  });
  test("a cache that cannot be written", async () => {
    await rm(join(directory, "partial"), { recursive: true });
    await writeFile(join(directory, "partial"), "a file");
    await expect(fetch()).rejects.toMatchObject({ code: "CACHE_UNUSABLE" });
    await rm(join(directory, "partial"));
    await mkdir(join(directory, "partial"));
  });
});

describe("HTTP", () => {
  test("redirections are followed, but not for ever", async () => {
    archive.fault = (request, response) => {
      if (request.url === "/debian/blob") return false;
      response.writeHead(302, { location: request.url === "/debian/loop" ? "/debian/loop" : "blob" }).end();
      return true;
    };
    expect(Buffer.from((await fetchText(client, url.replace("blob", "moved"), 1 << 20, {})) ?? [])).toEqual(body);
    await expect(fetchText(client, url.replace("blob", "loop"), 100, {})).rejects.toMatchObject({
      code: "MIRROR_BROKEN",
    });
  });
  test("a proxy is asked for http addresses, except the ones it is not for", async () => {
    const asked: string[] = [];
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end("from the proxy");
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const httpProxy = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const through = new HttpClient({ httpProxy });
    const direct = new HttpClient({ httpProxy, noProxy: "127.0.0.1" });
    try {
      const text = await fetchText(through, "http://archive.invalid/debian/x", 100, {});
      expect(Buffer.from(text ?? []).toString()).toBe("from the proxy");
      expect(asked).toEqual(["http://archive.invalid/debian/x"]);
      expect(await fetchText(direct, `${url}-none`, 100, {})).toBeUndefined();
    } finally {
      through.close();
      direct.close();
      proxy.closeAllConnections();
      proxy.close();
    }
  });
  test("more than the limit is refused, and so are other protocols", async () => {
    await expect(fetchText(client, url, 100, {})).rejects.toMatchObject({ code: "MIRROR_BROKEN" });
    await expect(fetchText(client, "file:///etc/passwd", 100, {})).rejects.toMatchObject({ code: "MIRROR_BROKEN" });
  });
});
