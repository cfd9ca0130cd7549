// SPDX-License-Identifier: Apache-2.0
import type { GuestRam } from "@isola/memory";
import { COMMAND_SIZE, COMPLETION_SIZE } from "./registers.js";
import type { CompletionState, SubmissionState } from "./state.js";

/** A ring that the driver fills with commands (4.1). */
export class SubmissionQueue {
  /** Commands that were fetched and are not finished. */
  inFlight = 0;
  /** It is being deleted: no more commands are fetched. */
  deleting: (() => void) | null = null;

  constructor(readonly s: SubmissionState) {}

  get empty(): boolean {
    return this.s.head === this.s.tail;
  }

  /** Takes the doorbell's value; false if it is no entry of the ring. */
  ring(tail: number): boolean {
    if (tail >= this.s.size) return false;
    this.s.tail = tail;
    return true;
  }

  /** Takes the next command; null if the ring is not RAM. */
  fetch(ram: GuestRam): Uint8Array | null {
    const { s } = this;
    const bytes = new Uint8Array(COMMAND_SIZE);
    if (!ram.read(s.base + s.head * COMMAND_SIZE, bytes)) return null;
    s.head = (s.head + 1) % s.size;
    this.inFlight++;
    return bytes;
  }
}

/** A ring that the controller fills with completions. */
export class CompletionQueue {
  /** Entries that commands under way will need. */
  reserved = 0;

  constructor(readonly s: CompletionState) {}

  /** Whether another command's completion will find room. */
  get hasRoom(): boolean {
    const { head, tail, size } = this.s;
    return ((tail - head + size) % size) + this.reserved < size - 1;
  }

  /** Entries that the driver has not taken yet. */
  get waiting(): boolean {
    return this.s.head !== this.s.tail;
  }

  ring(head: number): boolean {
    const { s } = this;
    // The head can only move over entries that were written.
    const filled = (s.tail - s.head + s.size) % s.size;
    if (head >= s.size || (head - s.head + s.size) % s.size > filled) return false;
    s.head = head;
    return true;
  }

  /** Appends a completion (4.6); false if the ring is not RAM. */
  post(ram: GuestRam, result: number, submission: SubmissionState, command: number, status: number): boolean {
    const { s } = this;
    const bytes = new Uint8Array(COMPLETION_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, result, true);
    view.setUint16(8, submission.head, true);
    view.setUint16(10, submission.id, true);
    view.setUint16(12, command, true);
    view.setUint16(14, (status << 1) | (s.phase ? 1 : 0), true);
    if (!ram.write(s.base + s.tail * COMPLETION_SIZE, bytes)) return false;
    s.tail++;
    if (s.tail === s.size) {
      s.tail = 0;
      s.phase = !s.phase;
    }
    return true;
  }
}
