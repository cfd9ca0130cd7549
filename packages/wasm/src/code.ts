// SPDX-License-Identifier: Apache-2.0
import { pushSigned32, pushSigned64, pushUnsigned } from "./leb128.js";
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

/** Which way a branch usually goes (the branch-hinting proposal). */
export type Likelihood = "likely" | "unlikely";

export interface BranchHint {
  /** Offset of the `if` or `br_if` in {@link CodeBuilder.bytes}. */
  readonly offset: number;
  readonly taken: boolean;
}

/** Body of one function under construction: bytes and the types of its locals beyond the parameters. */
export class CodeBuilder {
  readonly bytes: number[] = [];
  readonly locals: ValueType[] = [];
  readonly hints: BranchHint[] = [];
  /** Blocks, loops and ifs that are open. */
  depth = 0;
  /** End of the last `local.set`, if nothing has been emitted since, and the local. */
  private setEnd = -1;
  private setLocal = -1;

  constructor(readonly parameterCount: number) {}

  newLocal(type: ValueType): number {
    this.locals.push(type);
    return this.parameterCount + this.locals.length - 1;
  }

  plain(name: PlainOpName): void {
    this.opcode(plainOps[name].code);
  }

  memory(name: MemoryOpName, offset: number): void {
    const op = memoryOps[name];
    this.opcode(op.code);
    // Guest addresses may be unaligned; the hint says so for all but single bytes.
    pushUnsigned(this.bytes, 0);
    pushUnsigned(this.bytes, offset);
  }

  lane(name: LaneOpName, lane: number): void {
    this.opcode(laneOps[name].code);
    this.bytes.push(lane);
  }

  shuffle(lanes: readonly number[]): void {
    this.opcode(0xfd000d);
    for (const lane of lanes) this.bytes.push(lane);
  }

  i32Const(value: number): void {
    this.bytes.push(0x41);
    pushSigned32(this.bytes, value);
  }

  i64Const(value: bigint): void {
    this.bytes.push(0x42);
    pushSigned64(this.bytes, value);
  }

  f32Const(bits: number): void {
    this.bytes.push(0x43, bits & 0xff, (bits >> 8) & 0xff, (bits >> 16) & 0xff, (bits >> 24) & 0xff);
  }

  v128Const(bytes: readonly number[]): void {
    this.opcode(0xfd000c);
    for (const byte of bytes) this.bytes.push(byte & 0xff);
  }

  localGet(index: number): void {
    const { bytes } = this;
    if (this.setEnd === bytes.length && this.setLocal === index) {
      // Set and get at once are a tee.
      let at = bytes.length - 2;
      while ((bytes[at] ?? 0) >= 0x80) at--;
      bytes[at] = 0x22;
      this.setEnd = -1;
      return;
    }
    bytes.push(0x20);
    pushUnsigned(bytes, index);
  }

  localSet(index: number): void {
    this.bytes.push(0x21);
    pushUnsigned(this.bytes, index);
    this.setEnd = this.bytes.length;
    this.setLocal = index;
  }

  localTee(index: number): void {
    this.bytes.push(0x22);
    pushUnsigned(this.bytes, index);
  }

  select(): void {
    this.bytes.push(0x1b);
  }

  drop(): void {
    this.bytes.push(0x1a);
  }

  if(result?: ValueType, likelihood?: Likelihood): void {
    this.hint(likelihood);
    this.bytes.push(0x04, result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
    this.depth++;
  }

  else(): void {
    this.bytes.push(0x05);
  }

  block(result?: ValueType): void {
    this.bytes.push(0x02, result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
    this.depth++;
  }

  loop(): void {
    this.bytes.push(0x03, VOID_BLOCK);
    this.depth++;
  }

  end(): void {
    this.bytes.push(0x0b);
    this.depth--;
    // Whoever comes here by a branch has not passed the last set.
    this.setEnd = -1;
  }

  br(depth: number): void {
    this.bytes.push(0x0c);
    pushUnsigned(this.bytes, depth);
  }

  brIf(depth: number, likelihood?: Likelihood): void {
    this.hint(likelihood);
    this.bytes.push(0x0d);
    pushUnsigned(this.bytes, depth);
  }

  /** Jumps to `depths[index on the stack]`, or to `otherwise` beyond the last. */
  brTable(depths: readonly number[], otherwise: number): void {
    this.bytes.push(0x0e);
    pushUnsigned(this.bytes, depths.length);
    for (const depth of depths) pushUnsigned(this.bytes, depth);
    pushUnsigned(this.bytes, otherwise);
  }

  return(): void {
    this.bytes.push(0x0f);
  }

  unreachable(): void {
    this.bytes.push(0x00);
  }

  call(functionIndex: number): void {
    this.bytes.push(0x10);
    pushUnsigned(this.bytes, functionIndex);
  }

  returnCall(functionIndex: number): void {
    this.bytes.push(0x12);
    pushUnsigned(this.bytes, functionIndex);
  }

  returnCallIndirect(typeIndex: number, tableIndex: number): void {
    this.bytes.push(0x13);
    pushUnsigned(this.bytes, typeIndex);
    pushUnsigned(this.bytes, tableIndex);
  }

  /** Moves the code from offset `start` to the end in front of everything else. */
  moveToFront(start: number): void {
    const front = this.bytes.splice(start);
    const shift = front.length;
    const body = this.bytes.splice(0, this.bytes.length, ...front);
    for (const byte of body) this.bytes.push(byte);
    const hints = this.hints.map(({ offset, taken }) => ({
      offset: offset >= start ? offset - start : offset + shift,
      taken,
    }));
    this.hints.splice(0, this.hints.length, ...hints.sort((a, b) => a.offset - b.offset));
    this.setEnd = -1;
  }

  private hint(likelihood: Likelihood | undefined): void {
    if (likelihood !== undefined) this.hints.push({ offset: this.bytes.length, taken: likelihood === "likely" });
  }

  private opcode(code: number): void {
    if (code >= 0xfd0000) {
      this.bytes.push(0xfd);
      pushUnsigned(this.bytes, code & 0xffff);
    } else if (code >= 0xfc00) {
      this.bytes.push(0xfc);
      pushUnsigned(this.bytes, code & 0xff);
    } else this.bytes.push(code);
  }
}
