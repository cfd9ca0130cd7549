// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockStore } from "@isola/ports";
import { readFully, writeFully } from "./file-io.js";
import { fileError } from "./host-error.js";

const CLUSTER = 0x1_0000;

/** A file without a name: it vanishes with the process, however that ends. */
function scratchFile(): number {
  const folder = mkdtempSync(join(tmpdir(), "isola-"));
  const file = openSync(join(folder, "scratch"), "w+", 0o600);
  rmSync(folder, { recursive: true });
  return file;
}

/**
 * A writable disk over one that must not change. What is written goes to an unnamed scratch file in the system's
 * temporary folder, in clusters of 64 KiB that are copied at the first write; it is gone when the store is closed.
 */
export class OverlayStore implements BlockStore {
  readonly size: number;
  readonly readOnly = false;
  private readonly file: number;
  /** One byte a cluster: 1 = it lives in the scratch file. */
  private readonly own: Uint8Array;
  private readonly cluster = new Uint8Array(CLUSTER);
  private closed = false;

  /** @param base must answer reads at once, not by a promise */
  constructor(private readonly base: BlockStore) {
    this.size = base.size;
    this.own = new Uint8Array(Math.ceil(base.size / CLUSTER));
    try {
      this.file = scratchFile();
    } catch (error) {
      throw fileError("make a scratch file in", tmpdir(), error);
    }
  }

  read(offset: number, buffer: Uint8Array): void {
    this.pieces(offset, buffer, (index, at, piece) => {
      if (this.own[index] === 0) void this.base.read(at, piece);
      else readFully(this.file, at, piece);
    });
  }

  write(offset: number, buffer: Uint8Array): void {
    this.pieces(offset, buffer, (index, at, piece) => {
      if (this.own[index] === 0 && piece.length < CLUSTER) {
        const start = index * CLUSTER;
        const whole = this.cluster.subarray(0, Math.min(CLUSTER, this.size - start));
        void this.base.read(start, whole);
        this.writeScratch(start, whole);
      }
      this.writeScratch(at, piece);
      this.own[index] = 1;
    });
  }

  /** Nothing of this survives the process, so there is nothing to make durable. */
  flush(): void {}

  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.file);
    void this.base.close();
  }

  private pieces(
    offset: number,
    buffer: Uint8Array,
    each: (index: number, at: number, piece: Uint8Array) => void,
  ): void {
    let done = 0;
    while (done < buffer.length) {
      const at = offset + done;
      const index = Math.floor(at / CLUSTER);
      const length = Math.min(buffer.length - done, (index + 1) * CLUSTER - at);
      each(index, at, buffer.subarray(done, done + length));
      done += length;
    }
  }

  private writeScratch(at: number, piece: Uint8Array): void {
    try {
      writeFully(this.file, at, piece);
    } catch (error) {
      throw fileError("write temporary changes to", tmpdir(), error);
    }
  }
}
