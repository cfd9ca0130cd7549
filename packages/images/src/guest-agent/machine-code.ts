// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";

/** A place in the program's memory, by its offset in the data segment. */
export interface Place {
  readonly offset: number;
}

/** A value of 64 bits: a number, what a variable holds, or the address of a place. */
export type Value = number | { readonly variable: Place } | { readonly addressOf: Place };

/** Where code goes on; `at` is null until the label is put. */
export interface Label {
  at: number | null;
}

/** Conditions of Jcc after CMP, signed (SDM volume 2, appendix B.1.4.7). */
const CONDITIONS = { "=": 0x4, "!=": 0x5, "<": 0xc, ">=": 0xd, "<=": 0xe, ">": 0xf } as const;
export type Condition = keyof typeof CONDITIONS;

/** Numbers of registers in ModRM; 8 and up need a REX bit. */
const enum Register {
  Rax = 0,
  Rcx = 1,
  Rdx = 2,
  Rsi = 6,
  Rdi = 7,
  R8 = 8,
  R9 = 9,
  R10 = 10,
}

/** Arguments of a Linux system call (syscall(2)). */
const ARGUMENTS = [Register.Rdi, Register.Rsi, Register.Rdx, Register.R10, Register.R8, Register.R9];
const ALIGNMENT = 16;
/** What begins with bytes comes first in the data segment, within this length; zeros follow, and take no room in a file. */
const INITIAL_LENGTH = 0x400;
const JUMP_LENGTH = 4;

/**
 * Writes 64-bit x86 code that lives on system calls: variables are in memory, every statement leaves the registers to the
 * next, and there are calls without parameters. Addresses are absolute, below 2 GiB.
 */
export class MachineCode {
  private readonly bytes: number[] = [];
  private readonly jumps: { readonly at: number; readonly to: Label }[] = [];
  private readonly initial: { readonly place: Place; readonly bytes: Uint8Array }[] = [];
  private initialLength = 0;
  private dataLength = INITIAL_LENGTH;

  /** @param dataAddress where the data segment will be */
  constructor(private readonly dataAddress: number) {}

  /** Memory for `length` bytes, zero at the start. */
  reserve(length: number): Place {
    const place = { offset: this.dataLength };
    this.dataLength += Math.ceil(length / ALIGNMENT) * ALIGNMENT;
    return place;
  }

  /** Memory that begins with `bytes`, and has their length. */
  place(bytes: Uint8Array): Place {
    const place = { offset: this.initialLength };
    this.initial.push({ place, bytes });
    this.initialLength += Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    assert(this.initialLength <= INITIAL_LENGTH, "initial data is short");
    return place;
  }

  /** A variable of 64 bits. */
  variable(): Place {
    return this.reserve(8);
  }

  label(): Label {
    return { at: null };
  }

  /** The next statement is where jumps to `label` lead. */
  put(label: Label): void {
    assert(label.at === null, "a label is put once");
    label.at = this.bytes.length;
  }

  jump(to: Label): void {
    this.bytes.push(0xe9);
    this.jumpTarget(to);
  }

  /** Jumps if `left` and `right`, as signed numbers, are so. */
  jumpIf(left: Value, condition: Condition, right: Value, to: Label): void {
    this.load(Register.Rax, left);
    this.load(Register.Rcx, right);
    // CMP rax, rcx
    this.bytes.push(0x48, 0x39, 0xc8, 0x0f, 0x80 | CONDITIONS[condition]);
    this.jumpTarget(to);
  }

  call(to: Label): void {
    this.bytes.push(0xe8);
    this.jumpTarget(to);
  }

  returnFromCall(): void {
    this.bytes.push(0xc3);
  }

  set(place: Place, value: Value): void {
    this.load(Register.Rax, value);
    this.storeRax(place);
  }

  add(place: Place, value: Value): void {
    this.load(Register.Rax, { variable: place });
    this.load(Register.Rcx, value);
    // ADD rax, rcx
    this.bytes.push(0x48, 0x01, 0xc8);
    this.storeRax(place);
  }

  subtract(place: Place, value: Value): void {
    this.load(Register.Rax, { variable: place });
    this.load(Register.Rcx, value);
    // SUB rax, rcx
    this.bytes.push(0x48, 0x29, 0xc8);
    this.storeRax(place);
  }

  /** The two dwords at `place` become `low` and `high`. */
  setHalves(place: Place, low: Value, high: Value): void {
    [low, high].forEach((value, i) => {
      this.load(Register.Rax, value);
      // MOV [place], eax
      this.bytes.push(0x89);
      this.absolute(Register.Rax, { offset: place.offset + 4 * i });
    });
  }

  /** Takes the low or high half of a 64-bit variable, as an unsigned number. */
  setToHalf(place: Place, from: Place, half: "low" | "high"): void {
    // MOV eax, [from] clears the upper half of rax.
    this.bytes.push(0x8b);
    this.absolute(Register.Rax, { offset: from.offset + (half === "low" ? 0 : 4) });
    this.storeRax(place);
  }

  /** `place` becomes the 64 bits at the address that `pointer` holds. */
  loadThrough(place: Place, pointer: Place): void {
    this.load(Register.Rcx, { variable: pointer });
    // MOV rax, [rcx]
    this.bytes.push(0x48, 0x8b, 0x01);
    this.storeRax(place);
  }

  /** The 64 bits at the address that `pointer` holds become `value`. */
  storeThrough(pointer: Place, value: Value): void {
    this.load(Register.Rax, value);
    this.load(Register.Rcx, { variable: pointer });
    // MOV [rcx], rax
    this.bytes.push(0x48, 0x89, 0x01);
  }

  /** A system call; `result`, if given, gets what it returns. */
  system(number: number, args: readonly Value[], result?: Place): void {
    args.forEach((value, i) => this.load(ARGUMENTS[i] ?? Register.R9, value));
    this.load(Register.Rax, number);
    this.bytes.push(0x0f, 0x05);
    if (result !== undefined) this.storeRax(result);
  }

  /** The code, whose first statement is where it starts, and the data: what is not given is zero. */
  finish(): { readonly code: Uint8Array; readonly data: Uint8Array; readonly dataLength: number } {
    const code = Uint8Array.from(this.bytes);
    const view = new DataView(code.buffer);
    for (const { at, to } of this.jumps) {
      assert(to.at !== null, "every label is put");
      view.setInt32(at, to.at - (at + JUMP_LENGTH), true);
    }
    const data = new Uint8Array(this.initialLength);
    for (const { place, bytes } of this.initial) data.set(bytes, place.offset);
    return { code, data, dataLength: this.dataLength };
  }

  private jumpTarget(to: Label): void {
    this.jumps.push({ at: this.bytes.length, to });
    this.bytes.push(0, 0, 0, 0);
  }

  private load(register: Register, value: Value): void {
    if (typeof value === "object" && "variable" in value) {
      // MOV r64, [variable]
      this.bytes.push(register >= 8 ? 0x4c : 0x48, 0x8b);
      this.absolute(register, value.variable);
      return;
    }
    const number = typeof value === "number" ? value : this.dataAddress + value.addressOf.offset;
    assert(Number.isInteger(number) && number >= -(2 ** 31) && number < 2 ** 31, "a number fits 32 bits");
    // MOV r64, imm32 with its sign
    this.bytes.push(register >= 8 ? 0x49 : 0x48, 0xc7, 0xc0 | (register & 7));
    this.dword(number);
  }

  private storeRax(place: Place): void {
    this.bytes.push(0x48, 0x89);
    this.absolute(Register.Rax, place);
  }

  /** ModRM and SIB for `[address]` without a base (SDM volume 2, table 2-3: base 101, no index). */
  private absolute(register: Register, place: Place): void {
    this.bytes.push(((register & 7) << 3) | 0x04, 0x25);
    this.dword(this.dataAddress + place.offset);
  }

  private dword(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.bytes.push((value >> shift) & 0xff);
  }
}
