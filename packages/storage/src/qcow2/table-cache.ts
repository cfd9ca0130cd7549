// SPDX-License-Identifier: Apache-2.0
import type { ResizableStore } from "@isola/ports";
import { readClipped } from "../clipped-read.js";
import { perform, type Steps } from "../steps.js";
import { Table } from "./table.js";

/**
 * Tables of one cluster each, by their place in the file, least recently used first. Dirty ones stay until they have
 * been written; whoever makes tables dirty keeps their number below `capacity`, which `crowded` helps with.
 */
export class TableCache {
  private readonly tables = new Map<number, Table>();
  private readonly dirtyTables = new Set<Table>();
  private last: Table | null = null;

  constructor(
    private readonly file: ResizableStore,
    private readonly clusterSize: number,
    private readonly capacity: number,
  ) {}

  /** The table at byte `offset`, from memory or from the file. */
  *get(offset: number): Steps<Table> {
    if (this.last !== null && this.last.offset === offset && this.last.loading === null) return this.last;
    let table = this.tables.get(offset);
    if (table === undefined) {
      this.makeRoom();
      table = new Table(offset, new Uint8Array(this.clusterSize), this.dirtyTables);
      this.tables.set(offset, table);
      yield* this.load(table);
    } else if (table.loading !== null) {
      yield table.loading;
    } else {
      this.tables.delete(offset);
      this.tables.set(offset, table);
    }
    this.last = table;
    return table;
  }

  /** A new table of zeros (or of `bytes`) for a cluster that nothing durable refers to. */
  add(offset: number, bytes = new Uint8Array(this.clusterSize)): Table {
    this.makeRoom();
    const table = new Table(offset, bytes, this.dirtyTables);
    table.fresh = true;
    table.touchAll();
    this.tables.set(offset, table);
    return table;
  }

  /** Forgets the table of a cluster that now is something else. */
  drop(offset: number): void {
    this.tables.delete(offset);
    if (this.last?.offset === offset) this.last = null;
  }

  has(offset: number): boolean {
    return this.tables.has(offset);
  }

  all(): Iterable<Table> {
    return this.tables.values();
  }

  /** Whether any table is dirty. */
  get hasDirty(): boolean {
    return this.dirtyTables.size > 0;
  }

  dirty(): Table[] {
    return [...this.dirtyTables];
  }

  /** Whether so many tables are dirty that they should be written before more become so. */
  crowded(): boolean {
    return this.dirtyTables.size * 2 >= this.capacity;
  }

  private *load(table: Table): Steps<void> {
    try {
      const reading = perform(readClipped(this.file, table.offset, table.bytes));
      if (!(reading instanceof Promise)) return;
      table.loading = reading;
      yield reading;
      table.loading = null;
    } catch (error) {
      this.drop(table.offset);
      throw error;
    }
  }

  private makeRoom(): void {
    if (this.tables.size < this.capacity) return;
    for (const [offset, table] of this.tables) {
      if (table.dirty || table.loading !== null) continue;
      this.drop(offset);
      if (this.tables.size < this.capacity) return;
    }
  }
}
