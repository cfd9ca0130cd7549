// SPDX-License-Identifier: Apache-2.0
import {
  BLOCK_HEADER_SIZE,
  BlockField,
  HeadField,
  NO_FRAME,
  RECORD_SIZE,
  RecordField,
  TARGETS_PER_SAMPLE,
  targetSamples,
} from "@isola/engine";
import { ModeKey } from "../decode/mode.js";
import { Special } from "../interpreter/special.js";
import { type Form, isNearIndirect } from "../table/form.js";
import { type Edge, type Region, type RegionBlock, successorsOf } from "./region.js";

const PAGE = 4096;
/** A region grows until it has so many blocks or records. */
const MAX_BLOCKS = 64;
const MAX_RECORDS = 800;
/** A callee of so many blocks and records that calls nothing itself is taken into every region that calls it. */
const SMALL_BLOCKS = 6;
const SMALL_RECORDS = 40;
/** More return sites than this are not worth comparing with. */
const MAX_RETURNS = 4;

/** A block that has become hot, and where it was when it did. */
export interface HotBlock {
  /** Address of its first record. */
  readonly head: number;
  readonly cpu: number;
  /** jumpContext of the vCPU. */
  readonly context: number;
  /** RIP of the start of the block's page. */
  readonly codeBase: bigint;
}

/** What the former asks of the block cache. */
export interface BlockLookup {
  findBlock(frame: number, offset: number, mode: number): number;
  cachedRecord(cpu: number, linear: bigint, context: number): number;
}

/** The end of a block: where it may go on. */
interface Terminator {
  /** Offsets from the start of the block's page, or null. */
  readonly taken: number | null;
  readonly notTaken: number | null;
  /** Where a call returns to. */
  readonly returnSite: number | null;
  readonly returns: boolean;
  /** Where an indirect jump or call went lately, the most frequent target first. */
  readonly sampled: readonly number[];
}

/** A call of the region. */
interface CallSite {
  /** The block it returns to. */
  readonly site: number;
  /** Blocks of the region that it calls. */
  readonly callees: readonly number[];
  /** All that it is known to call is in the region, and returns to the site without leaving it. */
  inside: boolean;
}

/** Where a block is: its page, from that of the region's first block, and its offset there. */
export interface BlockPlace {
  readonly delta: number;
  readonly pageOffset: number;
}

const NOWHERE: Terminator = { taken: null, notTaken: null, returnSite: null, returns: false, sampled: [] };
/** Farthest indirect target that is followed: distances must fit an i32. */
const MAX_DISTANCE = 0x4000_0000;

/** Collects the hot blocks that control reaches from one of them by direct jumps, calls and returns. */
export class RegionFormer {
  constructor(
    private readonly view: DataView,
    private readonly lookup: BlockLookup,
    private readonly formOf: (handler: number) => Form,
  ) {}

  /**
   * @param minimumHeat entries of a block from which on it is worth including
   * @param withCallees all hot code that is called comes along, not only what is small or hardly called from elsewhere
   * @returns null if the block is of a kind that is not compiled
   */
  form(hot: HotBlock, minimumHeat: number, withCallees: boolean): Region | null {
    const { view } = this;
    const header = hot.head - BLOCK_HEADER_SIZE;
    const mode = view.getUint16(header + BlockField.ModeKey, true);
    if ((mode & ModeKey.Flat) === 0 || (mode & ModeKey.Step) !== 0) return null;
    if ((mode & ModeKey.CodeSizeMask) === ModeKey.Code16) return null;
    const blocks: RegionBlock[] = [];
    const byKey = new Map<string, number>();
    let records = 0;
    const add = (head: number, delta: number): number => {
      const known = byKey.get(`${head}:${delta}`);
      if (known !== undefined) return known;
      const block = this.describe(head, delta, blocks.length);
      if (blocks.length > 0 && (blocks.length >= MAX_BLOCKS || records + block.records > MAX_RECORDS)) return -1;
      records += block.records;
      byKey.set(`${head}:${delta}`, blocks.length);
      return blocks.push(block) - 1;
    };
    add(hot.head, 0);
    const calls = new Map<RegionBlock, CallSite>();
    const returning = new Set<RegionBlock>();
    for (const block of blocks) {
      const end = this.terminator(block, hot.codeBase);
      const target = (offset: number, isCall = false): number => {
        const head = this.find(block, offset, hot, mode);
        if (head === 0) return -1;
        const known = byKey.get(`${head}:${deltaOf(block, offset)}`);
        if (known !== undefined) return known;
        const delta = deltaOf(block, offset);
        const worth =
          isCall && !withCallees
            ? this.isOwn(head, block, minimumHeat) || this.isSmall(head, delta, hot, mode)
            : this.isWorth(head, minimumHeat);
        return worth ? add(head, delta) : -1;
      };
      const edge = (offset: number | null, isCall = false): Edge | null => {
        if (offset === null) return null;
        const index = target(offset, isCall);
        return index >= 0 ? { kind: "block", index } : { kind: "link" };
      };
      block.taken = edge(end.taken, end.returnSite !== null);
      block.notTaken = edge(end.notTaken);
      const guesses = end.sampled.map((offset) => target(offset, end.returnSite !== null));
      block.guesses.push(...guesses.filter((guess) => guess >= 0));
      if (end.returnSite !== null) {
        const site = target(end.returnSite);
        const callees = block.taken?.kind === "block" ? [block.taken.index] : guesses;
        const inside = callees.length > 0 && callees.every((callee) => callee >= 0);
        if (site >= 0) calls.set(block, { site, callees: callees.filter((callee) => callee >= 0), inside });
      }
      if (end.returns) returning.add(block);
    }
    guessReturns(blocks, calls, returning);
    return { blocks, entries: entriesOf(blocks, [...calls.values()]), mode };
  }

  /**
   * The blocks of a region that begins with a hot block and of which it is known where the others are.
   * @param places the first is that of the hot block, at distance 0
   * @returns null unless they all have been decoded, as far as can be seen
   */
  locate(hot: HotBlock, places: readonly BlockPlace[]): RegionBlock[] | null {
    const mode = this.view.getUint16(hot.head - BLOCK_HEADER_SIZE + BlockField.ModeKey, true);
    const first = this.describe(hot.head, 0, 0);
    const blocks: RegionBlock[] = [first];
    const byPage = new Map<number, RegionBlock>([[0, first]]);
    for (const { delta, pageOffset } of places.slice(1)) {
      const neighbour = byPage.get(delta) ?? first;
      const head = this.find(neighbour, delta - neighbour.delta + pageOffset, hot, mode);
      if (head === 0) return null;
      const block = this.describe(head, delta, blocks.length);
      byPage.set(delta, block);
      blocks.push(block);
    }
    return blocks;
  }

  private describe(head: number, delta: number, index: number): RegionBlock {
    const address = head - BLOCK_HEADER_SIZE;
    const second = this.view.getUint32(address + BlockField.SecondFrame, true);
    return {
      index,
      address,
      head,
      frame: this.view.getUint32(address + BlockField.Frame, true),
      secondFrame: second === NO_FRAME ? -1 : second,
      delta,
      records: this.view.getUint16(address + BlockField.Records, true),
      taken: null,
      notTaken: null,
      guesses: [],
    };
  }

  private terminator(block: RegionBlock, codeBase: bigint): Terminator {
    const { view } = this;
    const end = block.head + (block.records - 1) * RECORD_SIZE;
    const handler = view.getUint32(end + RecordField.Handler, true);
    const here = view.getUint16(end + RecordField.PageOffset, true);
    if (handler === Special.FallThrough) return { ...NOWHERE, taken: here };
    if (handler < Special.Count) return NOWHERE;
    const form = this.formOf(handler);
    const next = here + view.getUint8(end + RecordField.Length);
    const { name, operands } = form.opcode;
    if (name === "ret") return { ...NOWHERE, returns: true };
    // It ends its block for the sake of interrupts only.
    if (name === "sti") return { ...NOWHERE, sampled: [next] };
    const direct = operands.some((code) => code[0] === "J");
    if (!direct) {
      const sampled = isNearIndirect(form) ? this.sampledTargets(end, codeBase + BigInt(block.delta)) : [];
      return name === "call" ? { ...NOWHERE, returnSite: next, sampled } : { ...NOWHERE, sampled };
    }
    // A target of 16 bits is not where the displacement says.
    if (form.operandSize === 16) return NOWHERE;
    const taken = view.getInt32(end + RecordField.Displacement, true);
    if (name === "call") return { ...NOWHERE, taken, returnSite: next };
    return { ...NOWHERE, taken, notTaken: name === "jmp" ? null : next };
  }

  /** Where the indirect jump of a record went lately, as offsets from the start of its page. */
  private sampledTargets(record: number, pageBase: bigint): number[] {
    const { view } = this;
    const base = Number(BigInt.asIntN(32, pageBase));
    const counts = new Map<number, number>();
    for (let i = 0; i < TARGETS_PER_SAMPLE; i++) {
      const target = view.getInt32(targetSamples(record) + 4 * i, true);
      const distance = (target - base) | 0;
      if (target !== 0 && Math.abs(distance) < MAX_DISTANCE) counts.set(distance, (counts.get(distance) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a).map(([distance]) => distance);
  }

  /** First record of the live block at `offset` from the start of the page of `from`, or 0. */
  private find(from: RegionBlock, offset: number, hot: HotBlock, mode: number): number {
    const delta = deltaOf(from, offset);
    const inPage = from.delta + offset - delta;
    if (delta === from.delta) {
      const block = this.lookup.findBlock(from.frame, inPage, mode);
      return block === 0 ? 0 : block + BLOCK_HEADER_SIZE;
    }
    let linear = hot.codeBase + BigInt(delta + inPage);
    linear = (mode & ModeKey.CodeSizeMask) === ModeKey.Code64 ? BigInt.asIntN(64, linear) : BigInt.asUintN(32, linear);
    const head = this.lookup.cachedRecord(hot.cpu, linear, hot.context) >>> 0;
    if (head === 0) return 0;
    const header = head - BLOCK_HEADER_SIZE;
    const usable =
      this.view.getUint16(header + BlockField.Dead, true) === 0 &&
      this.view.getUint16(header + BlockField.ModeKey, true) === mode;
    return usable ? head : 0;
  }

  /** Whether a callee is called mainly from `caller`, so that no other region needs it. */
  private isOwn(head: number, caller: RegionBlock, minimumHeat: number): boolean {
    if (this.view.getUint32(head + RecordField.Handler, true) !== Special.Head) return false;
    const heat = this.view.getInt32(head + HeadField.Heat, true);
    return heat >= minimumHeat && heat <= 2 * this.view.getInt32(caller.head + HeadField.Heat, true);
  }

  /** Whether the code at `head` is short, reaches a return, and neither calls nor jumps to where is not known. */
  private isSmall(head: number, delta: number, hot: HotBlock, mode: number): boolean {
    const heads = [head];
    let records = 0;
    let returns = false;
    for (const at of heads) {
      const block = this.describe(at, delta, 0);
      records += block.records;
      if (heads.length > SMALL_BLOCKS || records > SMALL_RECORDS) return false;
      const { taken, notTaken, returnSite, returns: isReturn } = this.terminator(block, hot.codeBase);
      if (returnSite !== null || (taken === null && !isReturn)) return false;
      returns ||= isReturn;
      for (const offset of [taken, notTaken]) {
        if (offset === null) continue;
        if (deltaOf(block, offset) !== delta) return false;
        const next = this.find(block, offset, hot, mode);
        if (next !== 0 && !heads.includes(next)) heads.push(next);
      }
    }
    return returns;
  }

  private isWorth(head: number, minimumHeat: number): boolean {
    const handler = this.view.getUint32(head + RecordField.Handler, true);
    return handler !== Special.Head || this.view.getInt32(head + HeadField.Heat, true) >= minimumHeat;
  }
}

function deltaOf(block: RegionBlock, offset: number): number {
  return Math.floor((block.delta + offset) / PAGE) * PAGE;
}

/** Makes each return guess the sites of the calls through which control can come to it. */
function guessReturns(
  blocks: readonly RegionBlock[],
  calls: ReadonlyMap<RegionBlock, CallSite>,
  returning: ReadonlySet<RegionBlock>,
): void {
  for (const call of calls.values()) {
    const seen = new Set(call.callees);
    let returns = false;
    for (const index of seen) {
      const block = blocks[index];
      if (block === undefined) continue;
      if (returning.has(block)) {
        returns = true;
        if (block.guesses.includes(call.site)) continue;
        if (block.guesses.length < MAX_RETURNS) block.guesses.push(call.site);
        else call.inside = false;
        continue;
      }
      const inner = calls.get(block);
      for (const next of inner === undefined ? successorsOf(block) : [inner.site]) seen.add(next);
    }
    if (!returns) call.inside = false;
  }
}

/**
 * The hot block; the return sites of calls that leave the region; and what else cannot be reached from these, because
 * the return of a call in the region is not in it.
 */
function entriesOf(blocks: readonly RegionBlock[], calls: readonly CallSite[]): number[] {
  const entries = [0];
  const reached = new Set<number>();
  const reach = (from: number): void => {
    if (reached.has(from)) return;
    reached.add(from);
    const block = blocks[from];
    if (block !== undefined) for (const next of successorsOf(block)) reach(next);
  };
  reach(0);
  for (const { inside, site } of calls)
    if (!inside && !entries.includes(site)) {
      entries.push(site);
      reach(site);
    }
  blocks.forEach((_, i) => {
    if (reached.has(i)) return;
    entries.push(i);
    reach(i);
  });
  return entries;
}
