// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { randomSource } from "../conformance/random-source.js";
import { deviceConformance } from "../conformance/suite.js";
import { BAR4_BASE, VirtioBench } from "../conformance/virtio-driver.js";
import { Region } from "../virtio/registers.js";
import { VirtioFs } from "./device.js";
import { ATTR_HEAD, Errno, In, Opcode, Out, ROOT_NODE } from "./fuse-abi.js";
import { FuseServer } from "./fuse-server.js";
import { MemoryTree } from "./memory-tree.fixture.js";
import { MAX_REQUEST, Queue } from "./registers.js";

deviceConformance("virtio-fs", () => {
  const bench = new VirtioBench(new VirtioFs({ tag: "share", tree: new MemoryTree() }));
  return {
    device: bench.device,
    ranges: [{ handler: bench.device.regionHandler, length: 0x4000 }],
    pokes: [() => bench.start(), (random) => bench.kick(random() % 2)],
  };
});

type Field = number | bigint | string | Uint8Array;

/** Little-endian fields of 4 (numbers) and 8 bytes (bigints), and text with its zero. */
function pack(...fields: readonly Field[]): Uint8Array {
  const parts = fields.map((field) => {
    if (field instanceof Uint8Array) return field;
    if (typeof field === "string") return Uint8Array.from([...field, "\0"], (c) => c.charCodeAt(0));
    const bytes = new Uint8Array(typeof field === "number" ? 4 : 8);
    const view = new DataView(bytes.buffer);
    if (typeof field === "number") view.setUint32(0, field, true);
    else view.setBigUint64(0, field, true);
    return bytes;
  });
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function request(opcode: number, node: number, ...fields: readonly Field[]): Uint8Array {
  const body = pack(...fields);
  return pack(In.Size + body.length, opcode, 0x1234n, BigInt(node), 0, 0, 0, 0, body);
}

/** Talks to a server; an answer is the payload, or the error number. */
class Client {
  readonly server: FuseServer;

  constructor(readonly tree = new MemoryTree()) {
    this.server = new FuseServer(tree);
  }

  async ask(opcode: number, node: number, ...fields: readonly Field[]): Promise<DataView | number> {
    const answer = await this.server.answer(request(opcode, node, ...fields), 4096);
    if (answer === null) return 0;
    if ("errno" in answer) return answer.errno;
    return new DataView(answer.payload.slice().buffer);
  }

  async must(opcode: number, node: number, ...fields: readonly Field[]): Promise<DataView> {
    const answer = await this.ask(opcode, node, ...fields);
    if (typeof answer === "number") throw new Error(`error ${answer}`);
    return answer;
  }

  async lookUp(name: string, directory = ROOT_NODE): Promise<number> {
    return Number((await this.must(Opcode.Lookup, directory, name)).getBigUint64(0, true));
  }

  /** Creates a file; returns its node and a handle. */
  async create(name: string): Promise<{ node: number; handle: bigint }> {
    const out = await this.must(Opcode.Create, ROOT_NODE, 2, 0o640, 0, 0, name);
    return { node: Number(out.getBigUint64(0, true)), handle: out.getBigUint64(128, true) };
  }
}

const text = (view: DataView) => String.fromCharCode(...new Uint8Array(view.buffer));

describe("the FUSE server", () => {
  it("agrees on a version and on what both can", async () => {
    const client = new Client();
    const out = await client.must(Opcode.Init, 0, 7, 36, 65_536, 0xffff_ffff);
    expect([out.getUint32(0, true), out.getUint32(4, true), out.getUint32(8, true)]).toEqual([7, 31, 65_536]);
    expect(out.getUint32(20, true)).toBe(1 << 17);
    expect(await client.ask(Opcode.Init, 0, 6, 36, 0, 0)).toBe(Errno.Invalid);
  });

  it("creates, writes, reads and lists files", async () => {
    const client = new Client();
    const { node, handle } = await client.create("hello");
    const write = await client.must(Opcode.Write, node, handle, 2n, 3, 0, 0n, 0, 0, Uint8Array.from([1, 2, 3]));
    expect(write.getUint32(0, true)).toBe(3);
    const read = await client.must(Opcode.Read, node, handle, 1n, 100, 0, 0n, 0, 0);
    expect([...new Uint8Array(read.buffer)]).toEqual([0, 1, 2, 3]);
    const attributes = await client.must(Opcode.GetAttr, node, 0, 0, 0n);
    expect(attributes.getUint32(ATTR_HEAD + 60, true)).toBe(0o100640);
    expect(Number(attributes.getBigUint64(ATTR_HEAD + 8, true))).toBe(5);
    expect(await client.lookUp("hello")).toBe(node);
    const listing = (await client.must(Opcode.OpenDir, ROOT_NODE, 0, 0)).getBigUint64(0, true);
    const entries = await client.must(Opcode.ReadDir, ROOT_NODE, listing, 0n, 4096, 0, 0n, 0, 0);
    expect(entries.byteLength).toBe(32);
    expect(text(entries).slice(24, 29)).toBe("hello");
    expect((await client.must(Opcode.ReadDir, ROOT_NODE, listing, 1n, 4096, 0, 0n, 0, 0)).byteLength).toBe(0);
    await client.must(Opcode.Release, node, handle, 0, 0, 0n);
    expect(client.tree.openFiles).toBe(0);
    expect(await client.ask(Opcode.Read, node, handle, 0n, 1, 0, 0n, 0, 0)).toBe(Errno.BadHandle);
  });

  it("changes names and attributes", async () => {
    const client = new Client();
    const { node } = await client.create("a");
    const directory = Number((await client.must(Opcode.Mkdir, ROOT_NODE, 0o755, 0, "d")).getBigUint64(0, true));
    await client.must(Opcode.Rename, ROOT_NODE, BigInt(directory), "a", "b");
    expect(await client.lookUp("b", directory)).toBe(node);
    // Mode with the bits that must not come from a guest, and a size.
    const valid = 1 | 8;
    const fields = [valid, 0, 0n, 7n, 0n, 0n, 0n, 0n, 0, 0, 0, 0o6755, 0, 0, 0, 0] as const;
    const out = await client.must(Opcode.SetAttr, node, ...fields);
    expect(out.getUint32(ATTR_HEAD + 60, true) & 0o7777).toBe(0o755);
    expect(Number(out.getBigUint64(ATTR_HEAD + 8, true))).toBe(7);
    await client.must(Opcode.Symlink, ROOT_NODE, "link", "../else/where");
    expect(text(await client.must(Opcode.ReadLink, await client.lookUp("link")))).toBe("../else/where");
    await client.must(Opcode.Unlink, directory, "b");
    await client.must(Opcode.Rmdir, ROOT_NODE, "d");
    expect(await client.ask(Opcode.Lookup, ROOT_NODE, "d")).toBe(Errno.NoEntry);
    expect((await client.must(Opcode.Statfs, ROOT_NODE)).getUint32(44, true)).toBe(255);
  });

  it.each(["", ".", "..", "a/b", "/", "x".repeat(256)])("refuses the name %j everywhere", async (name) => {
    const client = new Client();
    const expected = name.length > 255 ? Errno.NameTooLong : Errno.Invalid;
    expect(await client.ask(Opcode.Lookup, ROOT_NODE, name)).toBe(expected);
    expect(await client.ask(Opcode.Mkdir, ROOT_NODE, 0, 0, name)).toBe(expected);
    expect(await client.ask(Opcode.Create, ROOT_NODE, 2, 0, 0, 0, name)).toBe(expected);
    expect(await client.ask(Opcode.Mknod, ROOT_NODE, 0o100644, 0, 0, 0, name)).toBe(expected);
    expect(await client.ask(Opcode.Symlink, ROOT_NODE, name, "x")).toBe(expected);
    expect(await client.ask(Opcode.Unlink, ROOT_NODE, name)).toBe(expected);
    expect(await client.ask(Opcode.Rmdir, ROOT_NODE, name)).toBe(expected);
    expect(await client.ask(Opcode.Rename, ROOT_NODE, 1n, "x", name)).toBe(expected);
    expect(await client.ask(Opcode.Rename, ROOT_NODE, 1n, name, "x")).toBe(expected);
  });

  it("changes nothing in a tree that is read only", async () => {
    const tree = new MemoryTree();
    await tree.create(tree.root, Uint8Array.of(0x61), 0o644);
    Object.assign(tree, { readOnly: true });
    const client = new Client(tree);
    const node = await client.lookUp("a");
    expect(await client.ask(Opcode.Open, node, 2, 0)).toBe(Errno.ReadOnly);
    expect(typeof (await client.ask(Opcode.Open, node, 0, 0))).toBe("object");
    expect(await client.ask(Opcode.Create, ROOT_NODE, 2, 0, 0, 0, "b")).toBe(Errno.ReadOnly);
    expect(await client.ask(Opcode.Unlink, ROOT_NODE, "a")).toBe(Errno.ReadOnly);
    expect(await client.ask(Opcode.Rename, ROOT_NODE, 1n, "a", "b")).toBe(Errno.ReadOnly);
    expect(await client.ask(Opcode.SetAttr, node, 1, 0, 0n, 0n, 0n, 0n, 0n, 0n, 0, 0, 0, 0, 0, 0, 0, 0)).toBe(
      Errno.ReadOnly,
    );
    expect(await client.ask(Opcode.Write, node, 1n, 0n, 0, 0, 0n, 0, 0)).toBe(Errno.ReadOnly);
  });

  it("refuses what no guest may make or open", async () => {
    const client = new Client();
    const { node } = await client.create("file");
    expect(await client.ask(Opcode.Mknod, ROOT_NODE, 0o020644, 0x103, 0, 0, "null")).toBe(Errno.Perm);
    expect(await client.ask(Opcode.Link, ROOT_NODE, BigInt(node), "hard")).toBe(Errno.Perm);
    expect(await client.ask(Opcode.Open, ROOT_NODE, 0, 0)).toBe(Errno.IsDirectory);
    expect(await client.ask(Opcode.Lookup, node, "x")).toBe(Errno.NotDirectory);
    expect(await client.ask(Opcode.ReadLink, node)).toBe(Errno.Invalid);
    expect(await client.ask(Opcode.GetAttr, 999, 0, 0, 0n)).toBe(Errno.Stale);
    expect(await client.ask(9999, ROOT_NODE)).toBe(Errno.NoSystemCall);
  });

  it("bounds what is open", async () => {
    const client = new Client();
    const open = [];
    for (let i = 0; i < 16; i++) open.push(await client.create(`f${i}`));
    expect(await client.ask(Opcode.Create, ROOT_NODE, 2, 0o640, 0, 0, "more")).toBe(Errno.TooManyFiles);
    expect(client.tree.openFiles).toBe(16);
    await client.must(Opcode.Release, open[0]!.node, open[0]!.handle, 0, 0, 0n);
    await client.create("again");
    expect(client.server.held).toEqual({ nodes: 17, handles: 16 });
    await client.must(Opcode.Destroy, ROOT_NODE);
    expect(client.server.held).toEqual({ nodes: 0, handles: 0 });
    expect(client.tree.openFiles).toBe(0);
  });

  it("gives room again when nodes are forgotten", async () => {
    const client = new Client();
    for (let i = 0; i < 60; i++) await client.tree.create(client.tree.root, pack(`n${i}`).slice(0, -1), 0o644);
    const nodes = [];
    for (let i = 0; i < 48; i++) nodes.push(await client.lookUp(`n${i}`));
    expect(await client.ask(Opcode.Lookup, ROOT_NODE, "n50")).toBe(Errno.TooManyFiles);
    await client.lookUp("n0");
    expect(await client.ask(Opcode.Forget, nodes[0]!, 1n)).toBe(0);
    expect(await client.ask(Opcode.Lookup, ROOT_NODE, "n50")).toBe(Errno.TooManyFiles);
    expect(await client.ask(Opcode.BatchForget, 0, 2, 0, BigInt(nodes[0]!), 1n, BigInt(nodes[1]!), 1n)).toBe(0);
    await client.lookUp("n50");
    expect(await client.ask(Opcode.GetAttr, nodes[0]!, 0, 0, 0n)).toBe(Errno.Stale);
    client.server.reset();
    expect(client.server.held).toEqual({ nodes: 0, handles: 0 });
  });

  it.each([1, 2, 3, 4])("survives any messages (seed %i)", async (seed) => {
    const random = randomSource(seed * 104_729);
    const client = new Client();
    const names = ["a", "b", "c", "..", ".", "", "x/y", "dir"];
    for (let i = 0; i < 3000; i++) {
      const opcode = random() % 12 === 0 ? random() : random() % 52;
      const fields = Array.from({ length: random() % 16 }, () => {
        const kind = random() % 5;
        if (kind === 0) return names[random() % names.length]!;
        if (kind === 1) return BigInt(random() % 6);
        return kind === 2 ? random() : random() % 8;
      });
      const bytes = request(opcode, random() % 5, ...fields);
      if (random() % 10 === 0) bytes[random() % bytes.length] = random() & 0xff;
      const cut = random() % 8 === 0 ? bytes.subarray(0, random() % (bytes.length + 1)) : bytes;
      const room = random() % 4 === 0 ? random() % 64 : 4096;
      const answer = await client.server.answer(cut, room);
      if (answer !== null && "payload" in answer) expect(answer.payload.length).toBeLessThanOrEqual(room);
      if (answer !== null && "errno" in answer) expect(answer.errno).toBeGreaterThan(0);
      expect(client.server.held.nodes).toBeLessThanOrEqual(48);
      expect(client.server.held.handles).toBeLessThanOrEqual(16);
    }
  });
});

describe("virtio-fs", () => {
  const settled = () => new Promise((resolve) => setTimeout(resolve));

  it("tells its tag and serves requests", async () => {
    const fn = new VirtioFs({ tag: "work", tree: new MemoryTree() });
    const bench = new VirtioBench(fn).start();
    expect(bench.configRead(0, 4)).toBe(0x105a_1af4);
    expect(bench.mmio.read(BAR4_BASE + Region.Device, 4)).toBe(0x6b72_6f77);
    expect(bench.mmio.read(BAR4_BASE + Region.Device + 36, 4)).toBe(1);
    const [, answer] = bench.add(Queue.Request, [
      { data: request(Opcode.GetAttr, ROOT_NODE, 0, 0, 0n) },
      { room: 200 },
    ]);
    bench.kick(Queue.Request);
    expect(bench.takeUsed(Queue.Request)).toEqual([]);
    await settled();
    expect(bench.takeUsed(Queue.Request)).toEqual([[0, Out.Size + ATTR_HEAD + 88]]);
    const out = new DataView(Uint8Array.from(bench.bytes(answer!, 16)).buffer);
    expect([out.getUint32(0, true), out.getInt32(4, true), out.getBigUint64(8, true)]).toEqual([120, 0, 0x1234n]);
    expect(bench.intx.level).toBe(true);
    bench.add(Queue.HighPriority, [{ data: request(Opcode.Forget, 5, 1n) }]);
    bench.kick(Queue.HighPriority);
    await settled();
    expect(bench.takeUsed(Queue.HighPriority)).toEqual([[0, 0]]);
  });

  it("answers what is too short or too long by an error, and drops what a reset has overtaken", async () => {
    const fn = new VirtioFs({ tag: "work", tree: new MemoryTree() });
    const bench = new VirtioBench(fn).start();
    const [, answer] = bench.add(Queue.Request, [{ data: new Uint8Array(10) }, { room: 16 }]);
    bench.add(Queue.Request, [{ data: new Uint8Array(MAX_REQUEST + 1) }, { room: 16 }]);
    bench.add(Queue.Request, [{ data: request(Opcode.Statfs, ROOT_NODE) }, { room: 4 }]);
    bench.kick(Queue.Request);
    await settled();
    expect(bench.takeUsed(Queue.Request).map(([, length]) => length)).toEqual([16, 16, 0]);
    expect(new DataView(Uint8Array.from(bench.bytes(answer!, 16)).buffer).getInt32(4, true)).toBe(-Errno.Invalid);
    bench.add(Queue.Request, [{ data: request(Opcode.Statfs, ROOT_NODE) }, { room: 200 }]);
    bench.kick(Queue.Request);
    bench.start();
    await settled();
    expect(bench.takeUsed(Queue.Request)).toEqual([]);
    await fn.pause();
    bench.add(Queue.Request, [{ data: request(Opcode.Statfs, ROOT_NODE) }, { room: 200 }]);
    bench.kick(Queue.Request);
    await settled();
    expect(bench.takeUsed(Queue.Request)).toEqual([]);
    fn.resume();
    await settled();
    expect(bench.takeUsed(Queue.Request)).toHaveLength(1);
  });
});
