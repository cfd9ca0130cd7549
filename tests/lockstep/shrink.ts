// SPDX-License-Identifier: Apache-2.0
import type { Fixup, GuestProgram, Instruction, Target } from "./guest-program.js";

type Fails = (program: GuestProgram) => boolean;

/** Takes things out of a program for as long as it still fails. */
export function shrink(program: GuestProgram, fails: Fails): GuestProgram {
  let small = program;
  for (;;) {
    const before = size(small);
    small = simplify(small, fails);
    small = dropBlocks(small, fails);
    small = dropInstructions(small, fails);
    if (size(small) === before) return small;
  }
}

function size({ blocks, lazyPages, chains }: GuestProgram): number {
  return blocks.reduce((sum, block) => sum + block.length, blocks.length) + lazyPages.length + chains.length;
}

/** The first of the candidates that fails, or the program itself. */
function firstFailing(program: GuestProgram, candidates: readonly GuestProgram[], fails: Fails): GuestProgram {
  return candidates.find(fails) ?? program;
}

function simplify(program: GuestProgram, fails: Fails): GuestProgram {
  let small = program;
  for (const change of [{ disturbed: false }, { lazyFloat: false }, { lazyPages: [] }])
    small = firstFailing(small, [{ ...small, ...change }], fails);
  small = firstFailing(small, [{ ...small, chains: small.chains.map((chain) => ({ ...chain, back: 0 })) }], fails);
  return firstFailing(small, [{ ...small, chains: small.chains.map((chain) => ({ ...chain, page: 0 })) }], fails);
}

/** Empties blocks, which then fall through; blocks without instructions at the end of their chain leave it. */
function dropBlocks(program: GuestProgram, fails: Fails): GuestProgram {
  let small = program;
  for (let i = small.blocks.length - 1; i >= 0; i--) {
    const without = {
      ...small,
      chains: small.chains
        .map((chain) => ({ ...chain, blocks: chain.blocks.filter((block) => block !== i) }))
        .filter((chain) => chain.blocks.length > 0),
      blocks: small.blocks.map((block, k) => (k === i ? [] : block)),
    };
    if (small.blocks[i].length > 0) small = firstFailing(small, [without], fails);
  }
  return small;
}

function dropInstructions(program: GuestProgram, fails: Fails): GuestProgram {
  let small = program;
  for (let block = 0; block < small.blocks.length; block++)
    for (let width = 8; width >= 1; width = Math.floor(width / 2))
      for (let at = 0; at < small.blocks[block].length;) {
        const shorter = without(small, block, at, width);
        if (fails(shorter)) small = shorter;
        else at += width;
      }
  return small;
}

/** The program without `count` instructions of a block; what points behind them is adjusted. */
function without(program: GuestProgram, block: number, at: number, count: number): GuestProgram {
  const moved = (target: Target): Target => {
    if (typeof target === "number" || target.block !== block || target.instruction < at) return target;
    return { ...target, instruction: Math.max(at, target.instruction - count) };
  };
  const adjust = (instruction: Instruction): Instruction => ({
    ...instruction,
    fixups: instruction.fixups.map((fixup): Fixup => ({ ...fixup, target: moved(fixup.target) })),
  });
  const blocks = program.blocks.map((instructions, i) => {
    const kept = i === block ? [...instructions.slice(0, at), ...instructions.slice(at + count)] : instructions;
    return kept.map(adjust);
  });
  return { ...program, blocks };
}
