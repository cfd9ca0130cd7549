// SPDX-License-Identifier: Apache-2.0
import type { MemoryItem } from "./vector-file.js";
import type { Environment, MemoryWindow, VectorTarget } from "./vector-target.js";

const CODE_BLOCK = 16;
const CODE_FILL = 0xcc;

/** Keeps the target's memory windows and a model of what they should hold in step. */
export class WindowCheck {
  private readonly windows: readonly MemoryWindow[];
  private readonly models: Uint8Array[];
  private readonly codeBlock = new Uint8Array(CODE_BLOCK);

  constructor(
    private readonly target: VectorTarget,
    private readonly environment: Environment,
  ) {
    this.windows = environment.windows;
    this.models = environment.windows.map((window) => window.initial.slice());
  }

  private indexOf(address: number): number {
    const { windows } = this;
    for (let i = 0; i < windows.length; i++) {
      if (address >= windows[i].base && address < windows[i].base + windows[i].size) return i;
    }
    throw new Error(`memory item outside every window: ${address.toString(16)}`);
  }

  private model(items: readonly MemoryItem[]): void {
    for (const item of items) {
      const i = this.indexOf(item.address);
      this.models[i].set(item.bytes, item.address - this.windows[i].base);
    }
  }

  /** Puts code and patches of a vector in place. */
  apply(code: Uint8Array, patches: readonly MemoryItem[]): void {
    this.codeBlock.fill(CODE_FILL);
    this.codeBlock.set(code, CODE_BLOCK - code.length);
    const block = { address: this.environment.codeEnd - CODE_BLOCK, bytes: this.codeBlock };
    this.target.write(block.address, block.bytes);
    for (const item of patches) this.target.write(item.address, item.bytes);
    this.model([block, ...patches]);
  }

  /** One line per window that does not hold the patches plus `changes`. */
  check(changes: readonly MemoryItem[]): string[] {
    this.model(changes);
    const lines: string[] = [];
    for (let i = 0; i < this.windows.length; i++) {
      const actual = this.target.window(i);
      if (Buffer.compare(actual, this.models[i]) === 0) continue;
      let at = 0;
      while (actual[at] === this.models[i][at]) at++;
      const show = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(at, at + 16)).toString("hex");
      const place = (this.windows[i].base + at).toString(16);
      lines.push(`memory at ${place}: expected ${show(this.models[i])}, got ${show(actual)}`);
    }
    return lines;
  }

  /** Puts initial contents back where a vector touched them. */
  restore(items: readonly MemoryItem[]): void {
    for (const item of items) {
      const i = this.indexOf(item.address);
      const from = item.address - this.windows[i].base;
      const initial = this.windows[i].initial.subarray(from, from + item.bytes.length);
      this.models[i].set(initial, from);
      this.target.write(item.address, initial);
    }
  }

  /** Puts initial contents back everywhere, after something unexpected happened to memory. */
  restoreAll(): void {
    for (let i = 0; i < this.windows.length; i++) {
      this.models[i].set(this.windows[i].initial);
      this.target.write(this.windows[i].base, this.windows[i].initial);
    }
  }
}
