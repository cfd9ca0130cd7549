// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { browserError } from "../host-error.js";

/** A file that somebody chose on the page, for reading only: parts are read from the disk of the computer when needed. */
export class BlobStore implements ResizableStore {
  readonly readOnly = true;

  constructor(
    private readonly name: string,
    private readonly blob: Blob,
  ) {}

  get size(): number {
    return this.blob.size;
  }

  async read(offset: number, buffer: Uint8Array): Promise<void> {
    try {
      buffer.set(new Uint8Array(await this.blob.slice(offset, offset + buffer.length).arrayBuffer()));
    } catch (error) {
      throw browserError(`read ${this.name}`, error);
    }
  }

  write(): never {
    throw new OperatorError("read-only", `${this.name} was opened for reading only`);
  }

  resize(): never {
    return this.write();
  }

  flush(): void {}

  close(): void {}
}
