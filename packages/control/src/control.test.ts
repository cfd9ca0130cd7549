// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { OperatorError } from "@isola/base";
import { LEGAL_STATES, StateError, type VmmAction, type VmState } from "@isola/vmm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MachineGone } from "./control-client.js";
import { ControlServer } from "./control-server.js";
import type { ControlledVm } from "./control-target.js";
import { isMachineName, randomMachineName } from "./machine-name.js";
import type { InputEvent } from "./messages.js";
import { clientOf, runningMachines } from "./running-machines.js";
import { claimName, machineNames, runtimeDirectory, socketOf } from "./runtime-directory.js";

const unix = process.platform !== "win32";
let directory = "";
const servers: ControlServer[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "isola-control-"));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A machine that writes down what it is told. */
class FakeVm {
  state: VmState = "running";
  readonly done: VmmAction[] = [];
  readonly screenText = () => ["hello", "world"];
  picture: { width: number; height: number } | null = null;
  readonly screen = () => this.picture;
  readonly statistics = () => ({ shares: 5 });

  perform(action: VmmAction): void {
    const legal = LEGAL_STATES[action.type];
    if (!legal.includes(this.state)) throw new StateError(action.type, this.state, legal);
    this.done.push(action);
    if (action.type === "pause") this.state = "paused";
    if (action.type === "resume") this.state = "running";
  }
}

async function serve(name: string) {
  const vm = new FakeVm();
  const claim = claimName(directory, name);
  if (claim === null) throw new Error("the name is taken");
  const server = await ControlServer.listen(claim, {
    vm: vm as unknown as ControlledVm,
    description: { machine: "pc", source: "test", memory: 1 << 20, cpus: 2, startedAt: 1 },
    streams: {
      // Sends everything back, and says goodbye at the end.
      attachConsole(stream: Duplex) {
        stream.on("data", (bytes: Buffer) => stream.write(bytes));
        stream.on("end", () => stream.end("bye"));
      },
      dialVsock: (port) => Promise.reject(new OperatorError("vsock-refused", `nobody at ${port}`)),
    },
  });
  servers.push(server);
  return { vm, server, client: clientOf(directory, name) };
}

/** One request as raw bytes, as a careless or hostile client would send it. */
async function raw(
  name: string,
  path: string,
  method: string,
  body: string,
): Promise<{ status: number; text: string }> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socketOf(directory, name), path, method }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

describe.skipIf(!unix)("control of a machine", () => {
  it("tells of itself and performs actions", async () => {
    const { vm, client } = await serve("one");
    expect(await client.summary()).toMatchObject({ name: "one", pid: process.pid, state: "running", machine: "pc" });
    expect((await client.perform("pause")).state).toBe("paused");
    await expect(client.perform("pause")).rejects.toMatchObject({ code: "bad-state" });
    await client.perform("reset");
    expect(vm.done.map(({ type }) => type)).toEqual(["pause", "reset"]);
    expect(await client.statistics()).toEqual({ shares: 5 });
    expect(await client.screenText()).toBe("hello\nworld\n");
    await expect(client.screenshot()).rejects.toMatchObject({ code: "display-off" });
  });

  it("plays input in order, one request after the other", async () => {
    const { vm, client } = await serve("one");
    const keys = (...codes: number[]): InputEvent[] => codes.map((code) => ({ type: "key", code, pressed: true }));
    const mouse: InputEvent = { type: "mouse", dx: -3, dy: 4, wheel: 0, buttons: 1 };
    await Promise.all([client.input([...keys(1, 2), mouse]), client.input(keys(3))]);
    expect(vm.done).toHaveLength(4);
    expect(vm.done.map((action) => (action.type === "key-input" ? action.code : action.type)).join()).toMatch(
      /^(1,2,mouse-input,3|3,1,2,mouse-input)$/,
    );
    vm.state = "paused";
    await expect(client.input(keys(1))).rejects.toMatchObject({ code: "bad-state" });
  });

  it("points at pixels, and moves on from there", async () => {
    const { vm, client } = await serve("one");
    const point: InputEvent = { type: "point", x: 639, y: 0, buttons: 0 };
    await expect(client.input([point])).rejects.toMatchObject({ code: "display-off" });
    vm.picture = { width: 640, height: 480 };
    const click: InputEvent = { type: "mouse", dx: 0, dy: 0, wheel: 0, buttons: 1 };
    await client.input([click, point, click, { ...click, dx: -639, dy: 5000 }]);
    expect(vm.done.map((action) => ("at" in action ? [action.at, action.dx, action.dy] : []))).toEqual([
      [],
      [{ x: 32767, y: 0 }, 0, 0],
      [{ x: 32767, y: 0 }, 0, 0],
      [{ x: 0, y: 32767 }, -639, 5000],
    ]);
  });

  it.each([
    ["POST", "/v1/machine/action", "", 400],
    ["POST", "/v1/machine/action", "{", 400],
    ["POST", "/v1/machine/action", "[]", 400],
    ["POST", "/v1/machine/action", '{"type":"start"}', 400],
    ["POST", "/v1/machine/action", '{"type":"resume"}', 409],
    ["POST", "/v1/machine/input", '{"events":{}}', 400],
    ["POST", "/v1/machine/input", '{"events":[null]}', 400],
    ["POST", "/v1/machine/input", '{"events":[{"type":"key","code":1e9,"pressed":true}]}', 400],
    ["POST", "/v1/machine/input", '{"events":[{"type":"key","code":1,"pressed":1}]}', 400],
    ["POST", "/v1/machine/input", '{"events":[{"type":"mouse","dx":0.5,"dy":0,"wheel":0,"buttons":0}]}', 400],
    ["POST", "/v1/machine/input", `{"events":${JSON.stringify(Array.from({ length: 5000 }, () => ({})))}}`, 400],
    ["POST", "/v1/machine/action", `"${"x".repeat(2 << 20)}"`, 400],
    ["DELETE", "/v1/machine", "", 404],
    ["GET", "/", "", 404],
    ["GET", "//", "", 404],
    ["GET", "*", "", 404],
  ])("answers %s %s %.60s with a problem", async (method, path, body, status) => {
    const { vm } = await serve("one");
    const answer = await raw("one", path, method, body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ status });
    expect(vm.done).toEqual([]);
  });

  it("carries streams whose ends close one by one", async () => {
    const { client } = await serve("one");
    const stream = await client.stream("/console");
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    stream.end("to and fro, ");
    await new Promise((resolve) => stream.on("end", resolve));
    expect(text).toBe("to and fro, bye");
    await expect(client.stream("/nowhere")).rejects.toMatchObject({ code: "no-such-route" });
    await expect(client.stream("/vsock/22")).rejects.toMatchObject({ code: "vsock-refused" });
    await expect(client.stream("/vsock/4294967295")).rejects.toMatchObject({ code: "bad-request" });
  });

  it("is gone when it is closed, and its name is free", async () => {
    const { client, server } = await serve("one");
    expect(claimName(directory, "one")).toBeNull();
    server.close();
    await expect(client.summary()).rejects.toBeInstanceOf(MachineGone);
    expect(await client.ended(0)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
    claimName(directory, "one")?.release();
  });
});

describe.skipIf(!unix)("the machines of a user", () => {
  it("are those that answer; what dead ones left is removed", async () => {
    await serve("beta");
    await serve("alpha");
    // A process that died left its socket and its lock.
    const left = createServer().listen(socketOf(directory, "dead"));
    await new Promise((resolve) => left.once("listening", resolve));
    left.close();
    writeFileSync(socketOf(directory, "dead"), "");
    writeFileSync(join(directory, "dead.lock"), `999999999\n1\n${hostname()}\n`);
    expect(machineNames(directory)).toEqual(["alpha", "beta", "dead"]);
    const { machines, silent } = await runningMachines(directory);
    expect(machines.map(({ name }) => name)).toEqual(["alpha", "beta"]);
    expect(silent).toEqual([]);
    expect(machineNames(directory)).toEqual(["alpha", "beta"]);
  });

  it("keeps sockets where nobody else can reach them", async () => {
    await serve("one");
    expect(statSync(socketOf(directory, "one")).mode & 0o077).toBe(0);
    const base = join(directory, "run");
    mkdirSync(base);
    expect(runtimeDirectory({ XDG_RUNTIME_DIR: base })).toBe(join(base, "isola"));
    expect(statSync(join(base, "isola")).mode & 0o777).toBe(0o700);
    rmSync(join(base, "isola"), { recursive: true });
    mkdirSync(join(base, "isola"), { mode: 0o755 });
    expect(() => runtimeDirectory({ XDG_RUNTIME_DIR: base })).toThrow(/only you can enter/);
    expect(() => claimName(join(directory, "x".repeat(100)), "one")).toThrow(/too long for a socket/);
  });
});

describe("names of machines", () => {
  it.each([
    ["web-1", true],
    ["a.b_c", true],
    ["", false],
    ["-a", false],
    ["Upper", false],
    ["a/b", false],
    ["..", false],
    ["x".repeat(41), false],
  ])("%s: %s", (name, good) => expect(isMachineName(name)).toBe(good));

  it("are made up of words", () => {
    for (let i = 0; i < 50; i++) expect(randomMachineName()).toMatch(/^[a-z]+-[a-z]+$/);
  });
});
