// SPDX-License-Identifier: Apache-2.0
import type { AccessSize } from "@isola/memory";
import { CONFIG_SIZE } from "./registers.js";

/** Something that takes part in accesses to a few bytes of configuration space. */
export interface ConfigHook {
  readonly start: number;
  readonly length: number;
  /** Called before bytes of the range are read. */
  beforeRead?(): void;
  /** Called after bytes of the range were written. */
  afterWrite?(): void;
}

/** 256 bytes of configuration space, of which a guest may change or clear some bits. */
export class ConfigSpace {
  private readonly data = new Uint8Array(CONFIG_SIZE);
  private readonly view = new DataView(this.data.buffer);
  private readonly writable = new Uint8Array(CONFIG_SIZE);
  private readonly clearable = new Uint8Array(CONFIG_SIZE);
  private readonly hooks: ConfigHook[] = [];

  /** Registers a hook; hooks run in the order of registration. */
  hook(hook: ConfigHook): void {
    this.hooks.push(hook);
  }

  /** A guest's read; bytes past the end read as ones. */
  read(offset: number, size: AccessSize): number {
    for (const hook of this.hooks) {
      if (hook.beforeRead !== undefined && overlaps(hook, offset, size)) hook.beforeRead();
    }
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = (value << 8) | (this.data[offset + i] ?? 0xff);
    return value >>> 0;
  }

  /** A guest's write: only writable bits change. */
  write(offset: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size && offset + i < CONFIG_SIZE; i++) {
      const at = offset + i;
      const byte = (value >>> (8 * i)) & 0xff;
      const kept = this.data[at] & ~this.writable[at] & ~(byte & this.clearable[at]);
      this.data[at] = kept | (byte & this.writable[at]);
    }
    for (const hook of this.hooks) {
      if (hook.afterWrite !== undefined && overlaps(hook, offset, size)) hook.afterWrite();
    }
  }

  get8(offset: number): number {
    return this.data[offset];
  }

  get16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  get32(offset: number): number {
    return this.view.getUint32(offset, true);
  }

  /** Sets a byte and which of its bits a guest may write. */
  set8(offset: number, value: number, writable = 0): void {
    this.data[offset] = value;
    this.writable[offset] = writable;
  }

  set16(offset: number, value: number, writable = 0): void {
    this.set8(offset, value & 0xff, writable & 0xff);
    this.set8(offset + 1, (value >> 8) & 0xff, (writable >> 8) & 0xff);
  }

  set32(offset: number, value: number, writable = 0): void {
    this.set16(offset, value & 0xffff, writable & 0xffff);
    this.set16(offset + 2, value >>> 16, writable >>> 16);
  }

  /** Declares bits of a 16-bit register that are cleared by writing one. */
  setClearable16(offset: number, bits: number): void {
    this.clearable[offset] = bits & 0xff;
    this.clearable[offset + 1] = bits >> 8;
  }

  /** Changes a 16-bit value and leaves its write mask alone. */
  put16(offset: number, value: number): void {
    this.view.setUint16(offset, value, true);
  }

  put32(offset: number, value: number): void {
    this.view.setUint32(offset, value, true);
  }

  /** All bytes as 64 dwords. */
  save(): number[] {
    return Array.from({ length: CONFIG_SIZE / 4 }, (_, i) => this.get32(i * 4));
  }

  restore(dwords: readonly number[]): void {
    for (let i = 0; i < CONFIG_SIZE / 4; i++) this.put32(i * 4, dwords[i] ?? 0);
  }
}

function overlaps(hook: ConfigHook, offset: number, size: number): boolean {
  return offset < hook.start + hook.length && hook.start < offset + size;
}
