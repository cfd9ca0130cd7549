// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { CPU_RECORDS } from "@isola/engine";
import { cpu as layout } from "./cpu-layout.js";

type Helper = (...args: (number | bigint)[]) => number | bigint;

/** The helper module on a memory of its own, for helpers that take vectors in scratch slots. */
export class VectorHelpers {
  private readonly exports: Record<string, Helper>;
  private readonly view: DataView;

  constructor() {
    const module = new WebAssembly.Module(readFileSync(new URL("../../../build/helpers.wasm", import.meta.url)));
    const memory = new WebAssembly.Memory({ initial: 0x800, maximum: 0x1_0000 });
    const host: Record<string, () => number> = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "host") host[name] = () => 0;
    this.exports = new WebAssembly.Instance(module, { env: { memory }, host }).exports as unknown as Record<
      string,
      Helper
    >;
    this.view = new DataView(memory.buffer);
  }

  /** Calls `name(cpu, ...args)` with these vectors in slots 0, 1, ...; the result of the call. */
  call(name: string, vectors: readonly Uint8Array[], ...args: (number | bigint)[]): number | bigint {
    for (const [slot, vector] of vectors.entries()) this.bytes(slot).set(vector);
    const helper = this.exports[name];
    if (helper === undefined) throw new Error(`there is no helper ${name}`);
    return helper(CPU_RECORDS, ...args);
  }

  /** The vector that {@link call} leaves in slot 0. */
  vector(name: string, vectors: readonly Uint8Array[], ...args: (number | bigint)[]): Uint8Array {
    this.call(name, vectors, ...args);
    return this.bytes(0).slice();
  }

  private bytes(slot: number): Uint8Array {
    return new Uint8Array(this.view.buffer, CPU_RECORDS + layout.at("scratch", slot), 16);
  }
}

/** Vectors that look random and are the same every time. */
export class VectorSource {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 1;
  }

  /** An integer from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    this.state = Math.imul(this.state, 0x41c6_4e6d) + 0x3039;
    return ((this.state >>> 8) % limit) >>> 0;
  }

  /** Sixteen bytes; `alphabet` limits how many values they have. */
  bytes(alphabet = 256): Uint8Array {
    return Uint8Array.from({ length: 16 }, () => this.below(alphabet));
  }
}

/** A vector of four 32-bit words, the first at the lowest address. */
export function vectorOf(words: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(words).buffer);
}

/** The words of a vector, unsigned. */
export function wordsOf(vector: Uint8Array): number[] {
  return [...new Uint32Array(vector.slice().buffer)];
}
