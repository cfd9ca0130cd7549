// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { InputSink } from "@isola/ports";
import type { VmmAction } from "@isola/vmm";
import type { SoundPiece } from "../audio/loudspeaker.js";
import { fromMessage } from "./error-message.js";
import {
  type AnyCall,
  type CallName,
  type Calls,
  type EventMessage,
  PROTOCOL_VERSION,
  type ToPage,
  type ToWorker,
} from "./protocol.js";

/** What a page hears of its machine. */
export interface MachineListener {
  event(event: EventMessage): void;
  /** Output of a serial port; `shown` has to be called when it is on the screen. */
  serial(port: number, bytes: Uint8Array, shown: () => void): void;
  /** A piece of what the machine plays. */
  sound(piece: SoundPiece): void;
  progress(what: string, done: number, total: number): void;
  warning(message: string): void;
  /** The worker is gone, or speaks another version's language: the page has to be loaded again. */
  broken(error: Error): void;
}

/** The part of a `Worker` that is used. */
export interface WorkerLike {
  postMessage(message: ToWorker): void;
  addEventListener(type: "message" | "messageerror", listener: (event: MessageEvent<ToPage>) => void): void;
  addEventListener(type: "error", listener: (event: ErrorEvent) => void): void;
  terminate(): void;
}

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** The page's side of a machine that runs in a worker. */
export class MachineClient {
  private readonly pending = new Map<number, Pending>();
  private next = 0;
  private error: Error | null = null;

  constructor(
    private readonly worker: WorkerLike,
    private readonly listener: MachineListener,
  ) {
    worker.addEventListener("message", ({ data }) => this.receive(data));
    worker.addEventListener("messageerror", () => this.fail(new Error("a message of the worker cannot be read")));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.fail(new Error(event.message ?? "the worker could not be loaded"));
    });
  }

  /** Asks for something; rejects with what went wrong, an OperatorError unless it is a bug. */
  call<K extends CallName>(name: K, request: Calls[K]["request"]): Promise<Calls[K]["answer"]> {
    if (this.error !== null) return Promise.reject(this.error);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ type: "call", id, call: { name, request } as AnyCall });
    });
  }

  /** Asks the machine itself for something. */
  async perform(action: VmmAction): Promise<void> {
    await this.call("perform", action);
  }

  /** Where keys and movements of the mouse go. */
  readonly input: InputSink = {
    key: (code, pressed) => this.send({ type: "input", action: { type: "key-input", code, pressed } }),
    mouse: (dx, dy, wheel, buttons) =>
      this.send({ type: "input", action: { type: "mouse-input", dx, dy, wheel, buttons } }),
  };

  /** Types text on the machine's keyboard. */
  type(text: string): void {
    this.send({ type: "type", text });
  }

  /** Ends the worker at once, whatever it does. */
  close(): void {
    this.worker.terminate();
    this.rejectAll(new OperatorError("closed", "the machine's worker was ended"));
  }

  private send(message: ToWorker): void {
    if (this.error === null) this.worker.postMessage(message);
  }

  private receive(message: ToPage): void {
    const { listener } = this;
    switch (message.type) {
      case "hello":
        if (message.version !== PROTOCOL_VERSION)
          this.fail(new OperatorError("version", "this page and its worker are of different versions; load it again"));
        return;
      case "answer":
        return this.take(message.id)?.resolve(message.value as never);
      case "failure":
        return this.take(message.id)?.reject(fromMessage(message.error));
      case "event":
        return listener.event(message.event);
      case "serial": {
        const { port, bytes } = message;
        return listener.serial(port, bytes, () => this.send({ type: "serial-shown", bytes: bytes.length }));
      }
      case "sound":
        return listener.sound(message.piece);
      case "progress":
        return listener.progress(message.what, message.done, message.total);
      case "warning":
        return listener.warning(message.message);
    }
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    return pending;
  }

  private fail(error: Error): void {
    if (this.error !== null) return;
    this.worker.terminate();
    this.rejectAll(error);
    this.listener.broken(error);
  }

  private rejectAll(error: Error): void {
    this.error = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
