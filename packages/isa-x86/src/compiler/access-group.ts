// SPDX-License-Identifier: Apache-2.0
import type { Value, Variable } from "@isola/engine";
import type { CodeBuilder } from "@isola/wasm";

/** What a register held at some point of a block; other values are known by their distance from it. */
export interface AddressRoot {
  /** The register that it was first seen in. */
  readonly register: number;
}

/** A value that is `root + offset`, modulo the width of registers. */
export interface Origin {
  readonly root: AddressRoot;
  readonly offset: number;
}

/** Bytes that one probe of the soft TLB may answer for. The more there are, the more often they lie in two pages. */
const MAX_SPAN = 256;

/**
 * Accesses of one block around one root that share a probe of the soft TLB. The first one probes for all bytes between
 * the lowest and the highest that any of them touches, and keeps the host address of the lowest one, or 0 if the bytes
 * are not all in one page that the TLB knows. Which bytes these are is only known when the block has been emitted, so
 * the code of the probe has places for them that are filled in later.
 */
export class AccessGroup {
  private low: number;
  private high: number;
  private writes = false;
  /** Places of distances from the lowest byte, as unsigned numbers. */
  private readonly distances: { readonly place: number; readonly offset: number }[] = [];
  private readonly lowPlaces: number[] = [];
  private readonly highPlaces: number[] = [];
  private readonly tagPlaces: number[] = [];
  /** Blocks that are being emitted, or will be, whose accesses may join. */
  holders = 0;

  constructor(
    readonly root: AddressRoot,
    /** Offset of the access that probes. */
    private readonly first: number,
    bytes: number,
    /** Host address of the lowest byte, or 0. */
    readonly host: Variable,
  ) {
    this.low = first;
    this.high = first + bytes - 1;
  }

  /**
   * Takes in an access, unless the group would become too wide.
   * @param certain the access follows whenever the group has probed; if not, it must not demand the right to write
   */
  join(offset: number, bytes: number, write: boolean, certain: boolean): boolean {
    if (write && !this.writes && !certain) return false;
    const low = Math.min(this.low, offset);
    const high = Math.max(this.high, offset + bytes - 1);
    if (high - low >= MAX_SPAN) return false;
    this.low = low;
    this.high = high;
    this.writes ||= write;
    return true;
  }

  /** Whether an access changes nothing about the probe. */
  covers(offset: number, bytes: number, write: boolean): boolean {
    return offset >= this.low && offset + bytes - 1 <= this.high && (this.writes || !write);
  }

  // -- places ---------------------------------------------------------------------------------------------------------

  /** Immediate of a memory instruction on `host`: how far the access is from the lowest byte. */
  distance(place: number, offset: number): void {
    this.distances.push({ place, offset });
  }

  /** A constant: the lowest byte's distance from the first access. */
  lowest(place: number): void {
    this.lowPlaces.push(place);
  }

  /** The same for the highest byte. */
  highest(place: number): void {
    this.highPlaces.push(place);
  }

  /** Offset of the tag in a TLB entry. */
  tag(place: number): void {
    this.tagPlaces.push(place);
  }

  /** Fills the places in. */
  finish(code: CodeBuilder, readTag: number, writeTag: number): void {
    for (const { place, offset } of this.distances) code.fillUnsigned(place, offset - this.low);
    for (const place of this.lowPlaces) code.fillSigned(place, this.low - this.first);
    for (const place of this.highPlaces) code.fillSigned(place, this.high - this.first);
    for (const place of this.tagPlaces) code.fillUnsigned(place, this.writes ? writeTag : readTag);
  }
}

/** What is known of registers and groups at the end of a block. */
export interface AddressState {
  readonly registers: readonly (Origin | undefined)[];
  readonly groups: ReadonlyMap<AddressRoot, AccessGroup>;
}

/** Which values of a block are known by their distance from a root, and which accesses around a root share a probe. */
export class AddressTracker {
  /** What registers hold, where that is known. */
  private registers: (Origin | undefined)[] = [];
  /** Values of the instruction. */
  private readonly values = new Map<Value, Origin>();
  private groups = new Map<AddressRoot, AccessGroup>();
  /** Groups of the block before, where that is the only way to this one. */
  private inherited: ReadonlySet<AccessGroup> = new Set();
  /** Groups that this block holds, including those that can no longer be joined. */
  private held = new Set<AccessGroup>();

  /** A block begins after `before`, or after any other block. */
  begin(before: AddressState | undefined): void {
    this.reset();
    if (before === undefined) return;
    this.registers = [...before.registers];
    this.groups = new Map(before.groups);
    this.held = new Set(before.groups.values());
    this.inherited = new Set(this.held);
  }

  /** What is known, for a block that only this one leads to. */
  hand(): AddressState {
    for (const group of this.groups.values()) group.holders++;
    return { registers: [...this.registers], groups: new Map(this.groups) };
  }

  /** The block ends. Returns the groups that no block can join any more. */
  end(): readonly AccessGroup[] {
    const complete = [...this.held].filter((group) => --group.holders === 0);
    this.held.clear();
    this.inherited = new Set();
    return complete;
  }

  /** A helper has changed registers and perhaps the soft TLB. */
  reset(): void {
    this.registers = [];
    this.values.clear();
    this.groups = new Map();
  }

  endInstruction(): void {
    this.values.clear();
  }

  /** `value` has been read from a register. */
  read(register: number, value: Value): void {
    let origin = this.registers[register];
    if (origin === undefined) {
      origin = { root: { register }, offset: 0 };
      this.registers[register] = origin;
    }
    this.values.set(value, origin);
  }

  /** `value` has been written to a register; null if it is not known how it came about. */
  write(register: number, value: Value | null): void {
    this.registers[register] = value === null ? undefined : this.values.get(value);
  }

  /** `to` is `from + by`. */
  derive(to: Value, from: Value, by: number): void {
    const origin = this.values.get(from);
    if (origin !== undefined) this.values.set(to, { root: origin.root, offset: origin.offset + by });
  }

  originOf(value: Value): Origin | undefined {
    return this.values.get(value);
  }

  /** What registers hold, to be compared after code that runs under a condition. */
  snapshot(): readonly (Origin | undefined)[] {
    return [...this.registers];
  }

  /** Forgets what has changed since `before`. */
  forgetChanges(before: readonly (Origin | undefined)[]): void {
    for (let i = 0; i < this.registers.length; i++) if (this.registers[i] !== before[i]) this.registers[i] = undefined;
  }

  groupOf(root: AddressRoot): AccessGroup | undefined {
    return this.groups.get(root);
  }

  /** Whether accesses of this block follow whenever the group has probed. */
  isCertain(group: AccessGroup): boolean {
    return !this.inherited.has(group);
  }

  /** The group from now on for accesses around its root. */
  open(group: AccessGroup): void {
    group.holders++;
    this.groups.set(group.root, group);
    this.held.add(group);
  }
}
