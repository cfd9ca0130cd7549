// SPDX-License-Identifier: Apache-2.0
import { BLOCK_HEADER_SIZE, BlockField, HeadField, NO_FRAME, RECORD_SIZE, RecordField } from "@isola/engine";
import { ModeKey } from "../decode/mode.js";
import { Special } from "../interpreter/special.js";
import { type Form, isNearIndirect } from "../table/form.js";
import { type Edge, type Region, type RegionBlock, successorsOf } from "./region.js";

const PAGE = 4096;
/** A region grows until it has so many blocks or records. */
const MAX_BLOCKS = 64;
const MAX_RECORDS = 800;
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
  /** Where an indirect jump or call went last. */
  readonly last: number | null;
}

const NOWHERE: Terminator = { taken: null, notTaken: null, returnSite: null, returns: false, last: null };
/** Farthest indirect target that is followed: distances must fit an i32. */
const MAX_DISTANCE = 0x4000_0000n;

/** Collects the hot blocks that control reaches from one of them by direct jumps, calls and returns. */
export class RegionFormer {
  constructor(
    private readonly view: DataView,
    private readonly lookup: BlockLookup,
    private readonly formOf: (handler: number) => Form,
  ) {}

  /**
   * @param minimumHeat entries of a block from which on it is worth including
   * @returns null if the block is of a kind that is not compiled
   */
  form(hot: HotBlock, minimumHeat: number): Region | null {
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
      const block = this.describe(head, delta);
      if (blocks.length > 0 && (blocks.length >= MAX_BLOCKS || records + block.records > MAX_RECORDS)) return -1;
      records += block.records;
      byKey.set(`${head}:${delta}`, blocks.length);
      return blocks.push(block) - 1;
    };
    add(hot.head, 0);
    const calls: { callee: number; site: number }[] = [];
    const returning: RegionBlock[] = [];
    for (const block of blocks) {
      const end = this.terminator(block, hot.codeBase);
      const target = (offset: number, isCall = false): number => {
        const head = this.find(block, offset, hot, mode);
        if (head === 0) return -1;
        const known = byKey.get(`${head}:${deltaOf(block, offset)}`);
        if (known !== undefined) return known;
        const worth = isCall ? this.isOwn(head, block, minimumHeat) : this.isWorth(head, minimumHeat);
        return worth ? add(head, deltaOf(block, offset)) : -1;
      };
      const edge = (offset: number | null, isCall = false): Edge | null => {
        if (offset === null) return null;
        const index = target(offset, isCall);
        return index >= 0 ? { kind: "block", index } : { kind: "link" };
      };
      block.taken = edge(end.taken, end.returnSite !== null);
      block.notTaken = edge(end.notTaken);
      const guess = end.last === null ? -1 : target(end.last, end.returnSite !== null);
      if (guess >= 0) block.guesses.push(guess);
      if (end.returnSite !== null) {
        const site = target(end.returnSite);
        if (site >= 0) calls.push({ callee: block.taken?.kind === "block" ? block.taken.index : guess, site });
      }
      if (end.returns) returning.push(block);
    }
    const inside = calls.filter(({ callee }) => callee >= 0).map(({ site }) => site);
    for (const block of returning) block.guesses.push(...[...new Set(inside)].slice(0, MAX_RETURNS));
    return { blocks, entries: entriesOf(blocks, calls), mode };
  }

  private describe(head: number, delta: number): RegionBlock {
    const address = head - BLOCK_HEADER_SIZE;
    const second = this.view.getUint32(address + BlockField.SecondFrame, true);
    return {
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
    const direct = operands.some((code) => code[0] === "J");
    if (!direct) {
      const last = isNearIndirect(form) ? this.lastTarget(end, codeBase + BigInt(block.delta)) : null;
      return name === "call" ? { ...NOWHERE, returnSite: next, last } : { ...NOWHERE, last };
    }
    // A target of 16 bits is not where the displacement says.
    if (form.operandSize === 16) return NOWHERE;
    const taken = view.getInt32(end + RecordField.Displacement, true);
    if (name === "call") return { ...NOWHERE, taken, returnSite: next };
    return { ...NOWHERE, taken, notTaken: name === "jmp" ? null : next };
  }

  /** Where the indirect jump of a record went last, as an offset from the start of its page; null if that is unknown. */
  private lastTarget(record: number, pageBase: bigint): number | null {
    const target = this.view.getBigInt64(record + RecordField.Immediate, true);
    if (target === 0n) return null;
    const distance = target - pageBase;
    return distance > -MAX_DISTANCE && distance < MAX_DISTANCE ? Number(distance) : null;
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

  private isWorth(head: number, minimumHeat: number): boolean {
    const handler = this.view.getUint32(head + RecordField.Handler, true);
    return handler !== Special.Head || this.view.getInt32(head + HeadField.Heat, true) >= minimumHeat;
  }
}

function deltaOf(block: RegionBlock, offset: number): number {
  return Math.floor((block.delta + offset) / PAGE) * PAGE;
}

/**
 * The hot block; the return sites of calls that leave the region; and what else cannot be reached from these, because
 * the return of a call in the region is not in it.
 */
function entriesOf(blocks: readonly RegionBlock[], calls: readonly { callee: number; site: number }[]): number[] {
  const entries = [0];
  const reached = new Set<number>();
  const reach = (from: number): void => {
    if (reached.has(from)) return;
    reached.add(from);
    const block = blocks[from];
    if (block !== undefined) for (const next of successorsOf(block)) reach(next);
  };
  reach(0);
  for (const { callee, site } of calls)
    if (callee < 0 && !entries.includes(site)) {
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
