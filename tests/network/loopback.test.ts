// SPDX-License-Identifier: Apache-2.0
// The user-mode network between a small TCP of the tests and the sockets of this host's own kernel.
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { EgressPolicy, parseIp, UserNetwork } from "@isola/network";
import { hostEntropy, hostTimers, monotonicClock, nodeNetwork } from "@isola/host-node";
import { afterEach, describe, expect, it } from "vitest";
import { pattern } from "../../packages/network/src/tcp/pair.fixture.js";
import { GATEWAY, GUEST, type GuestConnection, TestGuest } from "../../packages/network/src/user/guest.fixture.js";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

function setUp() {
  const timers = hostTimers(monotonicClock());
  const network = new UserNetwork({
    host: nodeNetwork,
    timers,
    entropy: hostEntropy,
    soon: (task) => void setImmediate(task),
    policy: new EgressPolicy([], true, () => timers.now()),
    hostLoopback: true,
  });
  const guest = new TestGuest(network, timers);
  guest.announce();
  const turn = setInterval(() => {
    while (guest.work());
  }, 1);
  closers.push(
    () => clearInterval(turn),
    () => network.close(),
  );
  return { network, guest };
}

function serve(handle: (socket: Socket) => void): Promise<number> {
  return new Promise((resolve) => {
    const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on("error", () => {});
      handle(socket);
    });
    closers.push(() => server.close());
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Writes as a program would: as much as the connection is ready to hold. */
async function writeAll({ endpoint }: GuestConnection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; at += 65_536) {
    await until(() => endpoint!.queued < 1 << 20);
    endpoint!.write(bytes.subarray(at, at + 65_536));
  }
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("user network on this host's kernel", () => {
  it.each([0, 1, 1459, 1460, 1461, 65_536, 3_000_001])("echoes %i bytes and ends both ways", async (length) => {
    const { guest } = setUp();
    const port = await serve((socket) => socket.pipe(socket));
    const connection = guest.connect(GATEWAY, port);
    await until(() => connection.up);
    const data = pattern(length);
    await writeAll(connection, data);
    connection.endpoint!.end();
    await until(() => connection.hasEnded);
    expect(digest(connection.bytes)).toBe(digest(data));
  });

  it("lets the host end first and takes what the guest still sends", async () => {
    const { guest } = setUp();
    let got = 0;
    let over = false;
    const port = await serve((socket) => {
      socket.end("bye");
      socket.on("data", (bytes) => (got += bytes.length));
      socket.on("end", () => (over = true));
    });
    const connection = guest.connect(GATEWAY, port);
    await until(() => connection.hasEnded);
    expect(String.fromCharCode(...connection.bytes)).toBe("bye");
    await writeAll(connection, pattern(200_000));
    connection.endpoint!.end();
    await until(() => over);
    expect(got).toBe(200_000);
  });

  it("holds little for a host that does not read, and for a guest that does not", async () => {
    const { guest, network } = setUp();
    const sockets: Socket[] = [];
    const port = await serve((socket) => {
      socket.pause();
      sockets.push(socket);
      const more = () => {
        while (socket.writableLength < 1 << 20 && !socket.destroyed) socket.write(new Uint8Array(65_536));
        if (!socket.destroyed) setTimeout(more, 5);
      };
      more();
    });
    const connection = guest.connect(GATEWAY, port);
    connection.roomLeft = 0;
    await until(() => connection.up);
    for (let i = 0; i < 1000; i++) connection.endpoint!.write(new Uint8Array(65_536));
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { bytesOut, bytesIn } = network.counters();
    // What the kernel's own buffers take is beyond us: a few megabytes of each loopback connection.
    expect(bytesOut).toBeLessThan(16 << 20);
    expect(bytesIn).toBeLessThan(3 << 20);
    for (const socket of sockets) socket.destroy();
  });

  it("tells a refused connection and a reset one", async () => {
    const { guest } = setUp();
    const port = await serve((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const reset = guest.connect(GATEWAY, port);
    await until(() => reset.up);
    reset.endpoint!.write(pattern(3));
    await until(() => reset.reason === "reset");
    const refused = guest.connect(GATEWAY, 1);
    await until(() => refused.reason === "reset");
    expect(refused.up).toBe(false);
  });

  it("exchanges datagrams", async () => {
    const { guest } = setUp();
    const server = createSocket("udp4");
    closers.push(() => server.close());
    server.on("message", (bytes, { port }) => server.send(Buffer.concat([bytes, bytes]), port, "127.0.0.1"));
    await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
    const frames: Uint8Array[] = [];
    guest.receive = ({ bytes }) => frames.push(bytes.slice()) > 0;
    guest.sendUdp(GUEST, 5000, GATEWAY, server.address().port, pattern(500));
    await until(() => frames.length > 0);
    expect(frames[0]!.subarray(42)).toEqual(Uint8Array.from([...pattern(500), ...pattern(500)]));
  });

  it("serves a published port", async () => {
    const { guest, network } = setUp();
    guest.accepts.add(80);
    const port = await serve(() => {});
    closers.pop()?.();
    await network.publish([{ protocol: "tcp", host: { address: "127.0.0.1", port }, guestPort: 80 }]);
    const client = connect(port, "127.0.0.1");
    let got = 0;
    client.on("data", (bytes) => (got += bytes.length));
    client.write(pattern(100_000));
    await until(() => guest.connections[0]?.up === true);
    const [connection] = guest.connections;
    await until(() => connection!.bytes.length === 100_000);
    expect(connection!.bytes).toEqual(pattern(100_000));
    await writeAll(connection!, pattern(2_000_000));
    await until(() => got === 2_000_000);
    client.destroy();
    await until(() => connection!.hasEnded || connection!.reason !== undefined);
    const taken = network.publish([{ protocol: "tcp", host: { address: "127.0.0.1", port }, guestPort: 80 }]);
    await expect(taken).rejects.toThrow(/cannot publish 127\.0\.0\.1:\d+\/tcp: another program has it/);
  });

  it("resolves names that the host knows", async () => {
    expect(await nodeNetwork.resolver.addresses("localhost")).toContain("127.0.0.1");
    for (const { address } of nodeNetwork.resolver.servers()) expect(parseIp(address)).not.toBeNull();
  });
});
