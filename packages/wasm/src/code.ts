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

/** Body of one function under construction: bytes and the types of its locals beyond the parameters. */
export class CodeBuilder {
  private readonly out = new ByteWriter(USUAL_SIZE);
  readonly locals: ValueType[] = [];
  readonly hints: BranchHint[] = [];
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
    const hints = this.hints.map(({ offset, taken }) => ({
      offset: offset >= start ? offset - start : offset + shift,
      taken,
    }));
    this.hints.splice(0, this.hints.length, ...hints.sort((a, b) => a.offset - b.offset));
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
