// SPDX-License-Identifier: Apache-2.0
import { emitControlFlow, type HelperResolver } from "@isola/engine";
import { CodeBuilder } from "@isola/wasm";
import { ModeKey } from "../decode/mode.js";
import type { Form } from "../table/form.js";
import { ExitKind } from "./exits.js";
import { COMPUTED, type FlagState } from "./lazy-flags.js";
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
        if (states.mustPublish(current, index)) e.flags.publish();
        states.reach(index, e.flags.state);
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
    enterLoop: (heads) => states.meetAnything(heads),
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

/** What is known of the flags at the start of each block. */
class FlagStates {
  private readonly states: (FlagState | undefined)[];
  private readonly predecessors: number[];

  constructor(successors: readonly (readonly number[])[], entries: readonly number[]) {
    this.states = new Array<FlagState | undefined>(successors.length);
    this.predecessors = new Array<number>(successors.length).fill(0);
    for (const next of successors) for (const to of next) this.predecessors[to] = (this.predecessors[to] ?? 0) + 1;
    for (const entry of entries) {
      this.states[entry] = COMPUTED;
      this.predecessors[entry] = (this.predecessors[entry] ?? 0) + 1;
    }
  }

  /** Control comes to the heads of a loop again after blocks that have not been emitted yet. */
  meetAnything(heads: readonly number[]): void {
    for (const head of heads) this.states[head] = "dynamic";
  }

  reach(block: number, state: FlagState): void {
    const known = this.states[block];
    this.states[block] = known === undefined || known === state ? state : "dynamic";
  }

  mustPublish(from: number, to: number): boolean {
    return from === to || (this.predecessors[to] ?? 0) > 1;
  }

  of(block: number): FlagState {
    return this.states[block] ?? "dynamic";
  }
}
