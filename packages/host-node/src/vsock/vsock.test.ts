// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VsockDialer, VsockEvents, VsockStream } from "@isola/ports";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dialVsock, VsockToGuest, VsockToHost } from "./vsock-forwards.js";

const ROOM = 1000;

/**
 * A guest that echoes in its own time, in small pieces, and ends when it has been ended: it shows whether anybody sends
 * more than there is room for.
 */
class EchoGuest implements VsockDialer {
  accepts = true;
  readonly log: string[] = [];
  /** Bytes that the host has not taken. */
  unacknowledged = 0;

  dial(port: number, events: VsockEvents): VsockStream | null {
    if (port === 0) return null;
    setTimeout(() => (this.accepts ? events.connected() : events.closed("refused")));
    return this.serve(events);
  }

  serve(events: VsockEvents): VsockStream {
    let queue: Uint8Array[] = [];
    let waiting = 0;
    let ended = false;
    let over = false;
    const step = () => {
      if (over) return;
      const next = queue.shift();
      if (next !== undefined) {
        waiting -= next.length;
        this.unacknowledged += next.length;
        events.data(next);
        events.writable();
      } else if (ended) {
        over = true;
        this.log.push("ended");
        events.ended();
        events.closed(null);
        return;
      }
      if (queue.length > 0 || ended) setImmediate(step);
    };
    return {
      write: (bytes) => {
        const taken = bytes.slice(0, ROOM - waiting);
        if (taken.length === 0) return 0;
        waiting += taken.length;
        if (queue.push(taken) === 1) setImmediate(step);
        return taken.length;
      },
      end: () => {
        ended = true;
        setImmediate(step);
      },
      taken: (count) => void (this.unacknowledged -= count),
      abort: () => {
        over = true;
        queue = [];
        this.log.push("aborted");
      },
    };
  }
}

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isola-vsock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.skipIf(process.platform === "win32")("vsock streams at Unix sockets", () => {
  it("carry everything both ways, and ends one by one", async () => {
    const guest = new EchoGuest();
    const path = join(folder, "in.sock");
    const listening = await VsockToGuest.listen(guest, [{ port: 9, path, direction: "to-guest" }]);
    const data = randomBytes(300_000);
    const socket = connect({ path, allowHalfOpen: true });
    socket.end(data);
    expect(digest(await readAll(socket))).toBe(digest(data));
    expect(guest.log).toEqual(["ended"]);
    expect(guest.unacknowledged).toBe(0);
    listening.close();
  });

  it("end at once where the guest refuses, or has no device", async () => {
    const guest = new EchoGuest();
    guest.accepts = false;
    await expect(dialVsock(guest, 9)).rejects.toMatchObject({ code: "vsock-refused" });
    await expect(dialVsock(guest, 0)).rejects.toMatchObject({ code: "no-vsock" });
    const path = join(folder, "in.sock");
    const listening = await VsockToGuest.listen(guest, [{ port: 9, path, direction: "to-guest" }]);
    expect(await readAll(connect({ path }))).toHaveLength(0);
    listening.close();
  });

  it("are given up when the program of the host goes away", async () => {
    const guest = new EchoGuest();
    const path = join(folder, "in.sock");
    const listening = await VsockToGuest.listen(guest, [{ port: 9, path, direction: "to-guest" }]);
    const socket = connect({ path });
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.write("hello");
    await new Promise((resolve) => socket.once("data", resolve));
    socket.destroy();
    await expect.poll(() => guest.log.join()).toMatch(/aborted|ended/);
    listening.close();
  });

  it("lead guests to programs of the host", async () => {
    const path = join(folder, "app.sock");
    const server = createServer((socket) => socket.end("from the host"));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const listener = new VsockToHost([{ port: 5, path, direction: "to-host" }]);
    const stream: VsockStream = { write: (bytes) => bytes.length, end: () => {}, taken: () => {}, abort: () => {} };
    let text = "";
    const written = new Promise<void>((resolve) => {
      const spy: VsockStream = {
        ...stream,
        write: (bytes) => {
          text += Buffer.from(bytes).toString();
          return bytes.length;
        },
        end: () => resolve(),
      };
      expect(listener.accept(5, spy)).not.toBeNull();
    });
    await written;
    expect(text).toBe("from the host");
    expect(listener.accept(6, stream)).toBeNull();
    server.close();
  });
});
