// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { DemoServer } from "./demo-server.js";
import { readOptions } from "./options.js";

const CONTENT = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 0xff));
let folder = "";
let server: DemoServer;

async function serve(...args: string[]): Promise<DemoServer> {
  const files = new Map([
    ["/file.wasm", join(folder, "file")],
    ["/empty", join(folder, "empty")],
    ["/gone", join(folder, "gone")],
  ]);
  const options = readOptions(["--port", "0", ...args]);
  return DemoServer.start({ options, machines: [], files, version: "1", page: "<meta content=@token@>" });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "isola-demo-"));
  writeFileSync(join(folder, "file"), CONTENT);
  writeFileSync(join(folder, "empty"), "");
  server = await serve();
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(new URL(path, server.address), { headers, method });

describe("files", () => {
  it("are served whole, with what isolates the page", async () => {
    const response = await get("/file.wasm");
    expect(Buffer.from(await response.arrayBuffer()).equals(CONTENT)).toBe(true);
    expect(response.headers.get("content-type")).toBe("application/wasm");
    expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect((await get("/empty")).status).toBe(200);
    const head = await get("/file.wasm", {}, "HEAD");
    expect([head.headers.get("content-length"), await head.text()]).toEqual(["1000", ""]);
  });

  it.each([
    ["bytes=0-0", 206, "bytes 0-0/1000", 1],
    ["bytes=990-", 206, "bytes 990-999/1000", 10],
    ["bytes=900-5000", 206, "bytes 900-999/1000", 100],
    ["bytes=1000-1001", 416, "bytes */1000", 0],
    ["bytes=5-4", 416, "bytes */1000", 0],
    ["bytes=-5", 200, null, 1000],
    ["lines=1-2", 200, null, 1000],
  ])("%s is answered by %i", async (range, status, contentRange, length) => {
    const response = await get("/file.wasm", { range });
    expect([response.status, response.headers.get("content-range")]).toEqual([status, contentRange]);
    expect((await response.arrayBuffer()).byteLength).toBe(length);
  });

  it("tell their versions apart", async () => {
    const etag = (await get("/file.wasm")).headers.get("etag") ?? "";
    expect((await get("/file.wasm", { "if-none-match": etag })).status).toBe(304);
    expect((await get("/file.wasm", { "if-match": etag, range: "bytes=0-9" })).status).toBe(206);
    writeFileSync(join(folder, "file"), "other");
    expect((await get("/file.wasm", { "if-match": etag })).status).toBe(412);
  });

  it("that are none are none, and nothing is written", async () => {
    expect((await get("/other")).status).toBe(404);
    expect((await get("/%2e%2e/file")).status).toBe(404);
    expect((await get("/file.wasm", {}, "PUT")).status).toBe(405);
    await expect(get("/gone")).rejects.toThrow();
    expect((await get("/file.wasm")).status).toBe(200);
  });
});

describe("the page and its relay", () => {
  const token = async () => /content=(.+)>/.exec(await (await get("/")).text())?.[1] ?? "";
  const open = (path: string, origin?: string) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(new URL(path, server.address.replace("http", "ws")), origin ? { origin } : {});
      socket.on("message", (data) => {
        resolve(`hello ${(data as Buffer)[0]}`);
        socket.close();
      });
      socket.on("error", (error) => resolve(error.message));
    });
  const own = () => server.address.replace(/\/$/, "");

  it("find each other by a token that is new each time", async () => {
    const first = await token();
    expect(first.length).toBeGreaterThan(20);
    expect(await open(`relay?token=${first}`, own())).toBe("hello 1");
    const other = await serve();
    expect(await (await fetch(other.address)).text()).not.toContain(first);
    other.close();
  });

  it("let nobody else in", async () => {
    const known = await token();
    for (const [path, origin] of [
      [`relay?token=${known}`, "http://127.0.0.1:1"],
      [`relay?token=${known}`, undefined],
      [`relay?token=${known}x`, own()],
      ["relay", own()],
      [`other?token=${known}`, own()],
    ] as const)
      expect(await open(path, origin)).toContain("403");
  });

  it("answer under the server's own names only", async () => {
    const { hostname, port } = new URL(server.address);
    const status = (host: string) =>
      new Promise((resolve) => {
        request({ hostname, port, headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).end();
      });
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status("attacker.example")).toBe(421);
    expect(await status(`attacker.example:${port}`)).toBe(421);
  });

  it("are told what there is; without a network there is no relay", async () => {
    expect(await (await get("/catalogue.json")).json()).toMatchObject({ machines: [], network: { relay: "/relay" } });
    server.close();
    server = await serve("--no-network");
    expect(await (await get("/catalogue.json")).json()).toMatchObject({ network: null });
    expect(await open(`relay?token=${await token()}`, own())).toContain("403");
  });
});

it("says in one line that a port is taken", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  await expect(serve("--port", String(port))).rejects.toThrow(
    `cannot serve on port ${port}: another program has it; choose another one by --port`,
  );
  taken.close();
});

describe("options", () => {
  it("have defaults", () => {
    expect(readOptions([])).toEqual({
      help: false,
      port: 8000,
      machines: ["debian", "busybox", "pc"],
      network: true,
      hostLoopback: false,
      egress: [],
      allowByDefault: true,
    });
    expect(readOptions(["--machine", "pc", "--egress", "default=deny"])).toMatchObject({
      machines: ["pc"],
      allowByDefault: false,
    });
  });

  it.each([
    [["--port", "x"], '--port: "x" is no port'],
    [["--port", "70000"], "is no port"],
    [["--machine", "mac"], 'there is no "mac"; there are debian, busybox, pc'],
    [["--egress", "maybe=x"], "is not like deny=10.0.0.0/8"],
    [["--colour"], "Unknown option"],
  ])("%j make no sense", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
