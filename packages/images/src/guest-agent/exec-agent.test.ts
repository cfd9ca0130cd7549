// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AgentSockets } from "./agent-frame.js";
import { execAgent } from "./exec-agent.js";
import { EXEC_MAGIC, Message, Request } from "./exec-protocol.js";

const AF_INET = 2;
const LOOPBACK = [127, 0, 0, 1];

/** The agent over TCP, which every Linux host has. */
function overTcp(port: number): AgentSockets {
  const address = (at: number) => Uint8Array.from([AF_INET, 0, at >> 8, at & 0xff, ...LOOPBACK, ...Array(8).fill(0)]);
  const peer = new DataView(Uint8Array.from(LOOPBACK).buffer).getUint32(0, true);
  return { family: AF_INET, address: address(port), anyPort: address(0), peerOffset: 4, peer };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

const obstacle =
  process.platform !== "linux" || process.arch !== "x64"
    ? "this is no 64-bit x86 Linux"
    : process.getuid?.() !== 0
      ? "the agent needs root"
      : null;
if (obstacle !== null) process.stderr.write(`SKIPPED the guest's agent on this host: ${obstacle}\n`);

let folder = "";
let port = 0;
let agent: ChildProcess;
beforeAll(async () => {
  if (obstacle !== null) return;
  folder = mkdtempSync(join(tmpdir(), "isola-agent-"));
  port = await freePort();
  writeFileSync(join(folder, "agent"), execAgent(overTcp(port)), { mode: 0o755 });
  // As a shell's background job would be, deaf to SIGINT.
  agent = spawn("/bin/sh", ["-c", `trap "" INT; exec "${join(folder, "agent")}"`], { stdio: "ignore" });
  await vi.waitFor(async () => (await dial(port)).destroy());
});
afterAll(() => {
  agent?.kill("SIGKILL");
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

function dial(at: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: at, host: "127.0.0.1", allowHalfOpen: true }, () => resolve(socket));
    socket.on("error", reject);
  });
}

interface Ask {
  readonly argv: readonly string[];
  readonly env?: readonly string[];
  readonly terminal?: boolean;
  readonly uid?: number;
  readonly groups?: readonly number[];
  readonly magic?: number;
}

function requestOf({ argv, env = [], terminal = false, uid = 0, groups = [], magic = EXEC_MAGIC }: Ask): Buffer {
  const strings = [...argv, ...env].map((text) => Buffer.from(`${text}\0`));
  const table = Buffer.alloc(8 * (strings.length + 2));
  let at = table.length;
  strings.forEach((text, i) => {
    table.writeUInt32LE(at, 8 * (i < argv.length ? i : i + 1));
    at += text.length;
  });
  const header = Buffer.alloc(Request.Length);
  header.writeUInt32LE(magic, Request.Magic);
  header.writeUInt32LE(terminal ? 1 : 0, Request.Terminal);
  header.writeUInt32LE(at, Request.BlobLength);
  header.writeUInt32LE(table.length / 8, Request.TableWords);
  header.writeUInt32LE(argv.length + 1, Request.EnvironmentIndex);
  header.writeUInt32LE(uid, Request.Uid);
  header.writeUInt32LE(uid, Request.Gid);
  header.writeUInt32LE(groups.length, Request.GroupCount);
  groups.forEach((group, i) => header.writeUInt32LE(group, Request.Groups + 4 * i));
  header.writeUInt16LE(24, Request.WindowSize);
  header.writeUInt16LE(80, Request.WindowSize + 2);
  return Buffer.concat([header, table, ...strings]);
}

function readAll(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks)));
    socket.on("error", () => {});
    socket.on("end", () => socket.end());
  });
}

/** Starts a program; what it writes, and the status that it ends with, come later. */
async function start(ask: Ask) {
  const control = await dial(port);
  control.write(requestOf(ask));
  let seen = Buffer.alloc(0);
  control.on("data", (chunk: Buffer) => (seen = Buffer.concat([seen, chunk])));
  await expect.poll(() => seen.length).toBeGreaterThanOrEqual(16);
  const at = seen.readUInt16BE(2);
  const input = await dial(at);
  input.on("error", () => {});
  const output = readAll(await dial(at));
  const errors = ask.terminal === true ? Promise.resolve(Buffer.alloc(0)) : readAll(await dial(at));
  const status = new Promise<number>((resolve) =>
    control.on("end", () => {
      control.end();
      resolve(seen.length === 24 && seen.readUInt32LE(16) === EXEC_MAGIC ? seen.readUInt32LE(20) : -1);
    }),
  );
  const send = (kind: number, value: number) => {
    const message = Buffer.alloc(8);
    message.writeUInt32LE(kind);
    message.writeUInt32LE(value, 4);
    control.write(message);
  };
  return { control, input, output, errors, status, send };
}

async function run(ask: Ask, stdin = "") {
  const program = await start(ask);
  program.input.end(stdin);
  const [output, errors, status] = await Promise.all([program.output, program.errors, program.status]);
  return { output: output.toString(), errors: errors.toString(), status };
}

describe("the agent's file", () => {
  it("is a small static program", () => {
    const file = execAgent();
    expect(file.length).toBeLessThan(16_384);
    expect([...file.subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
  });
});

describe.skipIf(obstacle !== null)("the guest's agent", () => {
  it("runs a program with its streams, environment and status", async () => {
    const script = 'echo "out $A $1"; echo err >&2; cat; exit 7';
    const ask = { argv: ["/bin/sh", "-c", script, "sh", "x y"], env: ["A=b c", "PATH=/bin"] };
    expect(await run(ask, "input")).toEqual({ output: "out b c x y\ninput", errors: "err\n", status: 7 << 8 });
  });

  it("gives programs pipes, which can be opened again", async () => {
    const argv = ["/bin/sh", "-c", "echo one > /dev/stderr; cat /dev/stdin > /dev/stdout"];
    expect(await run({ argv }, "two")).toEqual({ output: "two", errors: "one\n", status: 0 });
  });

  it("carries many bytes", async () => {
    const program = await start({ argv: ["/bin/cat"] });
    const data = Buffer.alloc(3_000_000, "0123456789");
    program.input.end(data);
    expect((await program.output).equals(data)).toBe(true);
    expect(await program.status).toBe(0);
  });

  it("takes signals for the whole group, and tells of the one that ended it", async () => {
    const program = await start({ argv: ["/bin/sh", "-c", "echo ready; sleep 60 | cat; echo no"] });
    await new Promise((resolve) => setTimeout(resolve, 200));
    program.send(Message.Signal, 2);
    expect(await program.status).toBe(2);
    expect((await program.output).toString()).toBe("ready\n");
  });

  it("hangs up when the host goes away", async () => {
    const program = await start({
      argv: ["/bin/sh", "-c", "trap 'echo hung up; exit' HUP; while :; do sleep 0.1; done"],
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    program.control.end();
    expect((await program.output).toString()).toBe("hung up\n");
  });

  it("makes a terminal of the size that the host says", async () => {
    const argv = ["/bin/sh", "-c", "stty size; tty; read line; stty size; echo got $line; exit 3"];
    const program = await start({ argv, terminal: true, env: ["PATH=/bin:/usr/bin"] });
    await new Promise((resolve) => setTimeout(resolve, 300));
    program.send(Message.WindowSize, 30 | (100 << 16));
    await new Promise((resolve) => setTimeout(resolve, 100));
    program.input.write("typed\n");
    const text = (await program.output).toString();
    expect(text).toMatch(/^24 80\r\n\/dev\/pts\/\d+\r\ntyped\r\n30 100\r\ngot typed\r\n$/);
    expect(await program.status).toBe(3 << 8);
  });

  it("changes to another user", async () => {
    const argv = ["/bin/sh", "-c", "id -u; id -g; id -G"];
    const ask = { argv, uid: 65534, groups: [65534, 4], env: ["PATH=/bin:/usr/bin"] };
    expect(await run(ask)).toMatchObject({ output: "65534\n65534\n65534 4\n" });
  });

  it("says that a program cannot be executed", async () => {
    expect(await run({ argv: ["/no/such/program"] })).toEqual({ output: "", errors: "", status: 126 << 8 });
  });

  it("drops who does not speak its language", async () => {
    const control = await dial(port);
    control.write(requestOf({ argv: ["/bin/true"], magic: 1 }));
    expect(await readAll(control)).toHaveLength(0);
    expect((await run({ argv: ["/bin/echo", "still there"] })).output).toBe("still there\n");
  });

  it("serves many at once", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => run({ argv: ["/bin/echo", String(i)] })));
    expect(all.map(({ output }) => output)).toEqual(Array.from({ length: 8 }, (_, i) => `${i}\n`));
  });
});
