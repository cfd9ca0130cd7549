// SPDX-License-Identifier: Apache-2.0
// Random guest programs: blocks of random instructions, joined by every kind of jump.
import { RandomNumbers } from "../fuzz/random-program.js";
import { BlockEnds } from "./block-ends.js";
import {
  CODE,
  CODE_PAGES,
  DATA,
  DATA_PAGES,
  DEVICE_PAGE,
  GUEST_MODES,
  type GuestMode,
  is64,
  isUser,
  PAGE,
  STACK,
  STACK_TOP,
} from "./guest-layout.js";
import type { Chain, GuestProgram, Instruction, Target } from "./guest-program.js";
import { absolute, plain, setRegister } from "./instruction-forms.js";
import { dataAddress, type InstructionGroup, InstructionSource, le32 } from "./instruction-source.js";

const MAX_BLOCKS = 28;
const MAX_INSTRUCTIONS = 12;

/** What programs are made of: each draws its instructions by one of these sets of weights. */
const PROFILES: readonly Partial<Readonly<Record<InstructionGroup, number>>>[] = [
  { alu: 10, shift: 4, move: 8, bits: 3, string: 1, stack: 3, hint: 1 },
  { alu: 10, shift: 6, move: 10 },
  { alu: 4, shift: 2, move: 4, stack: 3, string: 4 },
  { alu: 3, move: 3, sseMove: 5, sseInteger: 4, sseFloat: 4 },
  { alu: 3, move: 3, sseMove: 2, sseInteger: 1, avx: 10 },
  { alu: 3, move: 3, x87: 8, sseMove: 2, stack: 1 },
  { alu: 3, shift: 1, move: 3, bits: 1, string: 1, stack: 1, hint: 1, sseMove: 1, sseInteger: 1, sseFloat: 1, x87: 2 },
];

/** Instructions that read flags which something before has set: at any distance, since they are drawn like others. */
const FLAG_READERS = ["9c", "9f", "0f92c0", "0f9ec1", "0f4ac8", "0f4fd3", "83d000", "19c1", "d0d2", "f5", "0f98c4"];
/** STOS, REP STOS, MOVS, FNSTCW, FSTP m80, FNSTENV, MASKMOVDQU at rDI: stores that helpers do. */
const HELPER_STORES = ["aa", "ab", "f3aa", "a4", "d93f", "db3f", "d937", "660ff7c1", "67aa"];
/** FXSAVE, FXRSTOR, both; XSAVE, XRSTOR, both; XSAVEOPT, XSAVEC, XGETBV, VZEROUPPER, VZEROALL. */
const STATE_SAVES = [
  ...["0fae03", "0fae0b", "0fae030fae0b", "0fae23", "0fae2b", "0fae230fae2b"],
  ...["0fae33", "0fc723", "0f01d0", "c5f877", "c5fc77"],
];
/** System instructions for privilege level 0, and those that every program may execute. */
const PRIVILEGED = [
  "fa",
  "fb",
  "fb90",
  "0f06",
  "0f20d8",
  "0f20d00f22d0",
  "e640",
  "e441",
  "8cd08ed0",
  "0f09",
  "0f013d00006000",
];
const UNPRIVILEGED = ["0f31", "0f0b", "cc", "f4", "0f01e0", "9d", "8cd88ed8", "cd80", "f1"];

/** Draws one program after the other; program `n` of a seed does not depend on the ones before it. */
export function generateProgram(seed: number): GuestProgram {
  return new ProgramGenerator(seed).generate();
}

class ProgramGenerator {
  private readonly random: RandomNumbers;
  private readonly source: InstructionSource;
  private readonly mode: GuestMode;
  private readonly groups: InstructionGroup[] = [];
  private readonly blockCount: number;
  private readonly ends: BlockEnds;
  /** Registers that hold addresses in the block being made. */
  private pointers: number[] = [];

  constructor(private readonly seed: number) {
    this.random = new RandomNumbers(seed);
    for (let i = 0; i < 4; i++) this.random.below(2);
    this.source = new InstructionSource(this.random);
    this.mode = this.pick(GUEST_MODES);
    this.blockCount = 2 + this.random.below(MAX_BLOCKS - 1);
    this.ends = new BlockEnds(this.random, this.mode, this.blockCount);
    for (const [group, weight] of Object.entries(this.pick(PROFILES)))
      for (let i = 0; i < weight; i++) this.groups.push(group as InstructionGroup);
  }

  generate(): GuestProgram {
    const { random, seed, mode } = this;
    const blocks: Instruction[][] = [];
    const chains: Chain[] = [];
    const straddled = new Set<number>();
    for (let i = 0; i < this.blockCount; i++) {
      const fallsThrough = i + 1 < this.blockCount && random.below(3) !== 0;
      const last = chains.at(-1);
      const goesOn = last !== undefined && this.fellThrough;
      blocks.push(this.block(i, fallsThrough));
      if (goesOn) chains[chains.length - 1] = { ...last, blocks: [...last.blocks, i] };
      else {
        const page = random.below(CODE_PAGES);
        const back = random.below(4) === 0 && page < CODE_PAGES - 1 && !straddled.has(page) ? 1 + random.below(60) : 0;
        if (back > 0) straddled.add(page);
        chains.push({ blocks: [i], page, back });
      }
      this.fellThrough = fallsThrough;
    }
    return {
      seed,
      mode,
      blocks,
      chains,
      lazyPages: this.lazyPages(),
      disturbed: random.below(2) === 0,
      lazyFloat: random.below(4) === 0,
    };
  }

  private fellThrough = false;

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)] as T;
  }

  private lazyPages(): number[] {
    const { random } = this;
    const pages: number[] = [];
    for (let i = 0; i < CODE_PAGES; i++) if (random.below(6) === 0) pages.push(CODE + i * PAGE);
    for (let i = 1; i < DATA_PAGES; i++) if (random.below(3) === 0) pages.push(DATA + i * PAGE);
    // Exceptions in legacy mode at privilege level 0 need the stack.
    if (this.mode !== "kernel32" && random.below(3) === 0) pages.push(STACK + PAGE);
    return pages;
  }

  // -- blocks ---------------------------------------------------------------------------------------------------------

  private block(index: number, fallsThrough: boolean): Instruction[] {
    const { random } = this;
    this.pointers = [];
    const out: Instruction[] = [];
    for (let i = random.below(4); i > 0; i--) out.push(this.pointer());
    if (index === 0 || random.below(10) === 0) out.push(setRegister(4, STACK_TOP));
    const count = random.below(MAX_INSTRUCTIONS);
    for (let i = 0; i < count; i++) this.addInstruction(index, out);
    out.push(...this.ends.draw(index, fallsThrough));
    return out;
  }

  private addInstruction(index: number, out: Instruction[]): void {
    const { random } = this;
    const choice = random.below(100);
    if (choice < 3) out.push(this.patch());
    else if (choice < 5) out.push(...this.storeAhead(index, out.length));
    else if (choice < 11) out.push(plain(this.pick(FLAG_READERS)));
    else if (choice < 13)
      out.push(plain(this.pick(isUser(this.mode) ? UNPRIVILEGED : [...PRIVILEGED, ...UNPRIVILEGED])));
    else if (choice < 15) out.push(this.deviceAccess());
    else if (choice < 16) out.push(...this.stateSave());
    else {
      const group = this.pick(this.groups);
      if (group === "string") out.push(...this.stringSetUp());
      out.push(this.source.draw(group, { codeSize: is64(this.mode) ? 64 : 32, pointers: this.pointers }));
    }
  }

  /** MOV register, address of data. */
  private pointer(): Instruction {
    const { random } = this;
    const register = this.pick(is64(this.mode) ? [3, 5, 6, 7, 8, 12, 13, 15] : [3, 5, 6, 7]);
    if (!this.pointers.includes(register)) this.pointers.push(register);
    return setRegister(register, random.below(12) === 0 ? this.codeTarget() : dataAddress(random));
  }

  /** Registers of string instructions, most of the time small counts and good addresses. */
  private stringSetUp(): Instruction[] {
    const { random } = this;
    const out: Instruction[] = [];
    if (random.below(8) !== 0) out.push(setRegister(1, random.below(40)));
    if (random.below(4) !== 0) out.push(setRegister(6, dataAddress(random)));
    if (random.below(4) !== 0)
      out.push(setRegister(7, random.below(6) === 0 ? this.codeTarget() : dataAddress(random)));
    if (random.below(4) === 0) out.push(plain("fd"));
    if (random.below(3) === 0) out.push(plain("fc"));
    return out;
  }

  /** A byte of the program itself. */
  private codeTarget(): Target {
    const { random } = this;
    return {
      block: random.below(this.blockCount),
      instruction: random.below(MAX_INSTRUCTIONS),
      byte: -1 - random.below(3),
      alias: random.below(2) === 0,
    };
  }

  /** MOV, XOR or ADD byte [code], immediate: the program changes itself. */
  private patch(): Instruction {
    const { random } = this;
    const [opcode, reg] = this.pick([
      [0xc6, 0],
      [0x80, 6],
      [0x80, 0],
    ]);
    const target = this.codeTarget();
    const bytes = [opcode, ...absolute(reg, is64(this.mode)), 0, 0, 0, 0, random.below(256)];
    return { bytes, fixups: [{ at: bytes.length - 5, relative: false, target }] };
  }

  /** A store by a helper into what follows it in the same block. */
  private storeAhead(block: number, at: number): Instruction[] {
    const { random } = this;
    const target = {
      block,
      instruction: at + 2 + random.below(3),
      byte: random.below(3),
      alias: random.below(2) === 0,
    };
    return [setRegister(7, target), plain(this.pick(HELPER_STORES))];
  }

  /** MOV to or from a register of the device. */
  private deviceAccess(): Instruction {
    const { random } = this;
    const address = le32(DATA + DEVICE_PAGE * PAGE + random.below(16) * 4);
    const opcode = this.pick([0x88, 0x89, 0x8a, 0x8b, 0x01, 0x03]);
    const reg = this.pick([0, 1, 2, 3]);
    return { bytes: [opcode, ...absolute(reg, is64(this.mode)), ...address], fixups: [] };
  }

  /** FXSAVE, XSAVE, their like and VZEROALL, which work on the vector registers in the CPU record. */
  private stateSave(): Instruction[] {
    const at = setRegister(3, dataAddress(this.random) & ~63);
    return [at, plain(this.pick(STATE_SAVES))];
  }
}
