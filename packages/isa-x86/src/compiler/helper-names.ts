// SPDX-License-Identifier: Apache-2.0
import type { Signature } from "@isola/wasm";

/** A helper as a module imports it. */
export interface HelperImport {
  readonly name: string;
  readonly signature: Signature;
}

/** Numbers the helpers that regions call, in the order in which they are met first. */
export class HelperNames {
  private readonly list: HelperImport[] = [];
  private readonly numbers = new Map<string, number>();

  numberOf(name: string, signature: Signature): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.list.length);
    return this.list.push({ name, signature }) - 1;
  }

  at(number: number): HelperImport {
    const found = this.list[number];
    if (found === undefined) throw new Error(`helper ${number} has no name`);
    return found;
  }

  get all(): readonly HelperImport[] {
    return this.list;
  }
}
