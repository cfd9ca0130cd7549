// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SocketAddress, type SocketConnection, SocketServer } from "./socket-server.js";

let directory: string;
const servers: SocketServer[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "socket-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A server that sends everything back in capitals, and counts ends. */
async function listen(at: SocketAddress, most = 10): Promise<{ server: SocketServer; ended: () => number }> {
  let open = 0;
  let ended = 0;
  const server = await SocketServer.listen(at, (connection: SocketConnection) => {
    if (open >= most) return null;
    open++;
    return {
      receive: (bytes) => connection.send(Buffer.from(Buffer.from(bytes).toString().toUpperCase())),
      closed: () => void ended++,
    };
  });
  servers.push(server);
  return { server, ended: () => ended };
}

function ask(to: string | { readonly port: number }, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = typeof to === "string" ? connect(to) : connect(to.port, "127.0.0.1");
    socket.on("data", (data: Buffer) => {
      resolve(data.toString());
      socket.end();
    });
    socket.on("error", () => resolve("error"));
    socket.on("close", () => resolve("closed"));
    socket.write(text);
  });
}

describe("SocketServer", () => {
  it("listens at a TCP port that the system chooses, and says which", async () => {
    const { server } = await listen({ host: "127.0.0.1", port: 0 });
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(server.address)?.[1]);
    expect(await ask({ port }, "hello")).toBe("HELLO");
    await expect(listen({ host: "127.0.0.1", port })).rejects.toThrow(/^cannot listen at 127\.0\.0\.1:\d+: /);
  });

  it("listens at a socket of its owner's alone", async () => {
    const path = join(directory, "s");
    const { server, ended } = await listen({ path });
    expect(server.address).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await ask(path, "hello")).toBe("HELLO");
    await expect.poll(ended).toBe(1);
    await expect(listen({ path })).rejects.toThrow("cannot listen");
  });

  it("takes the place of a server that is gone, but not of another file", async () => {
    const path = join(directory, "s");
    // A process that is killed leaves its file behind.
    const program = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", program]);
    expect(statSync(path).isSocket()).toBe(true);
    await listen({ path });
    expect(await ask(path, "again")).toBe("AGAIN");
    const file = join(directory, "file");
    writeFileSync(file, "precious");
    await expect(listen({ path: file })).rejects.toThrow("cannot listen");
  });

  it("refuses connections that nobody wants", async () => {
    const path = join(directory, "s");
    await listen({ path }, 0);
    expect(await ask(path, "hello")).not.toBe("HELLO");
  });
});
