// SPDX-License-Identifier: Apache-2.0
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { OperatorError } from "@isola/base";
import { type InputEvent, type MachineSummary, MAX_EVENTS, type PlainAction } from "./messages.js";

/** Nobody listens at the socket any more. */
export class MachineGone extends OperatorError {
  constructor(name: string) {
    super("machine-gone", `machine ${name} has ended`);
  }
}

/** A process that works answers at once; one that is stopped or hangs never does. */
const PATIENCE_MS = 10_000;
const GONE = new Set(["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"]);

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The error that a problem document tells of. */
async function refusal(response: IncomingMessage): Promise<OperatorError> {
  const text = (await bytesOf(response)).toString("utf8");
  try {
    const { code, detail } = JSON.parse(text) as { code?: unknown; detail?: unknown };
    if (typeof code === "string" && typeof detail === "string") return new OperatorError(code, detail);
  } catch {
    // Not a server of ours; the status has to do.
  }
  return new OperatorError("bad-answer", `the machine's process answered with status ${response.statusCode}`);
}

/** One running machine, reached over its socket. Methods reject with an OperatorError; with MachineGone if it has ended. */
export class ControlClient {
  constructor(
    readonly name: string,
    private readonly socket: string,
  ) {}

  async summary(): Promise<MachineSummary> {
    return this.json<MachineSummary>("GET", "");
  }

  async perform(type: PlainAction): Promise<MachineSummary> {
    return this.json<MachineSummary>("POST", "/action", { type });
  }

  /** Resolves when the machine has got all of it. */
  async input(events: readonly InputEvent[]): Promise<void> {
    for (let at = 0; at < events.length; at += MAX_EVENTS)
      await this.json("POST", "/input", { events: events.slice(at, at + MAX_EVENTS) });
  }

  async statistics(): Promise<unknown> {
    return this.json("GET", "/statistics");
  }

  /** A picture of the screen, as a PNG. */
  async screenshot(): Promise<Buffer> {
    return this.bytes("GET", "/screen");
  }

  async screenText(): Promise<string> {
    return (await this.bytes("GET", "/screen-text")).toString("utf8");
  }

  /** Opens a stream of plain bytes to what `path` names. Half-closed ends stay usable in the other direction. */
  stream(path: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const asked = this.request("GET", path, { connection: "Upgrade", upgrade: "isola-stream" });
      asked.on("upgrade", (_response, socket, head) => {
        socket.setTimeout(0);
        if (head.length > 0) socket.unshift(head);
        resolve(socket as Socket);
      });
      asked.on("response", (response) => void refusal(response).then(reject, reject));
      asked.on("error", (error) => reject(this.failure(error)));
      asked.end();
    });
  }

  /** Resolves once the machine has ended; false if that has not happened after so many milliseconds. */
  async ended(timeout: number, interval = 50): Promise<boolean> {
    const due = performance.now() + timeout;
    for (;;) {
      try {
        if ((await this.summary()).state === "stopped") return true;
      } catch (error) {
        if (error instanceof MachineGone) return true;
        throw error;
      }
      if (performance.now() >= due) return false;
      await new Promise((resolve) => setTimeout(resolve, interval));
    }
  }

  private async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse((await this.bytes(method, path, body)).toString("utf8")) as T;
  }

  private bytes(method: string, path: string, body?: unknown): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const asked = this.request(method, path, {});
      // Input takes as long as it takes to type.
      if (path !== "/input")
        asked.setTimeout(PATIENCE_MS, () =>
          asked.destroy(new OperatorError("no-answer", `the process of machine ${this.name} does not answer`)),
        );
      asked.on("response", (response) => {
        const result =
          response.statusCode === 200 ? bytesOf(response) : refusal(response).then((e) => Promise.reject(e));
        result.then(resolve, (error: unknown) => reject(this.failure(error)));
      });
      asked.on("error", (error) => reject(this.failure(error)));
      asked.end(body === undefined ? "" : JSON.stringify(body));
    });
  }

  private request(method: string, path: string, headers: Record<string, string>): ClientRequest {
    return request({ socketPath: this.socket, method, path: `/v1/machine${path}`, headers, agent: false });
  }

  private failure(error: unknown): OperatorError {
    if (error instanceof OperatorError) return error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (GONE.has(code)) return new MachineGone(this.name);
    return new OperatorError("no-connection", `cannot reach machine ${this.name}: ${message}`, { cause: error });
  }
}
