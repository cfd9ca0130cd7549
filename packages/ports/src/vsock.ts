// SPDX-License-Identifier: Apache-2.0

/** Why a stream between host and guest ended early. */
export type VsockFailure =
  /** Nobody in the guest listens at that port. */
  | "refused"
  /** One side gave it up, or the guest was reset. */
  | "reset";

/** What happens on a stream between host and guest. After `closed` nothing more is called. */
export interface VsockEvents {
  /** The guest has accepted; not called for streams that the guest opened. */
  connected(): void;
  /** Bytes in order, which the callee may keep. It says with `taken` when it has dealt with them. */
  data(bytes: Uint8Array): void;
  /** The guest sends no more. */
  ended(): void;
  /** There is room again, after a `write` that took less than it was offered. */
  writable(): void;
  /** It is over; null if both sides ended it. */
  closed(failure: VsockFailure | null): void;
}

/** The host's end of a stream. Methods may be called at any time and do nothing after its end. */
export interface VsockStream {
  /** Takes as many bytes as there is room for; returns how many. The caller may reuse the array. */
  write(bytes: Uint8Array): number;
  /** Sends no more after what was written. */
  end(): void;
  /** So many more bytes of `data` have been dealt with: the guest may send as many. */
  taken(count: number): void;
  /** Gives the stream up; no event follows. */
  abort(): void;
}

/** Opens streams to programs in the guest. */
export interface VsockDialer {
  /**
   * Connects to a port of the guest. Events come later, never during the call.
   * @returns null if no driver runs in the guest, or there are too many streams
   */
  dial(port: number, events: VsockEvents): VsockStream | null;
}

/** Answers programs of the guest that connect to the host. Never throws. */
export interface VsockListener {
  /** A program connects to `port` of the host; null refuses it. */
  accept(port: number, stream: VsockStream): VsockEvents | null;
}
