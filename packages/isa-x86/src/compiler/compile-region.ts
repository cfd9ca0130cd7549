// SPDX-License-Identifier: Apache-2.0
import { emitControlFlow, type HelperResolver } from "@isola/engine";
import { CodeBuilder } from "@isola/wasm";
import { ModeKey } from "../decode/mode.js";
import type { Form } from "../table/form.js";
import type { AddressState, AddressTracker } from "./access-group.js";
import { ExitKind } from "./exits.js";
import type { FlagState } from "./lazy-flags.js";
import { type Region, type RegionBlock, successorsOf } from "./region.js";
import type { ExitTargets } from "./region-border.js";
import { RegionEmitter } from "./region-emitter.js";

/** Parameters of a region's function: the record of the block that is entered, and the CPU record. */
const PARAMETERS = 2;

export interface RegionContext {
  readonly view: DataView;
  formOf(handler: number): Form;
  readonly helpers: HelperResolver;
  readonly exits: ExitTargets;
  /** Any form, for code that belongs to no instruction. */
  readonly anyForm: Form;
  /** Entries after which the translator is told of the block that is entered; 0 = never. */
  readonly promotion: number;
}

/** The function of a region: `(record, cpu) -> exit reason`, like a handler of the interpreter. */
export function compileRegion(region: Region, context: RegionContext): CodeBuilder {
  const { blocks, entries } = region;
  const [first] = blocks;
  if (first === undefined) throw new Error("a region has at least one block");
  const code = new CodeBuilder(PARAMETERS);
  const levels: number[] = [];
  const used = new Set<ExitKind>();
  const graph = { successors: blocks.map(successorsOf), entries };
  const ways = new Ways(graph.successors, entries);
  const blockAt = (index: number): RegionBlock => {
    const block = blocks[index];
    if (block === undefined) throw new Error(`the region has no block ${index}`);
    return block;
  };
  let jump: (block: number) => void = () => {};
  let current = 0;
  const e: RegionEmitter = new RegionEmitter(
    code,
    context.helpers,
    {
      view: context.view,
      formOf: context.formOf,
      block: blockAt,
      jumpToBlock: (index) => jump(index),
      exitLevel: (kind) => {
        used.add(kind);
        return levels[kind] ?? 0;
      },
      reach: (index) => {
        if (ways.isOnly(current, index)) ways.hand(index, e.flags.state, e.addresses);
        else e.flags.storeLazily();
      },
      heirs: () => (graph.successors[current] ?? []).filter((next) => ways.isOnly(current, next)).map(blockAt),
    },
    (region.mode & ModeKey.CodeSizeMask) === ModeKey.Code64,
    first,
    context.anyForm,
  );
  for (let kind: ExitKind = 0; kind < ExitKind.Count; kind++) {
    code.block();
    levels[kind] = code.depth;
  }
  emitControlFlow(code, graph, e.locals.selector.local, {
    emitBlock(index, jumpTo) {
      jump = jumpTo;
      current = index;
      const before = ways.before(index);
      e.flags.state = before?.flags ?? "stored";
      e.emitBlock(blockAt(index), before?.addresses);
    },
  });
  for (let kind: ExitKind = ExitKind.Count - 1; kind >= 0; kind--) {
    code.end();
    if (used.has(kind)) e.emitExit(kind, context.exits);
    else code.unreachable();
  }
  const prologue = code.length;
  e.emitPrologue(entries.length > 1, context.promotion);
  code.moveToFront(prologue);
  return code;
}

/** What is known at the end of a block, for one that only this one leads to. */
interface Knowledge {
  readonly flags: FlagState;
  readonly addresses: AddressState;
}

/** On how many ways control comes to each block. Where there are several, flags have been stored and nothing is known. */
class Ways {
  private readonly known = new Map<number, Knowledge>();
  private readonly count: number[];

  constructor(successors: readonly (readonly number[])[], entries: readonly number[]) {
    this.count = new Array<number>(successors.length).fill(0);
    for (const next of [...successors, entries]) for (const to of next) this.count[to] = (this.count[to] ?? 0) + 1;
  }

  /** Whether control comes to `to` only from `from`. */
  isOnly(from: number, to: number): boolean {
    return from !== to && this.count[to] === 1;
  }

  hand(block: number, flags: FlagState, addresses: AddressTracker): void {
    // A block may jump to another one in two ways, which know the same.
    if (!this.known.has(block)) this.known.set(block, { flags, addresses: addresses.hand() });
  }

  before(block: number): Knowledge | undefined {
    return this.known.get(block);
  }
}
