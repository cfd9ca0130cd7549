// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { COMMAND_SIZE, DATA_POINTER_MASK, FUSE_MASK, MAX_TRANSFER, Status } from "./registers.js";
import { type Piece, readPieces, walkPrps, writePieces } from "./prp.js";

/** How a command ends: status, and the first dword of its completion. */
export interface Outcome {
  readonly status: number;
  readonly result: number;
}

export type MaybeLater<T> = T | Promise<T>;

export const SUCCESS: Outcome = { status: Status.Success, result: 0 };

/** A command that was refused for what it says; it will be again. */
export function refused(status: Status): Outcome {
  return { status: status | Status.DoNotRetry, result: 0 };
}

/** An entry of a submission queue (4.2). */
export class NvmeCommand {
  private readonly view: DataView;

  /** @param bytes all 64 of them */
  constructor(
    private readonly ram: GuestRam,
    bytes: Uint8Array,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, COMMAND_SIZE);
  }

  get opcode(): number {
    return this.view.getUint8(0);
  }

  get id(): number {
    return this.view.getUint16(2, true);
  }

  get namespace(): number {
    return this.dword(1);
  }

  /** Whether it wants what this controller never offered: an SGL, or to be fused with another command. */
  get unsupported(): boolean {
    return (this.view.getUint16(0, true) & (DATA_POINTER_MASK | FUSE_MASK)) !== 0;
  }

  dword(index: number): number {
    return this.view.getUint32(index * 4, true);
  }

  /** Two dwords; precise below 2^53, and far beyond any disk above that. */
  qword(index: number): number {
    return this.dword(index) + this.dword(index + 1) * 2 ** 32;
  }

  /** Where its data is, or the status of its refusal. */
  pieces(length: number): readonly Piece[] | Status {
    if (length > MAX_TRANSFER) return Status.InvalidField;
    return walkPrps(this.ram, this.qword(6), this.qword(8), length);
  }

  /** Gives it an answer, of which it may want only the first `length` bytes. */
  answer(bytes: Uint8Array, length: number = bytes.length): Outcome {
    const pieces = this.pieces(length);
    if (!Array.isArray(pieces)) return refused(pieces as Status);
    writePieces(this.ram, pieces, bytes.subarray(0, length));
    return SUCCESS;
  }

  /** Its data, or the status of its refusal. */
  data(length: number): Uint8Array | Status {
    const pieces = this.pieces(length);
    if (!Array.isArray(pieces)) return pieces as Status;
    const bytes = new Uint8Array(length);
    readPieces(this.ram, pieces, bytes);
    return bytes;
  }
}
