// SPDX-License-Identifier: Apache-2.0
import type { IrqLine } from "@isola/memory";
import type { ByteSink } from "@isola/ports";

/** An interrupt wire that remembers its level and counts rising edges. */
export class RecordingLine implements IrqLine {
  level = false;
  edges = 0;

  set(asserted: boolean): void {
    if (asserted && !this.level) this.edges++;
    this.level = asserted;
  }
}

/** Collects what a device sends. */
export class RecordingSink implements ByteSink {
  readonly bytes: number[] = [];

  write(bytes: Uint8Array): void {
    this.bytes.push(...bytes);
  }

  /** Everything sent so far as Latin-1 text. */
  text(): string {
    return String.fromCharCode(...this.bytes);
  }
}
