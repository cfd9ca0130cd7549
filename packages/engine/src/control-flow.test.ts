// SPDX-License-Identifier: Apache-2.0
import { CodeBuilder, ModuleBuilder } from "@isola/wasm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emitControlFlow, type FlowGraph } from "./control-flow.js";

/** Parameter of the function under test: the entry to begin with; it serves as the selector too. */
const SELECTOR = 0;
const STEPS = 200;
/** Where the function finds the choices of successors and leaves the blocks it went through, an i32 each. */
const TAPE = 0;
const PATH = 4 * STEPS;

/** What {@link emitControlFlow} told while it emitted. */
interface Emission {
  readonly order: number[];
}

type Walk = (entry: number, tape: readonly number[]) => number[];

/** Compiles `graph` into a function whose blocks write their number down and choose their successor by a tape; a block without any returns. */
function compile(graph: FlowGraph): { readonly walk: Walk; readonly emission: Emission } {
  const code = new CodeBuilder(1);
  const step = code.newLocal("i32");
  const choice = code.newLocal("i32");
  const emission: Emission = { order: [] };
  emitControlFlow(code, graph, SELECTOR, {
    emitBlock(block, jumpTo) {
      emission.order.push(block);
      const successors = graph.successors[block] ?? [];
      emitStep(code, step, choice, block);
      successors.forEach((successor, i) => {
        code.localGet(choice);
        code.i32Const(successors.length);
        code.plain("i32.rem_u");
        code.i32Const(i);
        code.plain("i32.eq");
        code.if();
        jumpTo(successor);
        code.end();
      });
      code.localGet(step);
      code.return();
    },
  });
  code.unreachable();
  const module = new ModuleBuilder();
  module.importMemory("env", "memory", 1, 1, false);
  const index = module.declareFunction({ parameters: ["i32"], results: ["i32"] });
  module.defineFunction(index, code);
  module.exportFunction("walk", index);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const compiled = new WebAssembly.Module(module.build() as BufferSource);
  const walk = new WebAssembly.Instance(compiled, { env: { memory } }).exports["walk"] as (entry: number) => number;
  const words = new Int32Array(memory.buffer);
  return {
    emission,
    walk(entry, tape) {
      words.set(tape, TAPE);
      const steps = walk(entry);
      return [...words.subarray(PATH / 4, PATH / 4 + steps)];
    },
  };
}

/** path[step++] = block; return if that was the last step; choice = tape[step]. */
function emitStep(code: CodeBuilder, step: number, choice: number, block: number): void {
  const address = (): void => {
    code.localGet(step);
    code.i32Const(2);
    code.plain("i32.shl");
  };
  address();
  code.i32Const(block);
  code.memory("i32.store", PATH);
  code.localGet(step);
  code.i32Const(1);
  code.plain("i32.add");
  code.localSet(step);
  code.localGet(step);
  code.i32Const(STEPS);
  code.plain("i32.eq");
  code.if();
  code.localGet(step);
  code.return();
  code.end();
  address();
  code.memory("i32.load", TAPE);
  code.localSet(choice);
}

/** The path that the compiled function must take. */
function expectedPath(graph: FlowGraph, entry: number, tape: readonly number[]): number[] {
  const path: number[] = [];
  for (let block: number | undefined = entry; block !== undefined;) {
    path.push(block);
    if (path.length === STEPS) break;
    const next: readonly number[] = graph.successors[block] ?? [];
    block = next[(tape[path.length] ?? 0) % next.length];
  }
  return path;
}

/** The entries, and as many more blocks as are needed to reach every block from one of them. */
function withAllReached(successors: readonly (readonly number[])[], entries: readonly number[]): FlowGraph {
  const all = [...new Set(entries)];
  const reached = new Set<number>();
  const reach = (block: number): void => {
    if (reached.has(block)) return;
    reached.add(block);
    successors[block]?.forEach(reach);
  };
  all.forEach(reach);
  for (let block = 0; block < successors.length; block++)
    if (!reached.has(block)) {
      all.push(block);
      reach(block);
    }
  return { successors, entries: all };
}

const graphs = (blocks: number, degree: number, entries: number): fc.Arbitrary<FlowGraph> =>
  fc.integer({ min: 1, max: blocks }).chain((size) => {
    const block = fc.nat({ max: size - 1 });
    const successors = fc.array(fc.uniqueArray(block, { maxLength: degree }), { minLength: size, maxLength: size });
    return fc
      .tuple(successors, fc.uniqueArray(block, { minLength: 1, maxLength: entries }))
      .map(([edges, first]) => withAllReached(edges, first));
  });

/** Choices of a successor, modulo how many there are. */
const tapes = fc.array(fc.nat({ max: 11 }), { minLength: STEPS, maxLength: STEPS });

function expectSamePaths(graph: FlowGraph, tape: readonly number[]): void {
  const { walk } = compile(graph);
  for (const entry of graph.entries) expect(walk(entry, tape)).toEqual(expectedPath(graph, entry, tape));
}

function expectSound(graph: FlowGraph): void {
  const { order } = compile(graph).emission;
  expect([...order].sort((a, b) => a - b)).toEqual(graph.successors.map((_, block) => block));
}

describe("control flow", () => {
  it("takes the paths of any graph, with any number of entries", () => {
    fc.assert(
      fc.property(graphs(12, 4, 4), tapes, (graph, tape) => expectSamePaths(graph, tape)),
      { numRuns: 400 },
    );
  });

  it("takes the paths of large sparse graphs", () => {
    fc.assert(
      fc.property(graphs(64, 2, 1), tapes, (graph, tape) => expectSamePaths(graph, tape)),
      { numRuns: 60 },
    );
  });

  it("emits every block once", () => {
    fc.assert(
      fc.property(graphs(12, 4, 4), (graph) => expectSound(graph)),
      { numRuns: 400 },
    );
  });

  it("repeats a loop inside a loop with two heads", () => {
    // 0 -> 1 or 2; 1 <-> 2 (irreducible); 2 -> 2; 1 -> 3, which leaves.
    const graph = { successors: [[1, 2], [2, 3], [1, 2], []], entries: [0] };
    const tape = [0, 1, 1, 1, 0, 0, 0, 1];
    expect(compile(graph).walk(0, tape)).toEqual([0, 2, 2, 2, 1, 2, 1, 3]);
  });

  it("dispatches many entries by a jump table", () => {
    const graph = { successors: Array.from({ length: 9 }, (_, i) => [(i + 1) % 9]), entries: [0, 2, 3, 5, 6, 8] };
    const { walk } = compile(graph);
    for (const entry of graph.entries)
      expect(walk(entry, [])).toEqual(Array.from({ length: STEPS }, (_, i) => (entry + i) % 9));
  });
});
