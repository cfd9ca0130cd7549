// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { BlockStore } from "@isola/ports";
import { perform, type Steps } from "../steps.js";
import { probe, PROBE_LENGTH } from "./probe.js";

/**
 * A raw disk whose format was guessed. Its guest may not write a first sector that looks like another format's: the
 * next start would take the disk for that, and a header of the guest's making could name any file of the host as its
 * backing file. Such writes fail; who says that the disk is raw gets one without this guard.
 */
export class GuardedRaw implements BlockStore {
  readonly readOnly = false;
  readonly discard?: (offset: number, length: number) => void | Promise<void>;

  constructor(
    private readonly store: BlockStore,
    private readonly name: string,
  ) {
    if (store.discard !== undefined) this.discard = (offset, length) => this.store.discard?.(offset, length);
  }

  get size(): number {
    return this.store.size;
  }

  read(offset: number, buffer: Uint8Array): void | Promise<void> {
    return this.store.read(offset, buffer);
  }

  write(offset: number, buffer: Uint8Array): void | Promise<void> {
    if (offset >= PROBE_LENGTH) return this.store.write(offset, buffer);
    return perform(this.writeHead(offset, buffer));
  }

  flush(): void | Promise<void> {
    return this.store.flush();
  }

  close(): void | Promise<void> {
    return this.store.close();
  }

  private *writeHead(offset: number, buffer: Uint8Array): Steps<void> {
    const head = new Uint8Array(Math.min(PROBE_LENGTH, this.store.size));
    yield this.store.read(0, head);
    head.set(buffer.subarray(0, PROBE_LENGTH - offset), offset);
    const { label, format } = probe(head);
    if (format !== "raw")
      throw new OperatorError(
        "disk-format",
        `the guest tried to make ${this.name} look like a ${label} image; if it may, say format=raw for this disk`,
      );
    yield this.store.write(offset, buffer);
  }
}
