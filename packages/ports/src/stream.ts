// SPDX-License-Identifier: Apache-2.0

/** Takes bytes that leave the machine, for example what a UART transmits. Never blocks, never throws. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** Fills buffers with random bytes. */
export interface Entropy {
  fill(bytes: Uint8Array): void;
}

/** Takes one line about something an operator may want to know. */
export interface Log {
  warn(message: string): void;
  debug(message: string): void;
}
