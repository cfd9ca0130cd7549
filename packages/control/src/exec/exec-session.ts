// SPDX-License-Identifier: Apache-2.0
import type { Socket } from "node:net";
import { OperatorError } from "@isola/base";
import { ADDRESS_LENGTH, ADDRESS_PORT, EXEC_MAGIC, EXEC_PORT, Message, MESSAGE_LENGTH } from "@isola/images";
import type { ControlClient } from "../control-client.js";
import {
  encodeMessage,
  encodeRequest,
  encodeTerminalSize,
  type ExecRequest,
  type TerminalSize,
} from "./exec-request.js";

/** How a program ended: with a status, or by a signal. */
export type ExecEnd = { readonly status: number } | { readonly signal: number };

/** What wait(2) says of a program that has ended. */
function endOf(status: number): ExecEnd {
  const signal = status & 0x7f;
  return signal === 0 ? { status: (status >> 8) & 0xff } : { signal };
}

/** The next bytes of a stream, `length` of them; null if it ends before. */
function readExactly(socket: Socket, length: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const finish = (bytes: Buffer | null) => {
      socket.off("readable", look);
      socket.off("close", gone);
      socket.off("end", gone);
      resolve(bytes);
    };
    const look = () => {
      const bytes = socket.read(length) as Buffer | null;
      // At the end of a stream, read() gives what there is, which may be less.
      if (bytes !== null) finish(bytes.length === length ? bytes : null);
    };
    const gone = () => finish(null);
    socket.on("readable", look);
    socket.on("close", gone);
    socket.on("end", gone);
    look();
  });
}

function broken(what: string): OperatorError {
  return new OperatorError("exec-failed", `the guest's end of exec gave up: ${what}`);
}

/** A program that runs in the guest. */
export class ExecSession {
  /** How the program ended. Rejects with an OperatorError if the guest or its agent ends before it. */
  readonly ended: Promise<ExecEnd>;

  private constructor(
    private readonly control: Socket,
    /** Takes the program's input; ended, the program sees the end of it. */
    readonly stdin: Socket,
    readonly stdout: Socket,
    /** Null for a program on a terminal. */
    readonly stderr: Socket | null,
  ) {
    for (const socket of [control, stdin, stdout, stderr]) socket?.on("error", () => {});
    this.ended = this.waitForEnd();
    this.ended.catch(() => {});
  }

  /**
   * Runs a program in the guest of the machine that `client` reaches. Rejects with an OperatorError; with the code
   * `no-vsock` or `vsock-refused` if the guest is not ready (yet).
   */
  static async start(client: ControlClient, request: ExecRequest): Promise<ExecSession> {
    const bytes = encodeRequest(request);
    const control = await client.stream(`/vsock/${EXEC_PORT}`);
    const opened = [control];
    try {
      control.on("error", () => {});
      control.write(bytes);
      const address = await readExactly(control, ADDRESS_LENGTH);
      if (address === null) throw broken("it does not understand this version of Isola; pull the image again");
      const port = address.readUInt32LE(ADDRESS_PORT);
      // One after the other: the agent tells them apart by their order.
      const count = request.terminal === null ? 3 : 2;
      for (let i = 0; i < count; i++) opened.push(await client.stream(`/vsock/${port}`));
      const [, stdin, stdout, stderr = null] = opened;
      if (stdin === undefined || stdout === undefined) throw broken("it takes no streams");
      return new ExecSession(control, stdin, stdout, stderr);
    } catch (error) {
      for (const socket of opened) socket.destroy();
      throw error;
    }
  }

  /** Sends a signal, by its number in Linux, to the program and all that it has started. */
  signal(number: number): void {
    this.control.write(encodeMessage(Message.Signal, number));
  }

  /** Tells a program on a terminal that its size has changed. */
  resize(size: TerminalSize): void {
    this.control.write(encodeTerminalSize(size));
  }

  /** Hangs up: the program gets SIGHUP, and nothing that it writes is seen any more. */
  close(): void {
    for (const socket of [this.control, this.stdin, this.stdout, this.stderr]) socket?.destroy();
  }

  private async waitForEnd(): Promise<ExecEnd> {
    const answer = await readExactly(this.control, MESSAGE_LENGTH);
    if (answer === null || answer.readUInt32LE(0) !== EXEC_MAGIC)
      throw new OperatorError("exec-lost", "the machine ended, or was reset, before the program did");
    return endOf(answer.readUInt32LE(4));
  }
}
