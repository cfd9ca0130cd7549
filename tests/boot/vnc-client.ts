// SPDX-License-Identifier: Apache-2.0
import { connect, type Socket } from "node:net";
import { CheckFailure } from "./check.js";

const VERSION = "RFB 003.008\n";
const NO_SECURITY = 1;
const SERVER_INIT = 24;

/** A viewer (RFC 6143) that types and points and never looks. */
export class VncClient {
  private constructor(
    private readonly socket: Socket,
    /** Size of the screen. */
    readonly width: number,
    readonly height: number,
  ) {}

  /** Connects to a socket that wants no password. */
  static async open(path: string): Promise<VncClient> {
    const socket = connect(path);
    const chunks: Buffer[] = [];
    const take = async (length: number): Promise<Buffer> => {
      for (;;) {
        const all = Buffer.concat(chunks.splice(0));
        chunks.push(all);
        if (all.length >= length) {
          chunks[0] = all.subarray(length);
          return all.subarray(0, length);
        }
        await new Promise((resolve, reject) => {
          socket.once("data", resolve);
          socket.once("error", reject);
          socket.once("close", () => reject(new CheckFailure("the VNC server left")));
        });
      }
    };
    socket.on("data", (bytes: Buffer) => chunks.push(bytes));
    await take(VERSION.length);
    socket.write(VERSION);
    const [count = 0] = await take(1);
    await take(count);
    socket.write(Buffer.of(NO_SECURITY));
    await take(4);
    socket.write(Buffer.of(1));
    const init = await take(SERVER_INIT);
    return new VncClient(socket, init.readUInt16BE(0), init.readUInt16BE(2));
  }

  /** Presses a key and lets it go, by its X11 symbol. */
  type(symbol: number): void {
    for (const down of [1, 0]) {
      const bytes = Buffer.alloc(8);
      bytes.set([4, down]);
      bytes.writeUInt32BE(symbol, 4);
      this.socket.write(bytes);
    }
  }

  /** Moves the pointer, with buttons as RFC 6143 numbers them. */
  point(x: number, y: number, buttons: number): void {
    const bytes = Buffer.of(5, buttons, 0, 0, 0, 0);
    bytes.writeUInt16BE(x, 2);
    bytes.writeUInt16BE(y, 4);
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }
}
