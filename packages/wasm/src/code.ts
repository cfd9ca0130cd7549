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

/** Body of one function under construction: bytes and the types of its locals beyond the parameters. */
export class CodeBuilder {
  readonly bytes: number[] = [];
  readonly locals: ValueType[] = [];

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
    this.bytes.push(0x20);
    pushUnsigned(this.bytes, index);
  }

  localSet(index: number): void {
    this.bytes.push(0x21);
    pushUnsigned(this.bytes, index);
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

  if(result?: ValueType): void {
    this.bytes.push(0x04, result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
  }

  else(): void {
    this.bytes.push(0x05);
  }

  block(result?: ValueType): void {
    this.bytes.push(0x02, result === undefined ? VOID_BLOCK : VALUE_TYPE_CODE[result]);
  }

  loop(): void {
    this.bytes.push(0x03, VOID_BLOCK);
  }

  end(): void {
    this.bytes.push(0x0b);
  }

  br(depth: number): void {
    this.bytes.push(0x0c);
    pushUnsigned(this.bytes, depth);
  }

  brIf(depth: number): void {
    this.bytes.push(0x0d);
    pushUnsigned(this.bytes, depth);
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
