// SPDX-License-Identifier: Apache-2.0
import type { DebugPoint, WatchAccess } from "@isola/ports";
import type { Helpers } from "../cpu/helpers.js";

/** As many as assembly/watch.ts has room for. */
const MAX_WATCHPOINTS = 16;
const MAX_BREAKPOINTS = 4096;
/** Longer ranges would make all of a guest slow. */
const MAX_WATCH_LENGTH = 1 << 20;
const ACCESSES: { readonly [K in WatchAccess]: number } = { write: 1, read: 2, access: 3 };
const PAGE_BITS = 12n;
const PAGE_SIZE = 4096;

type Breakpoint = { software: boolean; hardware: boolean };
type Watchpoint = Extract<DebugPoint, { kind: "watchpoint" }>;

/** Part of the engine that breakpoints work on. */
export interface BreakpointPorts {
  readonly helpers: Helpers;
  /** Addresses of the records of all vCPUs. */
  readonly cpus: readonly number[];
}

/**
 * Places at which vCPUs stop for a debugger on the host, which no guest can see.
 *
 * A breakpoint is a linear address, but decoded code is found by physical page. So the helpers tell whenever fetches from
 * a page with breakpoints begin to go to some frame of RAM; from then on, blocks of that frame are decoded with a record
 * that leaves to the run loop in front of every instruction at such an offset. The run loop compares linear addresses.
 * Pages with watchpoints are in no TLB, and instructions that access them are executed one by one.
 */
export class Breakpoints {
  private readonly byAddress = new Map<bigint, Breakpoint>();
  private readonly watchpoints: Watchpoint[] = [];
  /** Offsets of breakpoints by linear page. */
  private readonly offsets = new Map<bigint, Set<number>>();
  /** Offsets at which blocks of a frame are to stop. */
  private readonly frames = new Map<number, Set<number>>();
  private changed = false;

  constructor(private readonly ports: BreakpointPorts) {}

  /** Whether execution stops at a linear address: a software breakpoint before a hardware one, or null. */
  at(linear: bigint): { readonly hardware: boolean } | null {
    const found = this.byAddress.size === 0 ? undefined : this.byAddress.get(linear);
    return found === undefined ? null : { hardware: !found.software };
  }

  /** The watchpoint of that number. */
  watchpoint(index: number): Watchpoint | null {
    return this.watchpoints[index] ?? null;
  }

  /** Offsets in a frame of RAM in front of which blocks end; null for none. */
  offsetsIn(frame: number): ReadonlySet<number> | null {
    return this.frames.size === 0 ? null : (this.frames.get(frame) ?? null);
  }

  insert(point: DebugPoint): boolean {
    if (point.kind === "watchpoint") return this.insertWatchpoint(point);
    const known = this.byAddress.get(point.address);
    if (known === undefined && this.byAddress.size >= MAX_BREAKPOINTS) return false;
    const entry = known ?? { software: false, hardware: false };
    if (point.hardware) entry.hardware = true;
    else entry.software = true;
    this.byAddress.set(point.address, entry);
    this.changed ||= known === undefined;
    return true;
  }

  remove(point: DebugPoint): boolean {
    if (point.kind === "watchpoint") return this.removeWatchpoint(point);
    const entry = this.byAddress.get(point.address);
    if (entry === undefined || !(point.hardware ? entry.hardware : entry.software)) return false;
    if (point.hardware) entry.hardware = false;
    else entry.software = false;
    if (!entry.hardware && !entry.software) {
      this.byAddress.delete(point.address);
      this.changed = true;
    }
    return true;
  }

  clear(): void {
    this.changed ||= this.byAddress.size + this.watchpoints.length > 0;
    this.byAddress.clear();
    this.watchpoints.length = 0;
  }

  /** Makes translated code and TLBs agree with what was inserted and removed. To be called before a vCPU runs. */
  settle(): void {
    if (!this.changed) return;
    this.changed = false;
    const { helpers, cpus } = this.ports;
    const frames = [...this.frames.keys()];
    this.frames.clear();
    for (const frame of frames) helpers.writtenByDevice(frame * PAGE_SIZE, PAGE_SIZE);
    this.offsets.clear();
    let filter = 0n;
    for (const address of this.byAddress.keys()) {
      const page = address >> PAGE_BITS;
      const offsets = this.offsets.get(page) ?? new Set();
      this.offsets.set(page, offsets.add(Number(address & 0xfffn)));
      filter |= 1n << (page & 63n);
    }
    helpers.setBreakpointPages(filter);
    this.watchpoints.forEach(({ address, length, access }, i) =>
      helpers.setWatchpoint(i, address, address + BigInt(length - 1), ACCESSES[access]),
    );
    helpers.setWatchpointCount(this.watchpoints.length);
    for (const cpu of cpus) helpers.flushTlb(cpu);
  }

  /** Hears that fetches from a linear page now go to a frame of RAM. */
  mapped(page: bigint, frame: number): void {
    const wanted = this.offsets.get(page);
    if (wanted === undefined) return;
    const known = this.frames.get(frame);
    if (known !== undefined && [...wanted].every((offset) => known.has(offset))) return;
    this.frames.set(frame, new Set([...(known ?? []), ...wanted]));
    // Blocks that were decoded without these breakpoints.
    this.ports.helpers.writtenByDevice(frame * PAGE_SIZE, PAGE_SIZE);
  }

  private insertWatchpoint(point: Watchpoint): boolean {
    if (this.indexOf(point) >= 0) return true;
    const last = point.address + BigInt(point.length - 1);
    if (!(point.length >= 1) || point.length > MAX_WATCH_LENGTH || last >> 64n !== 0n) return false;
    if (this.watchpoints.length >= MAX_WATCHPOINTS) return false;
    this.watchpoints.push(point);
    this.changed = true;
    return true;
  }

  private removeWatchpoint(point: Watchpoint): boolean {
    const index = this.indexOf(point);
    if (index < 0) return false;
    this.watchpoints.splice(index, 1);
    this.changed = true;
    return true;
  }

  private indexOf({ access, address, length }: Watchpoint): number {
    return this.watchpoints.findIndex(
      (one) => one.access === access && one.address === address && one.length === length,
    );
  }
}
