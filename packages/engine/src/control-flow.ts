// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import type { CodeBuilder } from "@isola/wasm";

/** A directed graph of basic blocks, named by index; several of them may be entered from outside. */
export interface FlowGraph {
  readonly successors: readonly (readonly number[])[];
  /** Blocks at which control may come in. If there are several, the selector holds the one to begin with. */
  readonly entries: readonly number[];
}

/** What {@link emitControlFlow} asks of whoever knows the blocks. */
export interface BlockEmitter {
  /** Emits a block; every path must end in `jumpTo` or leave the function. */
  emitBlock(block: number, jumpTo: (successor: number) => void): void;
}

interface Target {
  readonly level: number;
  /** The label stands for several blocks, so the selector must say which. */
  readonly shared: boolean;
}

/** More targets than this are dispatched by a jump table instead of comparisons. */
const MAX_COMPARISONS = 4;

/**
 * Turns a graph of basic blocks into WebAssembly's structured control flow. Strongly connected components become loops
 * and are laid out in topological order, so that a forward jump leaves a `block` and a backward jump repeats a `loop`.
 * Only where control enters a loop with several heads (irreducible control flow), or a graph with several entries, is
 * there a dispatch.
 *
 * @param selector local (i32) that holds the number of the block to go on with where a label stands for several
 */
export function emitControlFlow(code: CodeBuilder, graph: FlowGraph, selector: number, blocks: BlockEmitter): void {
  new ControlFlow(code, graph, selector, blocks).emit();
}

class ControlFlow {
  private readonly targets: (Target | undefined)[] = [];

  constructor(
    private readonly code: CodeBuilder,
    private readonly graph: FlowGraph,
    private readonly selector: number,
    private readonly blocks: BlockEmitter,
  ) {}

  emit(): void {
    const all = this.graph.successors.map((_, block) => block);
    this.sequence(all, this.graph.entries, new Set());
  }

  private readonly jumpTo = (block: number): void => {
    const target = this.targets[block];
    assert(target !== undefined, `block ${block} cannot be reached from here`);
    if (target.shared) {
      this.code.i32Const(block);
      this.code.localSet(this.selector);
    }
    this.code.br(this.code.depth - target.level);
  };

  /** Emits `blocks`, entered at `roots`. Edges to `repeated` blocks, the heads of loops around, are not followed. */
  private sequence(blocks: readonly number[], roots: readonly number[], repeated: ReadonlySet<number>): void {
    const { code } = this;
    const components = stronglyConnected(blocks, (block) => this.edges(block, repeated));
    const heads = this.heads(components, roots, repeated);
    const dispatches = roots.length > 1;
    const first = dispatches ? 0 : 1;
    // The label of a component ends where its code begins.
    const levels: number[] = [];
    for (let i = components.length - 1; i >= first; i--) {
      code.block();
      levels[i] = code.depth;
      const shared = (heads[i] ?? []).length > 1;
      for (const head of heads[i] ?? []) if (!repeated.has(head)) this.targets[head] = { level: code.depth, shared };
    }
    if (dispatches)
      this.dispatch(
        roots,
        roots.map((root) => levels[heads.findIndex((component) => component.includes(root))] ?? 0),
      );
    components.forEach((component, i) => {
      if (i >= first) code.end();
      this.component(component, heads[i] ?? [], repeated);
    });
  }

  private component(component: readonly number[], heads: readonly number[], repeated: ReadonlySet<number>): void {
    const [only] = component;
    assert(only !== undefined, "a component has blocks");
    if (component.length === 1 && !this.edges(only, repeated).includes(only)) {
      const around = this.targets[only];
      if (around?.shared === true && this.edges(only, new Set()).includes(only)) this.repeatAlone(only, around);
      else this.blocks.emitBlock(only, this.jumpTo);
      return;
    }
    this.code.loop();
    const target = { level: this.code.depth, shared: heads.length > 1 };
    for (const head of heads) this.targets[head] = target;
    // Inside, the other heads get labels of their own: only who comes from outside is dispatched to them.
    this.sequence(component, heads, new Set([...repeated, this.repeatedHead(component, heads, repeated)]));
    this.code.end();
  }

  /** Emits a block that jumps to itself as a loop of its own, so that it is not repeated through the loop around it. */
  private repeatAlone(block: number, around: Target): void {
    this.code.loop();
    this.targets[block] = { level: this.code.depth, shared: false };
    this.blocks.emitBlock(block, this.jumpTo);
    this.code.end();
    this.targets[block] = around;
  }

  /**
   * The head that a loop is repeated at, if it has several: the one whose removal leaves most of the other loops intact,
   * so that the loops inside are not repeated through this one's dispatch.
   */
  private repeatedHead(component: readonly number[], heads: readonly number[], repeated: ReadonlySet<number>): number {
    let best = heads[0] ?? -1;
    let most = -1;
    for (const head of heads.length > 1 ? heads : []) {
      const without = new Set([...repeated, head]);
      const inner = stronglyConnected(component, (block) => this.edges(block, without));
      const looping = inner.filter(
        (blocks) => blocks.length > 1 || this.edges(blocks[0] ?? -1, without).includes(blocks[0] ?? -1),
      );
      const count = looping.reduce((sum, blocks) => sum + blocks.length, 0);
      if (count > most) [best, most] = [head, count];
    }
    return best;
  }

  private edges(block: number, repeated: ReadonlySet<number>): readonly number[] {
    return (this.graph.successors[block] ?? []).filter((next) => !repeated.has(next));
  }

  /** Blocks of each component at which control comes in: from other components, or because they are roots. */
  private heads(
    components: readonly (readonly number[])[],
    roots: readonly number[],
    repeated: ReadonlySet<number>,
  ): readonly (readonly number[])[] {
    const componentOf = new Map<number, number>();
    components.forEach((component, i) => component.forEach((block) => componentOf.set(block, i)));
    const heads = components.map(() => new Set<number>());
    const add = (block: number): void => void heads[componentOf.get(block) ?? -1]?.add(block);
    roots.forEach(add);
    for (const [from, i] of componentOf)
      for (const to of this.edges(from, repeated)) if (componentOf.get(to) !== i) add(to);
    return heads.map((set) => [...set].sort((a, b) => a - b));
  }

  private dispatch(roots: readonly number[], levels: readonly number[]): void {
    const { code } = this;
    const depths = levels.map((level) => code.depth - level);
    const last = depths.at(-1) ?? 0;
    if (roots.length <= MAX_COMPARISONS) {
      roots.slice(0, -1).forEach((root, i) => {
        code.localGet(this.selector);
        code.i32Const(root);
        code.plain("i32.eq");
        code.brIf(depths[i] ?? 0);
      });
      code.br(last);
      return;
    }
    const table = new Array<number>(Math.max(...roots) + 1).fill(last);
    roots.forEach((root, i) => (table[root] = depths[i] ?? 0));
    code.localGet(this.selector);
    code.brTable(table, last);
  }
}

/** Strongly connected components in topological order (Tarjan, 1972). */
function stronglyConnected(
  blocks: readonly number[],
  edges: (block: number) => readonly number[],
): readonly (readonly number[])[] {
  const inside = new Set(blocks);
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const components: number[][] = [];
  const visit = (block: number): number => {
    const number = order.size;
    let lowest = number;
    order.set(block, number);
    stack.push(block);
    onStack.add(block);
    for (const next of edges(block)) {
      if (!inside.has(next)) continue;
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (onStack.has(next)) lowest = Math.min(lowest, order.get(next) ?? lowest);
    }
    low.set(block, lowest);
    if (lowest === number) {
      const component = stack.splice(stack.indexOf(block));
      for (const member of component) onStack.delete(member);
      components.push(component.sort((a, b) => a - b));
    }
    return lowest;
  };
  for (const block of blocks) if (!order.has(block)) visit(block);
  return components.reverse();
}
