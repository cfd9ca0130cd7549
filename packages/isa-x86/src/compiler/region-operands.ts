// SPDX-License-Identifier: Apache-2.0
import { RecordField, type Value } from "@isola/engine";
import { cpu as layout } from "../cpu-layout.js";
import { mayBeAddress, mayLeaveImage, RelocationKind } from "./relocation.js";
import { RegionValues } from "./region-values.js";

const GPR = layout.at("gpr");
const VEC = layout.at("vec");
const VEC_STRIDE = layout.fields.vec.stride;
const ZERO = layout.at("zero");
const CODE_BASE = layout.at("codeBase");
const EA = layout.at("effectiveAddress");

type Slot = "reg" | "rm" | "vvvv";
type GprSize = 8 | 16 | 32 | 64;
const SLOT_FIELD = { reg: RecordField.Reg, rm: RecordField.Rm, vvvv: RecordField.Vvvv } as const;

/** Operands of instructions: what a decoded record names becomes a constant, a local or an address. */
export abstract class RegionOperands extends RegionValues {
  /** Linear address of the instruction's memory operand, once it has been computed. */
  protected linear: Value | null = null;

  protected get pageOffset(): number {
    return this.port.view.getUint16(this.at + RecordField.PageOffset, true);
  }

  private slotOffset(slot: Slot): number {
    return this.port.view.getUint16(this.at + SLOT_FIELD[slot], true);
  }

  slotAddress(slot: Slot): Value {
    return this.add(this.cpu, this.i32(this.slotOffset(slot)));
  }

  readGprSlot(slot: Slot, size: GprSize): Value {
    const offset = this.slotOffset(slot) - GPR;
    return this.readRegister(offset >> 3, size, (offset & 1) !== 0);
  }

  writeGprSlot(slot: Slot, size: GprSize, value: Value): void {
    const offset = this.slotOffset(slot) - GPR;
    this.writeRegister(offset >> 3, size, (offset & 1) !== 0, value);
  }

  override readGpr(index: number, size: GprSize): Value {
    return this.readRegister(index, size, false);
  }

  override writeGpr(index: number, size: GprSize, value: Value): void {
    this.writeRegister(index, size, false, value);
  }

  private readWhole(index: number): Value {
    const whole = this.locals.readGpr(index);
    this.addresses.read(index, whole);
    return whole;
  }

  /** @param high bits 8-15: AH CH DH BH */
  private readRegister(index: number, size: GprSize, high: boolean): Value {
    const whole = this.readWhole(index);
    if (size === 64) return this.extendU(whole);
    const low = this.wrap(whole);
    if (size === 32) return low;
    return this.zeroExtend(high ? this.shrU(low, 8) : low, size);
  }

  private writeRegister(index: number, size: GprSize, high: boolean, value: Value): void {
    const { locals, wide } = this;
    if (size >= 32) {
      const whole = wide ? this.extendU(value) : this.wrap(value);
      this.addresses.write(index, wide && size === 32 ? null : whole);
      return locals.writeGpr(index, whole);
    }
    this.addresses.write(index, null);
    const mask = size === 16 ? 0xffff : high ? 0xff00 : 0xff;
    const old = locals.readGpr(index);
    const part = high ? this.shl(value, 8) : value;
    const kept = this.and(old, this.constantLike(old, ~mask));
    locals.writeGpr(index, this.or(kept, wide ? this.extendU(part) : part));
  }

  readVectorSlot(slot: Slot): Value {
    return this.locals.readVector((this.slotOffset(slot) - VEC) / VEC_STRIDE);
  }

  writeVectorSlot(slot: Slot, value: Value): void {
    this.locals.writeVector((this.slotOffset(slot) - VEC) / VEC_STRIDE, value);
  }

  readXmm(index: number): Value {
    return this.locals.readVector(index);
  }

  writeXmm(index: number, value: Value): void {
    this.locals.writeVector(index, value);
  }

  immediate(): Value {
    const value = this.port.view.getBigInt64(this.at + RecordField.Immediate, true);
    if (this.isSpecial || !mayBeAddress(value)) return this.i64(value);
    const kind = value === BigInt.asIntN(32, value) ? RelocationKind.Immediate : RelocationKind.LongImmediate;
    return this.ofRecord(kind, this.at, "i64");
  }

  linearAddress(): Value {
    this.linear ??= this.computeAddress(this.form.addressing !== "flat32");
    return this.linear;
  }

  effectiveAddress(): Value {
    return this.linearAddress();
  }

  /** @param long the sum has 64 bits, else 32 */
  protected computeAddress(long: boolean): Value {
    const { view } = this.port;
    const base = view.getUint16(this.at + RecordField.Base, true);
    const index = view.getUint16(this.at + RecordField.Index, true);
    const scale = view.getUint8(this.at + RecordField.Scale);
    const field = view.getInt32(this.at + RecordField.Displacement, true);
    const isRelative = base === CODE_BASE;
    let sum: Value | null = null;
    if (base === EA) sum = this.value(this.locals.effectiveAddress);
    else if (isRelative) sum = this.value(this.locals.codeBase);
    else if (base !== ZERO) sum = this.readWhole((base - GPR) >> 3);
    const narrow = (value: Value): Value => (long ? this.extendU(value) : this.wrap(value));
    if (sum !== null) sum = narrow(sum);
    if (index !== ZERO) {
      const scaled = this.shl(narrow(this.locals.readGpr((index - GPR) >> 3)), scale);
      sum = sum === null ? scaled : this.add(sum, scaled);
    }
    const type = long ? "i64" : "i32";
    let offset: Value;
    if (isRelative ? mayLeaveImage(field) : mayBeAddress(field))
      offset = this.ofRecord(isRelative ? RelocationKind.FarDisplacement : RelocationKind.Displacement, this.at, type);
    else {
      const displacement = isRelative ? field + this.block.delta : field;
      offset = long ? this.i64(displacement) : this.i32(displacement);
    }
    const address = sum === null ? offset : this.add(sum, offset);
    return this.extendU(address);
  }
}
