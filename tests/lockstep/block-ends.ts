// SPDX-License-Identifier: Apache-2.0
import type { RandomNumbers } from "../fuzz/random-program.js";
import { DATA, type GuestMode, is64, OPEN_VECTORS } from "./guest-layout.js";
import type { Instruction, Target } from "./guest-program.js";
import { absolute, branch, plain, setRegister } from "./instruction-forms.js";
import { le32 } from "./instruction-source.js";

/** Address of a table of addresses of blocks, 8 bytes each. */
export const JUMP_TABLE: number = DATA;
export const JUMP_TABLE_ENTRIES = 16;

/** SHL, SAR, RCL, SHLD of ECX or CH by CL: whether they leave flags alone is known only when they run. */
const SHIFTS = ["d3e1", "d3f9", "d3d1", "d2e5", "0fa5c9"];

const JMP = [0xe9];
const CALL = [0xe8];

/** Draws the last instructions of blocks: every kind of jump. */
export class BlockEnds {
  constructor(
    private readonly random: RandomNumbers,
    private readonly mode: GuestMode,
    private readonly blockCount: number,
  ) {}

  private pick<T>(list: readonly T[]): T {
    return list[this.random.below(list.length)] as T;
  }

  private target(): Target {
    return { block: this.random.below(this.blockCount), instruction: 0, byte: 0 };
  }

  /** Blocks from `firstFunction` on end with RET, if they do not fall through. */
  private get firstFunction(): number {
    return Math.ceil((this.blockCount * 2) / 3);
  }

  /** Mostly the start of a function. */
  private callee(): Target {
    const { random, firstFunction, blockCount } = this;
    if (firstFunction === blockCount || random.below(6) === 0) return this.target();
    return { block: firstFunction + random.below(blockCount - firstFunction), instruction: 0, byte: 0 };
  }

  /** What block `index` ends with. If it `fallsThrough`, the next block follows it in memory. */
  draw(index: number, fallsThrough: boolean): Instruction[] {
    const { random } = this;
    const condition = 0x80 + random.below(16);
    if (fallsThrough) {
      const choice = random.below(12);
      if (choice < 4) return [branch([0x0f, condition], this.target())];
      // A short loop back to this block or the one before.
      if (choice < 7) {
        const head = { block: Math.max(0, index - random.below(3)), instruction: 0, byte: 0 };
        return [...this.countDown(), branch([0x0f, 0x85], head)];
      }
      if (choice === 7) return this.counted();
      if (choice < 10) return [branch(CALL, this.callee())];
      if (choice === 10) return this.indirect(2);
      return [];
    }
    if (index >= this.firstFunction) return [plain(this.pick(["c3", "c3", "c3", "c20000", "c20800"]))];
    switch (random.below(8)) {
      case 0:
        return [branch([0x0f, condition], this.target()), branch(JMP, this.target())];
      case 1:
      case 2:
        return [branch(JMP, this.target())];
      case 3:
        return this.indirect(4);
      case 4:
        return [this.pushTarget(), plain("c3")];
      case 5:
        return [plain(`cd${this.pick(OPEN_VECTORS).toString(16).padStart(2, "0")}`), branch(JMP, this.target())];
      case 6:
        return [branch(CALL, this.callee()), branch(JMP, this.target())];
      default:
        return random.below(6) === 0 ? [plain("c3")] : [branch(JMP, this.target())];
    }
  }

  /** AND with 31 and DEC, of a register that the pointers leave alone: a loop of few rounds, whatever it holds. */
  private countDown(): Instruction[] {
    const [and, dec] = this.pick(
      is64(this.mode)
        ? [
            ["4183e21f", "41ffca"],
            ["4983e31f", "49ffcb"],
            ["6683e21f", "66ffca"],
          ]
        : [
            ["83e21f", "4a"],
            ["80e21f", "feca"],
            ["83e11f", "49"],
          ],
    );
    return [plain(and ?? ""), plain(dec ?? "")];
  }

  /** LOOP, LOOPE, LOOPNE or JRCXZ over a jump to a jump. */
  private counted(): Instruction[] {
    const { random } = this;
    const short = [0xe0 + random.below(4), 5];
    const set = random.below(4) === 0 ? [setRegister(1, random.below(30))] : [];
    const over = branch(JMP, this.target());
    return [
      ...set,
      { bytes: random.below(4) === 0 ? [0x67, ...short] : short, fixups: [] },
      over,
      branch(JMP, this.target()),
    ];
  }

  /** CALL (2) or JMP (4) through a register or the table of blocks. */
  private indirect(reg: 2 | 4): Instruction[] {
    const { random } = this;
    const register = this.pick([0, 2, 3]);
    if (random.below(2) === 0) {
      const shift = random.below(2) === 0 ? [plain(this.pick(SHIFTS))] : [];
      const jump = { bytes: [0xff, 0xc0 | (reg << 3) | register], fixups: [] };
      return [setRegister(register, this.target()), ...shift, jump];
    }
    const entry = le32(JUMP_TABLE + random.below(JUMP_TABLE_ENTRIES) * 8);
    return [{ bytes: [0xff, ...absolute(reg, is64(this.mode)), ...entry], fixups: [] }];
  }

  private pushTarget(): Instruction {
    return { bytes: [0x68, 0, 0, 0, 0], fixups: [{ at: 1, relative: false, target: this.target() }] };
  }
}
