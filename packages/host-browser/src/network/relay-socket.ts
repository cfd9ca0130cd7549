// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import { RelayClient } from "@isola/network";

/** How long the first relay may take to answer, in ms. */
const PATIENCE_MS = 5000;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

/** A WebSocket to a relay of the network, which is opened again when it breaks. */
export class RelaySocket {
  readonly client: RelayClient;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE_MS;
  private closed = false;

  private constructor(
    private readonly url: string,
    onReady: () => void,
    private readonly onLost: () => void,
  ) {
    this.client = new RelayClient(
      (task) => queueMicrotask(task),
      () => {
        this.pause = FIRST_PAUSE_MS;
        onReady();
      },
    );
    this.connect();
  }

  /** Connects; rejects with an OperatorError if no relay answers. */
  static open(url: string): Promise<RelaySocket> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        clearTimeout(timer);
        relay.close();
        const { host } = new URL(url);
        reject(
          new OperatorError("no-relay", `the network relay at ${host} does not answer; is the demo server running?`),
        );
      };
      const timer = setTimeout(fail, PATIENCE_MS);
      let settled = false;
      const relay = new RelaySocket(
        url,
        () => {
          settled = true;
          clearTimeout(timer);
          resolve(relay);
        },
        () => settled || fail(),
      );
    });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.client.lost();
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.client.open((message) => socket.send(message)));
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (!(data instanceof ArrayBuffer) || !this.client.receive(new Uint8Array(data))) socket.close();
    });
    // An error is always followed by this.
    socket.addEventListener("close", () => this.lost());
    this.socket = socket;
  }

  private lost(): void {
    if (this.closed) return;
    this.client.lost();
    this.timer = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(2 * this.pause, LAST_PAUSE_MS);
    this.onLost();
  }
}
