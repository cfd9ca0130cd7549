// SPDX-License-Identifier: Apache-2.0
import { OperatorError } from "@isola/base";
import type { ResizableStore } from "@isola/ports";
import { browserError } from "../host-error.js";
import type { AccessHandle } from "./access-handle.js";

/** The bytes of a file in the browser's storage. All operations finish at once; a flush is one of the file's. */
export class AccessStore implements ResizableStore {
  readonly readOnly = false;
  private length: number;
  private closed = false;

  /**
   * @param name what messages call the file
   * @param onClose called once, when the file is closed
   */
  constructor(
    private readonly name: string,
    private readonly handle: AccessHandle,
    private readonly onClose: () => void | Promise<void> = () => {},
  ) {
    this.length = handle.getSize();
  }

  get size(): number {
    return this.length;
  }

  read(offset: number, buffer: Uint8Array): void {
    this.attempt("read", () => {
      for (let done = 0; done < buffer.length;) {
        const count = this.handle.read(buffer.subarray(done), { at: offset + done });
        if (count === 0) return void buffer.fill(0, done);
        done += count;
      }
    });
  }

  write(offset: number, buffer: Uint8Array): void {
    this.attempt("write", () => {
      for (let done = 0; done < buffer.length;) {
        const count = this.handle.write(buffer.subarray(done), { at: offset + done });
        if (count === 0)
          throw new OperatorError("browser-error", `cannot write ${this.name}: the browser takes no more`);
        done += count;
      }
    });
  }

  resize(size: number): void {
    this.attempt("resize", () => this.handle.truncate(size));
    this.length = size;
  }

  flush(): void {
    this.attempt("flush", () => this.handle.flush());
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.handle.close();
    await this.onClose();
  }

  private attempt(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      throw browserError(`${what} ${this.name}`, error);
    }
  }
}
