// SPDX-License-Identifier: Apache-2.0
import type { Value, Variable } from "@isola/engine";
import { Flags, type Size } from "../semantics/flags.js";
import type { X86Emitter } from "../semantics/x86-emitter.js";
import { FlagOperation, FlagStateBits } from "./flag-operation.js";

/**
 * Where the flags are: in locals, as a number that FlagStateBits explains; or in the CPU record, as its field flagKind
 * says in the same terms while the guest runs.
 */
export type FlagState = number | "stored";

const COMPUTED: FlagState = 0;

/** Operations whose second operand matters. */
const BINARY: ReadonlySet<FlagOperation> = new Set([FlagOperation.Add, FlagOperation.Sub, FlagOperation.Multiply]);

const LOG2_BYTES: { readonly [size in Size]: number } = { 8: 0, 16: 1, 32: 2, 64: 3 };

/**
 * Flags in compiled regions: the operands of the last operation stay in locals, and what a condition needs is computed
 * from them where it is tested. Nothing is computed for flags that nobody reads. Which operation it was is known while
 * code is emitted. Where ways meet, and where control leaves the region, the operands are stored into the CPU record
 * beside the name of the operation, so that no local has to be kept for an exit that is hardly ever taken.
 */
export class LazyFlags extends Flags {
  state: FlagState = "stored";
  private readonly a32: Variable;
  private readonly b32: Variable;
  private readonly a64: Variable;
  private readonly b64: Variable;
  private readonly keptCarry: Variable;
  private readonly keptOverflow: Variable;
  private readonly computedRes: Variable;
  private readonly computedAux: Variable;

  constructor(
    e: X86Emitter,
    /** Assigned once for the whole region. */
    local: (type: "i32" | "i64") => Variable,
  ) {
    super(e);
    this.a32 = local("i32");
    this.b32 = local("i32");
    this.a64 = local("i64");
    this.b64 = local("i64");
    this.keptCarry = local("i32");
    this.keptOverflow = local("i32");
    this.computedRes = local("i64");
    this.computedAux = local("i32");
  }

  // -- setting --------------------------------------------------------------------------------------------------------

  override add(size: Size, a: Value, b: Value): void {
    this.remember(FlagOperation.Add, size, a, b);
  }

  override sub(size: Size, a: Value, b: Value): void {
    this.remember(FlagOperation.Sub, size, a, b);
  }

  override logic(size: Size, result: Value): void {
    this.remember(FlagOperation.Logic, size, result);
  }

  override product(size: Size, a: Value, b: Value): void {
    this.remember(FlagOperation.Multiply, size, a, b);
  }

  override increment(size: Size, a: Value): void {
    const carry = this.carry();
    this.remember(FlagOperation.Increment, size, a);
    this.keep(carry, null);
  }

  override decrement(size: Size, a: Value): void {
    const carry = this.carry();
    this.remember(FlagOperation.Decrement, size, a);
    this.keep(carry, null);
  }

  override explicit(size: Size, result: Value, carry: Value, overflow: Value, adjust?: Value): void {
    if (adjust !== undefined) return super.explicit(size, result, carry, overflow, adjust);
    this.remember(FlagOperation.Logic, size, result);
    this.keep(carry, overflow);
  }

  override setCarry(carry: Value): void {
    if (this.state === "stored") this.compute();
    this.keep(carry, null);
  }

  override setCarryOverflow(carry: Value, overflow: Value): void {
    if (this.state === "stored") this.compute();
    this.keep(carry, overflow);
  }

  private remember(operation: FlagOperation, size: Size, a: Value, b?: Value): void {
    this.e.assign(size === 64 ? this.a64 : this.a32, a);
    if (b !== undefined) this.e.assign(size === 64 ? this.b64 : this.b32, b);
    this.state = (operation << FlagStateBits.OperationShift) | LOG2_BYTES[size];
  }

  /** From now on CF, and OF if it is given, are what is given, whatever the operation says. */
  private keep(carry: Value, overflow: Value | null): void {
    this.e.assign(this.keptCarry, carry);
    let bits: number = FlagStateBits.CarryKept;
    if (overflow !== null) {
      this.e.assign(this.keptOverflow, overflow);
      bits |= FlagStateBits.OverflowKept;
    }
    this.state = Number(this.state) | bits;
  }

  protected override setAux(aux: Value): void {
    this.e.assign(this.computedAux, aux);
    this.state = COMPUTED;
  }

  protected override setRes(res: Value): void {
    this.e.assign(this.computedRes, res);
    this.state = COMPUTED;
  }

  // -- reading --------------------------------------------------------------------------------------------------------

  private get operation(): FlagOperation | "stored" {
    if (this.state === "stored") return "stored";
    return (this.state & FlagStateBits.OperationMask) >> FlagStateBits.OperationShift;
  }

  private has(bit: FlagStateBits): boolean {
    return this.state !== "stored" && (this.state & bit) !== 0;
  }

  private get size(): Size {
    return (8 << (Number(this.state) & 3)) as Size;
  }

  private get a(): Value {
    return this.e.value(this.size === 64 ? this.a64 : this.a32);
  }

  private get b(): Value {
    return this.e.value(this.size === 64 ? this.b64 : this.b32);
  }

  /** The result of the last operation, zero-extended from its size. */
  private result(): Value {
    const { e, size } = this;
    const a = this.a;
    switch (this.operation) {
      case FlagOperation.Add:
        return e.zeroExtend(e.add(a, this.b), size);
      case FlagOperation.Sub:
        return e.zeroExtend(e.sub(a, this.b), size);
      case FlagOperation.Increment:
        return e.zeroExtend(e.add(a, e.constantLike(a, 1)), size);
      case FlagOperation.Decrement:
        return e.zeroExtend(e.sub(a, e.constantLike(a, 1)), size);
      case FlagOperation.Multiply:
        return e.zeroExtend(e.mul(a, this.b), size);
      default:
        return a;
    }
  }

  override carry(): Value {
    const { e } = this;
    if (this.has(FlagStateBits.CarryKept)) return e.value(this.keptCarry);
    switch (this.operation) {
      case FlagOperation.Add: {
        const { a, b, size } = this;
        const sum = e.add(a, b);
        return size < 32 ? e.shrU(sum, size) : e.ltU(sum, a);
      }
      case FlagOperation.Sub:
        return e.ltU(this.a, this.b);
      case FlagOperation.Logic:
        return e.i32(0);
      default:
        return super.carry();
    }
  }

  override overflow(): Value {
    if (this.has(FlagStateBits.OverflowKept)) return this.e.value(this.keptOverflow);
    return this.operation === FlagOperation.Logic ? this.e.i32(0) : super.overflow();
  }

  override zero(): Value {
    const { operation, e } = this;
    if (operation === "stored" || operation === FlagOperation.Computed) return super.zero();
    if (operation === FlagOperation.Sub) return e.eq(this.a, this.b);
    return e.eqz(this.result());
  }

  override sign(): Value {
    const { operation, e } = this;
    if (operation === "stored" || operation === FlagOperation.Computed) return super.sign();
    const { size } = this;
    return e.and(e.wrap(e.shrU(this.result(), size - 1)), e.i32(1));
  }

  protected override positiveCondition(code: number): Value {
    const kept =
      (code === 3 && this.has(FlagStateBits.CarryKept)) || (code >= 6 && this.has(FlagStateBits.OverflowKept));
    return (kept ? null : this.comparison(code)) ?? super.positiveCondition(code);
  }

  /** Conditions of two flags that are one comparison of the operands; null for others. */
  private comparison(code: number): Value | null {
    const { e } = this;
    if (code !== 3 && code < 6) return null;
    switch (this.operation) {
      case FlagOperation.Sub: {
        const { a, b } = this;
        if (code === 3) return e.leU(a, b);
        return code === 6 ? e.ltS(this.signed(a), this.signed(b)) : e.eqz(e.gtS(this.signed(a), this.signed(b)));
      }
      case FlagOperation.Logic: {
        const a = this.signed(this.a);
        const zero = e.constantLike(a, 0);
        if (code === 3) return e.eqz(a);
        return code === 6 ? e.ltS(a, zero) : e.eqz(e.gtS(a, zero));
      }
      case FlagOperation.Decrement:
        return code === 3 ? null : this.signedBelow(1, code === 7);
      case FlagOperation.Increment:
        return code === 3 ? null : this.signedBelow(-1, code === 7);
      default:
        return null;
    }
  }

  private signed(value: Value): Value {
    return this.e.signExtend(value, this.size);
  }

  /** The operand is less than (or equal to) `bound` as a signed number. */
  private signedBelow(bound: number, orEqual: boolean): Value {
    const { e } = this;
    const a = this.signed(this.a);
    const other = e.constantLike(a, bound);
    return orEqual ? e.eqz(e.gtS(a, other)) : e.ltS(a, other);
  }

  protected override aux(): Value {
    this.compute();
    return this.e.value(this.computedAux);
  }

  protected override res(): Value {
    this.compute();
    return this.e.value(this.computedRes);
  }

  // -- representation -------------------------------------------------------------------------------------------------

  /** Brings the flags into the form that flagRes and flagAux have in the CPU record. */
  compute(): void {
    const { e, operation } = this;
    if (this.state === COMPUTED) return;
    if (operation === "stored") {
      this.settle();
      e.assign(this.computedRes, e.loadState("i64.load", "flagRes"));
      e.assign(this.computedAux, e.loadState("i32.load", "flagAux"));
      this.state = COMPUTED;
      return;
    }
    const carry = this.has(FlagStateBits.CarryKept) ? e.value(this.keptCarry) : null;
    const overflow = this.has(FlagStateBits.OverflowKept) ? e.value(this.keptOverflow) : null;
    this.computeOperation(operation);
    if (carry === null && overflow === null) return;
    super.setCarryOverflow(carry ?? super.carry(), overflow ?? super.overflow());
  }

  /** The same for what the operation says, without flags that are kept apart. */
  private computeOperation(operation: FlagOperation): void {
    if (operation === FlagOperation.Computed) {
      this.state = COMPUTED;
      return;
    }
    const { e, size } = this;
    const a = this.a;
    const result = this.result();
    const one = e.constantLike(a, 1);
    switch (operation) {
      case FlagOperation.Add:
        return this.store(size, result, this.auxOfSum(size, a, this.b, result));
      case FlagOperation.Sub:
        return this.store(size, result, this.auxOfDifference(size, a, this.b, result));
      case FlagOperation.Logic:
        return this.store(size, result, e.i32(0));
      case FlagOperation.Increment:
        return this.store(size, result, this.auxOfSum(size, a, one, result));
      case FlagOperation.Decrement:
        return this.store(size, result, this.auxOfDifference(size, a, one, result));
      case FlagOperation.Multiply:
        return this.store(size, result, e.shl(this.overflowOfProduct(size, a, this.b, result), 31));
    }
  }

  /** Brings the CPU record up to date; `state` stays as it is. */
  storeLazily(): void {
    const { e, state, operation } = this;
    if (state === "stored" || operation === "stored") return;
    e.storeState("i32.store", "flagKind", e.i32(state));
    if (operation === FlagOperation.Computed) {
      e.storeState("i64.store", "flagRes", e.value(this.computedRes));
      e.storeState("i32.store", "flagAux", e.value(this.computedAux));
    } else {
      e.storeState("i64.store", "flagA", e.extendU(this.a));
      if (BINARY.has(operation)) e.storeState("i64.store", "flagB", e.extendU(this.b));
    }
    if (this.has(FlagStateBits.CarryKept)) e.storeState("i32.store", "flagCarry", e.value(this.keptCarry));
    if (this.has(FlagStateBits.OverflowKept)) e.storeState("i32.store", "flagOverflow", e.value(this.keptOverflow));
  }

  /** Makes the CPU record's flagRes and flagAux right, whatever flags have been stored: what all other code reads. */
  settle(): void {
    const { e } = this;
    e.if(e.loadState("i32.load", "flagKind"), () => e.callVoid("materializeFlags", [e.cpu]));
  }
}
