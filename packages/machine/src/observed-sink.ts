// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from "@isola/ports";

/** A byte sink that counts what goes through it. */
export class ObservedSink implements ByteSink {
  private total = 0;

  constructor(private readonly sink: ByteSink) {}

  write(bytes: Uint8Array): void {
    this.total += bytes.length;
    this.sink.write(bytes);
  }

  /** Bytes since it was made. */
  get bytes(): number {
    return this.total;
  }
}
