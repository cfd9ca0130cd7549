// SPDX-License-Identifier: Apache-2.0
import type { ByteSink } from "@isola/ports";

/** Output on its way to the page; beyond this the machine waits. */
const MAX_UNSHOWN = 1 << 20;

/** What a machine's serial ports transmit, sent in pieces rather than bytes, and no faster than it can be shown. */
export class SerialOutput {
  private readonly pending = new Map<number, Uint8Array[]>();
  private scheduled = false;
  private unshown = 0;
  private release: (() => void) | null = null;
  private wait: Promise<void> | null = null;

  /**
   * @param send takes bytes of a port
   * @param soon calls a task after the code that runs now
   */
  constructor(
    private readonly send: (port: number, bytes: Uint8Array<ArrayBuffer>) => void,
    private readonly soon: (task: () => void) => void,
  ) {}

  /** Where a port transmits to. */
  sink(port: number): ByteSink {
    return {
      write: (bytes) => {
        const pieces = this.pending.get(port) ?? [];
        pieces.push(bytes.slice());
        this.pending.set(port, pieces);
        if (this.scheduled) return;
        this.scheduled = true;
        this.soon(() => this.flush());
      },
    };
  }

  flush(): void {
    this.scheduled = false;
    for (const [port, pieces] of this.pending) {
      const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces) {
        bytes.set(piece, at);
        at += piece.length;
      }
      this.unshown += bytes.length;
      this.send(port, bytes);
    }
    this.pending.clear();
  }

  shown(bytes: number): void {
    this.unshown = Math.max(0, this.unshown - bytes);
    if (this.unshown >= MAX_UNSHOWN) return;
    this.release?.();
    this.release = null;
    this.wait = null;
  }

  /** A promise while the page has more to show than it should; null when there is room. */
  congestion(): Promise<void> | null {
    if (this.unshown < MAX_UNSHOWN) return null;
    this.wait ??= new Promise((resolve) => (this.release = resolve));
    return this.wait;
  }
}
