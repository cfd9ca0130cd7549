// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import { OperatorError } from "@isola/base";
import { DEFAULT_CONFIG } from "@isola/machine";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeFolder } from "../disk/origin-storage.fixture.js";
import type { LoopHost } from "../event-loop.js";
import type { SoundPiece } from "../audio/loudspeaker.js";
import { MachineClient, type MachineListener, type WorkerLike } from "./machine-client.js";
import { MachineService } from "./machine-service.js";
import { type MachineRequest, PROTOCOL_VERSION, type ToPage, type ToWorker } from "./protocol.js";

const BUILD = new URL("../../../../build/", import.meta.url);
const built = existsSync(new URL("interpreter.wasm", BUILD));

/** Node runs a thousand messages in a row before it looks at timers; this looks at once. */
const HOST: LoopHost = {
  now: () => performance.now(),
  post: (task) => void setImmediate(task),
  setTimeout: (task, delay) => Number(setTimeout(task, delay)),
  clearTimeout: (timer) => clearTimeout(timer),
};

type Listeners = { [type: string]: (event: { data: ToPage; message: string; preventDefault(): void }) => void };

/** A worker in this thread; what is sent is copied, as between threads. */
class FakeWorker implements WorkerLike {
  readonly listeners: Listeners = {};
  terminated = false;
  service: MachineService | null = null;

  /** What the real worker does when it has been loaded. */
  load(): void {
    this.service = new MachineService((message) => {
      const data = structuredClone(message);
      queueMicrotask(() => this.listeners["message"]?.({ data, message: "", preventDefault() {} }));
    }, HOST);
  }

  postMessage(message: ToWorker): void {
    const data = structuredClone(message);
    queueMicrotask(() => this.service?.receive(data));
  }

  addEventListener(type: string, listener: unknown): void {
    this.listeners[type] = listener as Listeners[string];
  }

  terminate(): void {
    this.terminated = true;
  }
}

class Page implements MachineListener {
  log: string[] = [];
  output = "";
  event: MachineListener["event"] = (event) => {
    if (event.type === "state") this.log.push(event.state);
    else if (event.type === "stopped")
      this.log.push(event.reason.kind === "failed" ? event.reason.error.message : event.reason.kind);
  };
  serial: MachineListener["serial"] = (_port, bytes, shown) => {
    this.output += Buffer.from(bytes).toString("latin1");
    shown();
  };
  sounds: SoundPiece[] = [];
  sound = (piece: SoundPiece) => void this.sounds.push(piece);
  progress = () => {};
  warning = (message: string) => void this.log.push(message);
  broken = (error: Error) => void this.log.push(`broken: ${error.message}`);
}

/** Real mode at 0x7c00: says "!", then sends back what it is sent, until it is sent "q". */
const ECHO = Uint8Array.of(
  ...[0xba, 0xf8, 0x03, 0xb0, 0x21, 0xee], // mov dx, 0x3f8; mov al, "!"; out dx, al
  ...[0xba, 0xfd, 0x03, 0xec, 0xa8, 1, 0x74, 0xfb], // wait: mov dx, 0x3fd; in al, dx; test al, 1; jz
  ...[0xba, 0xf8, 0x03, 0xec, 0xee, 0x3c, 0x71, 0x75, 0xef], // mov dx, 0x3f8; in al, dx; out dx, al; cmp al, "q"; jne wait
  ...[0xb0, 0x15, 0xe6, 0xf4, 0xeb, 0xfe], // mov al, 0x15; out 0xf4, al; jmp $
);

function request(more: Partial<MachineRequest> = {}): MachineRequest {
  return {
    config: {
      ...DEFAULT_CONFIG,
      memory: 4 << 20,
      boot: { kind: "flat", file: "echo", address: 0x7c00, mode: "real" },
      devices: ["isa-debug-exit"],
    },
    modules: { helpers: "helpers.wasm", interpreter: "interpreter.wasm" },
    files: { echo: { kind: "file", name: "echo", file: new Blob([ECHO]) } },
    disks: {},
    network: null,
    translations: null,
    onGuestReset: "stop",
    ...more,
  };
}

let worker: FakeWorker;
let page: Page;
let client: MachineClient;
const until = (condition: () => boolean) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
const type = (text: string) => client.perform({ type: "serial-input", port: 0, bytes: Buffer.from(text) });

beforeEach(() => {
  vi.stubGlobal("fetch", (url: string) =>
    Promise.resolve(
      url.endsWith(".wasm") ? new Response(readFileSync(new URL(url, BUILD))) : new Response(null, { status: 404 }),
    ),
  );
  const root = new FakeFolder();
  vi.stubGlobal("navigator", { storage: { getDirectory: () => Promise.resolve(root) } });
  worker = new FakeWorker();
  page = new Page();
  client = new MachineClient(worker, page);
  worker.load();
});
afterEach(() => vi.unstubAllGlobals());

describe.skipIf(!built)("a machine behind messages", () => {
  it("runs, takes input, shows output, and ends", async () => {
    await client.call("create", request());
    await client.perform({ type: "start" });
    await until(() => page.output === "!");
    await type("hello");
    await until(() => page.output === "!hello");
    await client.perform({ type: "pause" });
    await client.perform({ type: "resume" });
    const statistics = await client.call("statistics", null);
    expect(statistics?.serial[0]?.bytesOut).toBe(6);
    expect(await client.call("screen", { whole: true })).toBe("off");
    expect(await client.call("screen-text", null)).toBeNull();
    await type("q");
    await until(() => page.log.includes("debug-exit"));
    expect(page.log).toEqual(["running", "paused", "running", "stopped", "debug-exit"]);
    await client.call("create", request());
  });

  it("rejects what is not legal with the error's code, and goes on", async () => {
    await expect(client.perform({ type: "start" })).rejects.toMatchObject({ code: "bad-state" });
    const missing = { echo: { kind: "url", url: "nothing.bin" } } as const;
    await expect(client.call("create", request({ files: missing }))).rejects.toThrow("the server answers 404");
    const config = { ...request().config, memory: 5 };
    await expect(client.call("create", request({ config }))).rejects.toBeInstanceOf(OperatorError);
    await client.call("create", request());
    await expect(client.call("create", request())).rejects.toThrow("there is a machine already");
    client.input.key(0x1e, true);
  });

  it("keeps disks that a failed machine had opened from staying open", async () => {
    const disk = { kind: "kept", name: "d", base: null, size: 1 << 20 } as const;
    const config = { ...request().config, disks: [{ store: "d", serial: "d" }], cpus: 0 };
    await expect(client.call("create", request({ config, disks: { d: disk } }))).rejects.toThrow("vCPUs");
    await client.call("delete-disk", { name: "d" });
    expect(await client.call("disks", null)).toEqual([]);
  });
});

describe("a worker that fails", () => {
  it("is ended when it speaks another version's language", async () => {
    const data = { type: "hello", version: PROTOCOL_VERSION + 1 } as const;
    const waiting = client.call("disks", null);
    worker.listeners["message"]?.({ data, message: "", preventDefault() {} });
    await expect(waiting).rejects.toThrow("different versions");
    expect(worker.terminated).toBe(true);
    expect(page.log).toEqual([expect.stringContaining("broken: this page and its worker")]);
    await expect(client.call("disks", null)).rejects.toThrow("different versions");
  });

  it("is reported once, with all calls that wait", async () => {
    const calls = [client.call("disks", null), client.call("statistics", null)];
    for (const message of ["out of memory", "again"])
      worker.listeners["error"]?.({ data: { type: "warning", message: "" }, message, preventDefault() {} });
    for (const call of calls) await expect(call).rejects.toThrow("out of memory");
    expect(page.log).toEqual(["broken: out of memory"]);
    client.input.mouse(1, 1, 0, 0);
  });
});
