// SPDX-License-Identifier: Apache-2.0
import { emitControlFlow, type HelperResolver } from "@isola/engine";
import { CodeBuilder } from "@isola/wasm";
import { ModeKey } from "../decode/mode.js";
import type { Form } from "../table/form.js";
import { ExitKind } from "./exits.js";
import type { FlagState } from "./lazy-flags.js";
import { type Region, successorsOf } from "./region.js";
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
  const states = new FlagStates(graph.successors, entries);
  let jump: (block: number) => void = () => {};
  let current = 0;
  const e: RegionEmitter = new RegionEmitter(
    code,
    context.helpers,
    {
      view: context.view,
      formOf: context.formOf,
      block: (index) => {
        const block = blocks[index];
        if (block === undefined) throw new Error(`the region has no block ${index}`);
        return block;
      },
      jumpToBlock: (index) => jump(index),
      exitLevel: (kind) => {
        used.add(kind);
        return levels[kind] ?? 0;
      },
      flagsReach: (index) => {
        if (!states.isOnlyWay(current, index)) e.flags.storeLazily();
        else states.reach(index, e.flags.state);
      },
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
      e.flags.state = states.of(index);
      const block = blocks[index];
      if (block !== undefined) e.emitBlock(block);
    },
  });
  for (let kind: ExitKind = ExitKind.Count - 1; kind >= 0; kind--) {
    code.end();
    if (used.has(kind)) e.emitExit(kind, context.exits);
    else code.unreachable();
  }
  const prologue = code.length;
  e.emitPrologue(entries.length > 1);
  code.moveToFront(prologue);
  return code;
}

/** What is known of the flags at the start of each block: where several ways lead to it they have been stored. */
class FlagStates {
  private readonly states: FlagState[];
  private readonly ways: number[];

  constructor(successors: readonly (readonly number[])[], entries: readonly number[]) {
    this.states = new Array<FlagState>(successors.length).fill("stored");
    this.ways = new Array<number>(successors.length).fill(0);
    for (const next of [...successors, entries]) for (const to of next) this.ways[to] = (this.ways[to] ?? 0) + 1;
  }

  /** Whether control comes to `to` only from `from`, in one go. */
  isOnlyWay(from: number, to: number): boolean {
    return from !== to && this.ways[to] === 1;
  }

  reach(block: number, state: FlagState): void {
    this.states[block] = state;
  }

  of(block: number): FlagState {
    return this.states[block] ?? "stored";
  }
}
