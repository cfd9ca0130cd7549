// SPDX-License-Identifier: Apache-2.0
import type { AccessSize, IoHandler, MsiSink } from "@isola/memory";
import { partOf } from "../access-width.js";
import type { PciFunction } from "./function.js";
import { CapabilityId, MSIX_ENTRY_DWORDS, MSIX_VECTOR_MASKED, MsixControl } from "./registers.js";

export interface MsixState {
  /** Table entries, four dwords each. */
  table: number[];
  /** Numbers of the vectors that wait to be unmasked. */
  pending: number[];
}

/** Where the pending bits start in the region; the table is in front of it. */
const PBA_OFFSET = 0x800;
/** Bytes of the region that holds the table and the pending bits. */
export const MSIX_REGION_SIZE = 0x1000;
/** How many vectors fit in front of the pending bits. */
export const MSIX_MAX_VECTORS = PBA_OFFSET / (MSIX_ENTRY_DWORDS * 4);

/** The MSI-X capability of a function, with table and pending bits in a region of one of its BARs (6.8.2). */
export class Msix {
  /** The region: a BAR of `MSIX_REGION_SIZE` bytes. */
  readonly handler: IoHandler = {
    read: (offset, size) => this.readRegion(offset, size),
    write: (offset, size, value) => this.writeRegion(offset, size, value),
  };
  private readonly table: Uint32Array;
  private readonly pending: boolean[];
  private readonly capability: number;

  /**
   * @param vectors number of vectors, at most `MSIX_MAX_VECTORS`
   * @param bar index of the BAR that holds `handler`
   */
  constructor(
    private readonly fn: PciFunction,
    private readonly vectors: number,
    bar: number,
    private readonly sink: MsiSink,
  ) {
    this.table = new Uint32Array(vectors * MSIX_ENTRY_DWORDS);
    this.pending = Array.from({ length: vectors }, () => false);
    this.capability = fn.addCapability(CapabilityId.MsiX, 12);
    const c = fn.config;
    c.set16(this.capability + 2, vectors - 1, MsixControl.Enable | MsixControl.FunctionMask);
    c.set32(this.capability + 4, bar);
    c.set32(this.capability + 8, PBA_OFFSET | bar);
    c.hook({ start: this.capability + 2, length: 2, afterWrite: () => this.flush() });
    this.reset();
  }

  get enabled(): boolean {
    return (this.control & MsixControl.Enable) !== 0;
  }

  /** Whether `vector` exists. */
  has(vector: number): boolean {
    return vector < this.vectors;
  }

  /** Sends a vector's message, or notes it as pending while it is masked. */
  notify(vector: number): void {
    if (!this.has(vector) || !this.enabled) return;
    if (this.masked(vector)) this.pending[vector] = true;
    else this.send(vector);
  }

  reset(): void {
    this.table.fill(0);
    for (let i = 0; i < this.vectors; i++) this.table[i * MSIX_ENTRY_DWORDS + 3] = MSIX_VECTOR_MASKED;
    this.pending.fill(false);
  }

  save(): MsixState {
    return { table: [...this.table], pending: this.pending.flatMap((set, vector) => (set ? [vector] : [])) };
  }

  restore(state: MsixState): void {
    for (let i = 0; i < this.table.length; i++) this.table[i] = state.table[i] ?? 0;
    this.pending.fill(false);
    for (const vector of state.pending) if (this.has(vector)) this.pending[vector] = true;
  }

  private get control(): number {
    return this.fn.config.get16(this.capability + 2);
  }

  private masked(vector: number): boolean {
    if ((this.control & MsixControl.FunctionMask) !== 0) return true;
    return (this.table[vector * MSIX_ENTRY_DWORDS + 3] & MSIX_VECTOR_MASKED) !== 0;
  }

  private send(vector: number): void {
    // A message is a write to memory, which needs bus mastering (6.2.2).
    if (!this.fn.busMaster) return;
    const at = vector * MSIX_ENTRY_DWORDS;
    const address = this.table[at + 1] * 2 ** 32 + this.table[at];
    this.sink.signal(address, this.table[at + 2]);
  }

  /** Sends what waited and is no longer masked. */
  private flush(): void {
    if (!this.enabled) return;
    for (let vector = 0; vector < this.vectors; vector++) {
      if (!this.pending[vector] || this.masked(vector)) continue;
      this.pending[vector] = false;
      this.send(vector);
    }
  }

  private readRegion(offset: number, size: AccessSize): number {
    return partOf(this.dword(offset & ~3), offset, size);
  }

  private dword(offset: number): number {
    if (offset < PBA_OFFSET) return this.table[offset >> 2] ?? 0;
    const first = (offset - PBA_OFFSET) * 8;
    let bits = 0;
    for (let i = 0; i < 32 && first + i < this.vectors; i++) if (this.pending[first + i]) bits |= 1 << i;
    return bits >>> 0;
  }

  private writeRegion(offset: number, size: AccessSize, value: number): void {
    // Only whole dwords may be written (6.8.2); the pending bits are read-only.
    const index = offset >> 2;
    if (size !== 4 || (offset & 3) !== 0 || index >= this.table.length) return;
    const isControl = index % MSIX_ENTRY_DWORDS === 3;
    this.table[index] = isControl ? value & MSIX_VECTOR_MASKED : value;
    if (isControl) this.flush();
  }
}
