// SPDX-License-Identifier: Apache-2.0
// From the first byte to the first message (RFC 6143, 7.1 to 7.3), for versions 3.3, 3.7 and 3.8.
import type { Entropy } from "@isola/ports";
import { type ByteQueue, bytes16, bytes32 } from "./byte-queue.js";
import { CHALLENGE_SIZE, expectedResponse, isSame } from "./password.js";
import { encodeFormat, NATIVE_FORMAT } from "./pixel-format.js";

const NONE = 1;
const VNC_AUTHENTICATION = 2;
const VERSION_SIZE = 12;

const ascii = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0) & 0x7f);

export interface HandshakePorts {
  readonly entropy: Entropy;
  /** Null lets everybody in. */
  readonly password: Uint8Array | null;
  readonly name: string;
  readonly size: () => { readonly width: number; readonly height: number };
  readonly send: (bytes: readonly number[]) => void;
}

type Step = "version" | "security" | "response" | "init" | "done" | "failed";

/** The beginning of a connection. */
export class Handshake {
  private step: Step = "version";
  /** 3, 7 or 8. */
  private minor = 8;
  private readonly challenge = new Uint8Array(CHALLENGE_SIZE);

  constructor(private readonly ports: HandshakePorts) {
    ports.send(ascii("RFB 003.008\n"));
  }

  /** Goes on as far as bytes are there. `done` once messages follow, `failed` if the client is to be left. */
  advance(queue: ByteQueue): "waiting" | "done" | "failed" {
    for (;;) {
      const before = this.step;
      if (before === "done" || before === "failed") return before;
      const bytes = queue.take(before === "version" ? VERSION_SIZE : before === "response" ? CHALLENGE_SIZE : 1);
      if (bytes === null) return "waiting";
      this.step = this.take(before, bytes);
    }
  }

  private take(step: Exclude<Step, "done" | "failed">, bytes: Uint8Array): Step {
    switch (step) {
      case "version":
        return this.version(String.fromCharCode(...bytes));
      case "security":
        return this.security(bytes[0] ?? 0);
      case "response":
        return this.response(bytes);
      case "init":
        return this.init();
    }
  }

  private get type(): number {
    return this.ports.password === null ? NONE : VNC_AUTHENTICATION;
  }

  private version(text: string): Step {
    const [, minor] = /^RFB 003\.(\d{3})\n$/.exec(text) ?? [];
    if (minor === undefined) return "failed";
    // Other numbers were never published and mean 3.3 (RFC 6143, 7.1.1); higher ones are to do with 3.8.
    this.minor = Number(minor) >= 8 ? 8 : minor === "007" ? 7 : 3;
    if (this.minor > 3) {
      this.ports.send([1, this.type]);
      return "security";
    }
    this.ports.send(bytes32(this.type));
    return this.type === NONE ? "init" : this.sendChallenge();
  }

  private security(chosen: number): Step {
    if (chosen !== this.type) return this.refuse("no such kind of security");
    if (chosen === VNC_AUTHENTICATION) return this.sendChallenge();
    if (this.minor === 8) this.ports.send(bytes32(0));
    return "init";
  }

  private sendChallenge(): Step {
    this.ports.entropy.fill(this.challenge);
    this.ports.send([...this.challenge]);
    return "response";
  }

  private response(bytes: Uint8Array): Step {
    const { password } = this.ports;
    if (password === null || !isSame(bytes, expectedResponse(password, this.challenge)))
      return this.refuse("wrong password");
    this.ports.send(bytes32(0));
    return "init";
  }

  private refuse(reason: string): Step {
    this.ports.send(bytes32(1));
    if (this.minor === 8) this.ports.send([...bytes32(reason.length), ...ascii(reason)]);
    return "failed";
  }

  /** ClientInit: whether others may look too; they always may. */
  private init(): Step {
    const { width, height } = this.ports.size();
    const name = ascii(this.ports.name);
    this.ports.send([...bytes16(width, height), ...encodeFormat(NATIVE_FORMAT), ...bytes32(name.length), ...name]);
    return "done";
  }
}
