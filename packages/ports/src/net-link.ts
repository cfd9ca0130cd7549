// SPDX-License-Identifier: Apache-2.0

/**
 * An Ethernet frame on its way, without preamble and FCS, and the work that its sender left to whoever takes it. The
 * object and its bytes are good only until the call that carries them returns.
 */
export interface NetFrame {
  readonly bytes: Uint8Array;
  /**
   * First byte of the range, up to the end of the frame, whose Internet checksum is still to be put at
   * `checksumStart + checksumOffset`, where the sum over the pseudo-header stands. -1 if every checksum is complete.
   */
  readonly checksumStart: number;
  readonly checksumOffset: number;
  /** Most bytes of TCP payload in one packet if the frame stands for several packets, else 0. */
  readonly segmentSize: number;
}

/** Work on frames that an end of a cable accepts from its sender. */
export interface NetOffload {
  /** Frames whose checksum is not complete. */
  readonly checksum: boolean;
  /** Frames that stand for several TCP segments, over IPv4 and over IPv6. */
  readonly tcp4: boolean;
  readonly tcp6: boolean;
}

/** One end of a network cable, as the other end sees it. Never throws, whatever a frame holds. */
export interface NetPort {
  /** What it accepts now; a sender keeps to it. May change while a driver sets up its card. */
  readonly offload: NetOffload;
  /** Takes a frame. False if there is no room: `ready` is then called on the sender when there may be some again. */
  receive(frame: NetFrame): boolean;
  /** The sender has no more frames for now; whoever gathers answers sends them. */
  flush(): void;
  /** The other end, which refused a frame, may have room again. */
  ready(): void;
}

/** The network's end of a cable into a machine. */
export interface NetLink extends NetPort {
  /** Plugs the cable into a machine, whose end is `machine`. */
  connect(machine: NetPort): void;
}
