// SPDX-License-Identifier: Apache-2.0
import { disassemble } from "../../packages/isa-x86/src/disassemble/disassemble.js";
import { ALIAS, CODE, CODE_PAGES, type GuestMode, is64, PAGE } from "./guest-layout.js";

/** An address: a number, or a byte of an instruction. */
export type Target =
  | number
  | {
      readonly block: number;
      readonly instruction: number;
      /** From the start of the instruction, or from its end if it is negative. */
      readonly byte: number;
      /** Where the frame is mapped a second time. */
      readonly alias?: boolean;
    };

/** Four bytes of an instruction that hold an address, or its distance from the end of the instruction. */
export interface Fixup {
  readonly at: number;
  readonly relative: boolean;
  readonly target: Target;
}

export interface Instruction {
  readonly bytes: readonly number[];
  readonly fixups: readonly Fixup[];
}

/** Blocks that follow each other in memory. */
export interface Chain {
  /** Numbers of the blocks. */
  readonly blocks: readonly number[];
  readonly page: number;
  /** 0, or the chain begins so many bytes before the end of its page. */
  readonly back: number;
}

export interface GuestProgram {
  readonly seed: number;
  readonly mode: GuestMode;
  /** Block 0 is where the program begins. */
  readonly blocks: readonly (readonly Instruction[])[];
  readonly chains: readonly Chain[];
  /** Pages (linear) that are absent until the first access. */
  readonly lazyPages: readonly number[];
  /** Whether interrupts come, pages move and pages disappear while the program runs. */
  readonly disturbed: boolean;
  /** CR0.TS is set at first. */
  readonly lazyFloat: boolean;
}

export interface AssembledProgram {
  /** Bytes of all pages of code. */
  readonly code: Uint8Array;
  /** Linear address of each block. */
  readonly entries: readonly number[];
}

/** Chains that straddle two pages have the ends of pages to themselves, and the beginnings behind them. */
const FIRST = 0x400;
const LAST = 0xe00;
const FILLER = 0xcc;

/** Gives each block its address. Null if there is not room for all. */
function place({ blocks, chains }: GuestProgram): number[] | null {
  const cursors = new Array<number>(CODE_PAGES).fill(FIRST);
  const entries = new Array<number>(blocks.length).fill(CODE);
  for (const chain of chains) {
    const length = chain.blocks.reduce((sum, block) => sum + lengthOf(blocks[block]), 0);
    if (length > FIRST) return null;
    let at = chain.page * PAGE + PAGE - chain.back;
    if (chain.back === 0) {
      const page = cursors.findIndex((cursor, i) => i >= chain.page && cursor + length <= LAST);
      if (page < 0) return null;
      at = page * PAGE + cursors[page];
      cursors[page] += length;
    }
    for (const block of chain.blocks) {
      entries[block] = CODE + at;
      at += lengthOf(blocks[block]);
    }
  }
  return entries;
}

function lengthOf(block: readonly Instruction[]): number {
  return block.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** Puts the program into its pages. Null if it is too large. */
export function assemble(program: GuestProgram): AssembledProgram | null {
  const entries = place(program);
  if (entries === null) return null;
  const code = new Uint8Array(CODE_PAGES * PAGE).fill(FILLER);
  const view = new DataView(code.buffer);
  const { blocks } = program;
  const addressOf = (target: Target): number => {
    if (typeof target === "number") return target;
    const block = blocks[target.block] ?? [];
    const before = block.slice(0, target.instruction);
    const { byte, alias } = target;
    const length = block[target.instruction]?.bytes.length ?? 0;
    const start = (entries[target.block] ?? CODE) + (alias === true ? ALIAS - CODE : 0);
    return start + lengthOf(before) + (byte < 0 ? Math.max(0, length + byte) : byte);
  };
  blocks.forEach((block, i) => {
    let at = entries[i];
    for (const { bytes, fixups } of block) {
      code.set(bytes, at - CODE);
      const next = at + bytes.length;
      for (const fixup of fixups) {
        const address = addressOf(fixup.target);
        view.setInt32(at - CODE + fixup.at, fixup.relative ? address - next : address, true);
      }
      at = next;
    }
  });
  return { code, entries };
}

/** The program as text, block by block. */
export function listing(program: GuestProgram): string {
  const assembled = assemble(program);
  if (assembled === null) return "(too large)";
  const { mode, seed, chains, lazyPages, disturbed, lazyFloat } = program;
  const lazy = lazyPages.map((page) => page.toString(16)).join(" ");
  const lines = [`seed ${seed}, ${mode}, disturbed ${disturbed}, TS ${lazyFloat}, lazy pages: ${lazy}`];
  for (const chain of chains)
    for (const index of chain.blocks) {
      const entry = assembled.entries[index];
      lines.push(
        `block ${index} at ${entry.toString(16)}:`,
        ...blockText(assembled, entry, program.blocks[index], mode),
      );
    }
  return lines.join("\n");
}

function blockText(
  { code }: AssembledProgram,
  entry: number,
  block: readonly Instruction[],
  mode: GuestMode,
): string[] {
  const decodeMode = { codeSize: is64(mode) ? 64 : 32, vex: true } as const;
  const lines: string[] = [];
  let at = entry;
  for (const { bytes } of block) {
    const { text } = disassemble(code, at - CODE, code.length - (at - CODE), decodeMode, BigInt(at));
    const hex = Buffer.from(code.subarray(at - CODE, at - CODE + bytes.length)).toString("hex");
    lines.push(`  ${at.toString(16)}  ${hex.padEnd(24)}  ${text}`);
    at += bytes.length;
  }
  return lines;
}
