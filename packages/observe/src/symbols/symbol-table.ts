// SPDX-License-Identifier: Apache-2.0

/** A name for an address. */
export interface GuestSymbol {
  readonly address: bigint;
  readonly name: string;
  /** Bytes; 0n if unknown: the symbol then reaches to the next one. */
  readonly size: bigint;
  /** Whether it is a function, as opposed to data or a mere mark. */
  readonly code: boolean;
}

/** The last symbol of a table is taken to be no longer than this. */
const MAX_LAST_SIZE = 1n << 16n;

/** Symbols of one program, in order of their addresses. */
export class SymbolTable {
  private readonly symbols: readonly GuestSymbol[];
  private readonly addresses: BigUint64Array;
  private readonly byName: ReadonlyMap<string, bigint>;

  constructor(symbols: readonly GuestSymbol[]) {
    this.symbols = symbols.toSorted((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
    this.addresses = BigUint64Array.from(this.symbols, ({ address }) => address);
    this.byName = new Map(this.symbols.map(({ name, address }) => [name, address]));
  }

  get size(): number {
    return this.symbols.length;
  }

  /** Address of the symbol called `name`. */
  addressOf(name: string): bigint | undefined {
    return this.byName.get(name);
  }

  /** Name of the function that holds `address`, or null. */
  nameOf(address: bigint): string | null {
    const at = this.indexBelow(address);
    // Several symbols may share an address; marks and data that begin inside a function do not end it.
    for (let i = at; i >= 0; i--) {
      const symbol = this.symbols[i];
      if (symbol === undefined) return null;
      if (!symbol.code) {
        if (symbol.address < address && symbol.size === 0n) continue;
        if (symbol.address + symbol.size > address) return null;
        continue;
      }
      return address < this.endOf(i) ? symbol.name : null;
    }
    return null;
  }

  /** The same table for a program that lies `offset` higher. */
  moved(offset: bigint): SymbolTable {
    return new SymbolTable(
      this.symbols.map((symbol) => ({ ...symbol, address: BigInt.asUintN(64, symbol.address + offset) })),
    );
  }

  /** First address that no longer belongs to function `index`. */
  private endOf(index: number): bigint {
    const { address, size } = this.symbols[index] ?? { address: 0n, size: 0n };
    if (size > 0n) return address + size;
    for (let i = index + 1; i < this.symbols.length; i++) {
      const next = this.symbols[i];
      if (next !== undefined && next.code && next.address > address) return next.address;
    }
    return address + MAX_LAST_SIZE;
  }

  /** Index of the last symbol that is not above `address`, or -1. */
  private indexBelow(address: bigint): number {
    let low = 0;
    let high = this.addresses.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.addresses[middle] ?? 0n) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
