// SPDX-License-Identifier: Apache-2.0
import { ByteWriter } from "./byte-writer.js";
import {
  laneOps,
  type LaneOpName,
  memoryOps,
  type MemoryOpName,
  plainOps,
  type PlainOpName,
  type ValueType,
} from "./opcodes.js";

export const VALUE_TYPE_CODE: { readonly [K in ValueType]: number } = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

/** Bytes of numbers that are filled in later: LEB128 of any i32, any i64, and any index below 2^14. */
const I32_BYTES = 5;
const I64_BYTES = 10;
const INDEX_BYTES = 2;
const VOID_BLOCK = 0x40;
/** Bytes to begin with. */
const USUAL_SIZE = 2048;

/** Which way a branch usually goes (the branch-hinting proposal). */
export type Likelihood = "likely" | "unlikely";

export interface BranchHint {
  /** Offset of the `if` or `br_if` in {@link CodeBuilder.bytes}. */
  readonly offset: number;
  readonly taken: boolean;
}

/** Body of a function, as {@link ModuleBuilder.defineFunction} takes it. */
export interface FunctionBody {
  /** Declaration of the locals beyond the parameters, as the binary format has it. */
  readonly declarations: Uint8Array;
  /** The code, without its last `end`. */
  readonly bytes: Uint8Array;
  readonly hints: readonly BranchHint[];
}

/** A number in the code that is filled in when it is known. */
export interface Mark {
  /** Offset of the number in {@link CodeBuilder.bytes}. */
  readonly offset: number;
  /** What it is, in terms of whoever emits the code. */
  readonly meaning: number;
}

/** Body of one function under construction: bytes and the types of its locals beyond the parameters. */
export class CodeBuilder implements FunctionBody {
  private readonly out = new ByteWriter(USUAL_SIZE);
  readonly locals: ValueType[] = [];
  readonly hints: BranchHint[] = [];
  /** Numbers that are still to be filled in. */
  readonly marks: Mark[] = [];
  /** Blocks, loops and ifs that are open. */
  depth = 0;
  /** End of the last `local.set`, if nothing has been emitted since, and the local. */
  private setEnd = -1;
  private setStart = -1;
  private setLocal = -1;

  constructor(readonly parameterCount: number) {}

  /** The code so far. Valid until more is emitted. */
  get bytes(): Uint8Array {
    return this.out.bytes;
  }

  /** Its length in bytes. */
  get length(): number {
    return this.out.length;
  }

  get declarations(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      const last = runs.at(-1);
      if (last !== undefined && last.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const out = new ByteWriter(16);
    out.unsigned(runs.length);
    for (const run of runs) {
      out.unsigned(run.count);
      out.byte(VALUE_TYPE_CODE[run.type]);
    }
    return out.bytes;
  }

  newLocal(type: ValueType): number {
    this.locals.push(type);
    return this.parameterCount + this.locals.length - 1;
  }

  /** Whether the last instruction was `local.set` of `local`, so that a `local.get` of it would cost nothing. */
  hasJustSet(local: number): boolean {
    return this.setEnd === this.out.length && this.setLocal === local;
  }

  plain(name: PlainOpName): void {
    this.opcode(plainOps[name].code);
  }

  memory(name: MemoryOpName, offset: number): void {
    const op = memoryOps[name];
    this.opcode(op.code);
    // Guest addresses may be unaligned; the hint says so for all but single bytes.
    this.out.unsigned(0);
    this.out.unsigned(offset);
  }

  /** Like {@link memory}, with an offset below 2^14 that is filled in later. Returns its place. */
  memoryWithPlace(name: MemoryOpName): number {
    this.opcode(memoryOps[name].code);
    this.out.unsigned(0);
    return this.place();
  }

  /** A constant from -2^13 to 2^13-1 that is filled in later. Returns its place. */
  constWithPlace(type: "i32" | "i64"): number {
    this.out.byte(type === "i32" ? 0x41 : 0x42);
    return this.place();
  }

  fillUnsigned(place: number, value: number): void {
    this.out.replace(place, (value & 0x7f) | 0x80);
    this.out.replace(place + 1, (value >> 7) & 0x7f);
  }

  fillSigned(place: number, value: number): void {
    this.fillUnsigned(place, value);
  }

  /** Room for an integer of two bytes in LEB128. */
  private place(): number {
    const at = this.out.length;
    this.out.byte(0x80);
    this.out.byte(0);
    return at;
  }

  lane(name: LaneOpName, lane: number): void {
    this.opcode(laneOps[name].code);
    this.out.byte(lane);
  }

  shuffle(lanes: readonly number[]): void {
    this.opcode(0xfd000d);
    this.out.append(lanes);
  }

  i32Const(value: number): void {
    this.out.byte(0x41);
    this.out.signed32(value);
  }

  i64Const(value: bigint): void {
    this.out.byte(0x42);
    this.out.signed64(value);
  }

  /** A constant of any value that {@link fillI32} fills in later. */
  markedI32Const(meaning: number): void {
    this.out.byte(0x41);
    this.mark(meaning, I32_BYTES);
  }

  /** A constant of any value that {@link fillI64} fills in later. */
  markedI64Const(meaning: number): void {
    this.out.byte(0x42);
    this.mark(meaning, I64_BYTES);
  }

  /** A call of a function whose index {@link fillIndex} fills in later. */
  markedCall(meaning: number): void {
    this.out.byte(0x10);
    this.mark(meaning, INDEX_BYTES);
  }

  private mark(meaning: number, bytes: number): void {
    this.marks.push({ offset: this.out.length, meaning });
    for (let i = 1; i < bytes; i++) this.out.byte(0x80);
    this.out.byte(0);
  }

  f32Const(bits: number): void {
    this.out.byte(0x43);
    this.out.byte(bits & 0xff);
    this.out.byte((bits >> 8) & 0xff);
    this.out.byte((bits >> 16) & 0xff);
    this.out.byte((bits >> 24) & 0xff);
  }

  v128Const(bytes: readonly number[]): void {
    this.opcode(0xfd000c);
    this.out.append(bytes);
  }

  localGet(index: number): void {
    const { out } = this;
    if (this.setEnd === out.length && this.setLocal === index) {
      // Set and get at once are a tee.
      out.replace(this.setStart, 0x22);
      this.setEnd = -1;
      return;
    }
    out.byte(0x20);
    out.unsigned(index);
  }

  localSet(index: number): void {
    this.setStart = this.out.length;
    this.out.byte(0x21);
    this.out.unsigned(index);
    this.setEnd = this.out.length;
    this.setLocal = index;
  }

  localTee(index: number): void {
    this.out.byte(0x22);
    this.out.unsigned(index);
  }

  select(): void {
    this.out.byte(0x1b);
  }

  drop(): void {
    this.out.byte(0x1a);
  }

  if(result?: ValueType, likelihood?: Likelihood): void {
    this.hint(likelihood);
    this.out.byte(0x04);
    this.out.byte(result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
    this.depth++;
  }

  else(): void {
    this.out.byte(0x05);
  }

  block(result?: ValueType): void {
    this.out.byte(0x02);
    this.out.byte(result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
    this.depth++;
  }

  loop(): void {
    this.out.byte(0x03);
    this.out.byte(VOID_BLOCK);
    this.depth++;
  }

  end(): void {
    this.out.byte(0x0b);
    this.depth--;
    // Whoever comes here by a branch has not passed the last set.
    this.setEnd = -1;
  }

  br(depth: number): void {
    this.out.byte(0x0c);
    this.out.unsigned(depth);
  }

  brIf(depth: number, likelihood?: Likelihood): void {
    this.hint(likelihood);
    this.out.byte(0x0d);
    this.out.unsigned(depth);
  }

  /** Jumps to `depths[index on the stack]`, or to `otherwise` beyond the last. */
  brTable(depths: readonly number[], otherwise: number): void {
    this.out.byte(0x0e);
    this.out.unsigned(depths.length);
    for (const depth of depths) this.out.unsigned(depth);
    this.out.unsigned(otherwise);
  }

  return(): void {
    this.out.byte(0x0f);
  }

  unreachable(): void {
    this.out.byte(0x00);
  }

  call(functionIndex: number): void {
    this.out.byte(0x10);
    this.out.unsigned(functionIndex);
  }

  returnCall(functionIndex: number): void {
    this.out.byte(0x12);
    this.out.unsigned(functionIndex);
  }

  returnCallIndirect(typeIndex: number, tableIndex: number): void {
    this.out.byte(0x13);
    this.out.unsigned(typeIndex);
    this.out.unsigned(tableIndex);
  }

  /** Moves the code from offset `start` to the end in front of everything else. */
  moveToFront(start: number): void {
    const shift = this.out.length - start;
    this.out.rotate(start);
    const moved = <T extends { readonly offset: number }>(list: T[]): void => {
      const items = list.map((item) => ({
        ...item,
        offset: item.offset >= start ? item.offset - start : item.offset + shift,
      }));
      list.splice(0, list.length, ...items.sort((a, b) => a.offset - b.offset));
    };
    moved(this.hints);
    moved(this.marks);
    this.setEnd = -1;
  }

  private hint(likelihood: Likelihood | undefined): void {
    if (likelihood !== undefined) this.hints.push({ offset: this.out.length, taken: likelihood === "likely" });
  }

  private opcode(code: number): void {
    if (code >= 0xfd0000) {
      this.out.byte(0xfd);
      this.out.unsigned(code & 0xffff);
    } else if (code >= 0xfc00) {
      this.out.byte(0xfc);
      this.out.unsigned(code & 0xff);
    } else this.out.byte(code);
  }
}

/** Fills an i32 in at `offset` of a code, where {@link CodeBuilder.markedI32Const} has left room. */
export function fillI32(code: Uint8Array, offset: number, value: number): void {
  let rest = value | 0;
  for (let i = 0; i < I32_BYTES - 1; i++) {
    code[offset + i] = (rest & 0x7f) | 0x80;
    rest >>= 7;
  }
  code[offset + I32_BYTES - 1] = rest & 0x7f;
}

/** Fills an i64 in, of which the halves are given, where {@link CodeBuilder.markedI64Const} has left room. */
export function fillI64(code: Uint8Array, offset: number, low: number, high: number): void {
  let [l, h] = [low | 0, high | 0];
  for (let i = 0; i < I64_BYTES - 1; i++) {
    code[offset + i] = (l & 0x7f) | 0x80;
    l = (l >>> 7) | (h << 25);
    h >>= 7;
  }
  code[offset + I64_BYTES - 1] = l & 0x7f;
}

/** Fills an index in where {@link CodeBuilder.markedCall} has left room. */
export function fillIndex(code: Uint8Array, offset: number, index: number): void {
  code[offset] = (index & 0x7f) | 0x80;
  code[offset + 1] = (index >> 7) & 0x7f;
}
