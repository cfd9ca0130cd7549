// SPDX-License-Identifier: Apache-2.0
import { DATA_ADDRESS } from "./elf-program.js";
import { ADDRESS_LENGTH, MAX_BLOB, Request } from "./exec-protocol.js";
import { MSG_WAITALL, SOCK_CLOEXEC, SOCK_STREAM, Sys } from "./linux-abi.js";
import { MachineCode, type Place, type Value } from "./machine-code.js";

/** The kind of socket by which the agent is reached. */
export interface AgentSockets {
  readonly family: number;
  /** Where it listens, and the address that stands for a port of the kernel's choice. */
  readonly address: Uint8Array;
  readonly anyPort: Uint8Array;
  /** Where in a peer's address the four bytes are that say who it is, and what they must be. */
  readonly peerOffset: 4 | 8;
  readonly peer: number;
}

const BACKLOG = 64;
export const RELAY_BYTES = 1 << 16;

/** The place `offset` bytes behind another. */
export const at = (place: Place, offset: number): Place => ({ offset: place.offset + offset });
export const valueOf = (variable: Place): Value => ({ variable });
export const addressOf = (place: Place): Value => ({ addressOf: place });

/** Numbers of 64 bits as initial data. */
export function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => view.setBigInt64(8 * i, BigInt(value), true));
  return bytes;
}

/** The agent's memory and labels, and the statements that all its parts use. Every process of the agent has its own copy. */
export class AgentFrame {
  readonly code = new MachineCode(DATA_ADDRESS);
  readonly quit = this.code.label();
  readonly listener = this.code.variable();
  readonly connection = this.code.variable();
  readonly streams = this.code.variable();
  readonly accepted = this.code.variable();
  readonly result = this.code.variable();
  readonly child = this.code.variable();
  readonly scratch = this.code.variable();
  readonly word = this.code.variable();
  readonly header = this.code.reserve(Request.Length);
  readonly blob = this.code.reserve(MAX_BLOB);
  readonly peer = this.code.reserve(ADDRESS_LENGTH);
  readonly addressLength = this.code.variable();
  /** Standard input, output and error of the program, and the sockets that they come from and go to. */
  readonly standard = [this.code.variable(), this.code.variable(), this.code.variable()] as const;
  readonly sockets = [this.code.variable(), this.code.variable(), this.code.variable()] as const;
  readonly pipe = this.code.reserve(8);
  readonly master = this.code.variable();
  readonly from = this.code.variable();
  readonly to = this.code.variable();
  readonly buffer = this.code.reserve(RELAY_BYTES);
  readonly acceptFromHost = this.code.label();
  readonly relay = this.code.label();
  readonly openPipe = this.code.label();

  constructor(readonly kind: AgentSockets) {}

  /** A field of the request's header, of 32 bits; its value is good for the next statement only. */
  field(offset: number): Value {
    const base = at(this.header, offset & ~7);
    this.code.setToHalf(this.word, base, (offset & 4) === 0 ? "low" : "high");
    return valueOf(this.word);
  }

  exit(status: number): void {
    this.code.system(Sys.Exit, [status]);
  }

  close(...descriptors: readonly Place[]): void {
    for (const descriptor of descriptors) this.code.system(Sys.Close, [valueOf(descriptor)]);
  }

  /** `result` becomes a socket that listens at an address; the process ends if there can be none. */
  socket(result: Place, address: Uint8Array): void {
    const { code, quit } = this;
    const place = code.place(address);
    code.system(Sys.Socket, [this.kind.family, SOCK_STREAM | SOCK_CLOEXEC, 0], result);
    code.jumpIf(valueOf(result), "<", 0, quit);
    code.system(Sys.Bind, [valueOf(result), addressOf(place), ADDRESS_LENGTH], this.result);
    code.jumpIf(valueOf(this.result), "<", 0, quit);
    code.system(Sys.Listen, [valueOf(result), BACKLOG]);
  }

  /** Takes so many bytes from the connection; `result` is how many came. */
  receive(into: Place, length: Value): void {
    const { code } = this;
    code.system(Sys.RecvFrom, [valueOf(this.connection), addressOf(into), length, MSG_WAITALL, 0, 0], this.result);
  }
}
