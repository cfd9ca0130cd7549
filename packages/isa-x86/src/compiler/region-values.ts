// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { type HelperResolver, RECORD_SIZE, type Value, type Variable } from "@isola/engine";
import type { CodeBuilder, ValueType } from "@isola/wasm";
import { X86Emitter } from "../semantics/x86-emitter.js";
import type { Form } from "../table/form.js";
import type { ExitKind } from "./exits.js";
import { AddressTracker } from "./access-group.js";
import { isPure, mayReachDevice, maySetEvent, mayWriteMemory, selectsTlb, touchesVectors } from "./helper-effects.js";
import { type FlagState, LazyFlags } from "./lazy-flags.js";
import type { RegionBlock } from "./region.js";
import { Relocated, relocation, RelocationKind } from "./relocation.js";
import { Extended, isExtended, RegionLocals } from "./region-locals.js";

/** What the emitter needs to know of the code around the instruction. */
export interface RegionPort {
  readonly view: DataView;
  /** Form of a handler number. */
  formOf(handler: number): Form;
  block(index: number): RegionBlock;
  /** Branches to the code of a block of the region. */
  jumpToBlock(index: number): void;
  /** Level of the label of a way out. */
  exitLevel(kind: ExitKind): number;
  /** Tells that control goes to a block next. */
  reach(index: number): void;
  /** Blocks to which control comes only from the one that is being emitted. */
  heirs(): readonly RegionBlock[];
}

/**
 * The values of a region's function, which are locals, constants, or registers that stand in locals; and the control
 * flow and the calls of helpers inside one instruction.
 */
export abstract class RegionValues extends X86Emitter {
  readonly cpu: Value = this.parameter(1, "i32");
  readonly flags: LazyFlags;
  readonly locals: RegionLocals;
  form: Form;
  /** Record of the instruction. */
  protected at = 0;
  /** It belongs to no instruction of the guest, and its constants are not the guest's. */
  protected isSpecial = false;
  protected block: RegionBlock;
  /** Control does not come to where code is emitted next. */
  protected left = false;
  /** A helper may have written this block's own code. */
  protected mustCheckDeath = false;
  /** The helper called last was given the record. */
  protected recordInCall = false;
  readonly addresses = new AddressTracker();
  /** Arms of ifs inside the instruction that are being emitted. */
  protected armDepth = 0;
  /** A constant that is put into `exitRecord` on the way, in case that the helper to which it is passed faults. */
  readonly record: Value = { type: "i32", local: -1, constant: null };

  constructor(
    code: CodeBuilder,
    helpers: HelperResolver,
    protected readonly port: RegionPort,
    /** Registers have 64 bits: 64-bit code. */
    readonly wide: boolean,
    first: RegionBlock,
    form: Form,
  ) {
    super(code, helpers);
    this.locals = new RegionLocals(code, wide, (value) => this.push(value));
    this.flags = new LazyFlags(this, (type) => this.locals.variable(type));
    this.block = first;
    this.form = form;
  }

  // -- control flow inside an instruction ------------------------------------------------------------------------------

  /** A path that ends in leaving the region and is hardly ever taken. */
  protected coldIf(condition: Value, leave: () => void): void {
    const { left } = this;
    this.push(condition);
    this.code.if(undefined, "unlikely");
    leave();
    this.code.end();
    this.left = left;
  }

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    if (condition.constant !== null) {
      if (condition.constant !== 0n) then();
      else otherwise?.();
      return;
    }
    const { flags, locals } = this;
    // Values that stand for registers must not change their meaning in one arm only.
    locals.detachAll();
    const before = flags.state;
    const wasLeft = this.left;
    /** Emits an arm and returns how it leaves the flags, or null if control does not come to its end. */
    const arm = (part: () => void): FlagState | null => {
      this.left = false;
      flags.state = before;
      part();
      if (!this.left) locals.detachAll();
      return this.left ? null : flags.state;
    };
    this.push(condition);
    this.code.if();
    const registers = this.addresses.snapshot();
    this.armDepth++;
    const first = arm(then);
    this.addresses.forgetChanges(registers);
    let second: FlagState | null = before;
    if (otherwise !== undefined) {
      this.code.else();
      second = arm(otherwise);
      assert(first === null || second === null || first === second, "both arms leave the flags in one way");
    } else if (first !== null && first !== before) {
      flags.storeLazily();
      this.code.else();
      flags.state = before;
      flags.storeLazily();
      second = "stored";
    }
    this.code.end();
    this.addresses.forgetChanges(registers);
    this.armDepth--;
    const after = second ?? first;
    this.left = wasLeft || after === null;
    if (after === null) this.code.unreachable();
    else flags.state = after;
  }

  override select(condition: Value, a: Value, b: Value): Value {
    if (condition.constant !== null) return condition.constant !== 0n ? a : b;
    return super.select(condition, a, b);
  }

  // -- values ---------------------------------------------------------------------------------------------------------

  protected override newLocal(type: ValueType): number {
    return this.locals.temporary(type);
  }

  override value(variable: Variable): Value {
    if (!this.locals.stable.has(variable.local)) return super.value(variable);
    return { type: variable.type, local: variable.local, constant: null };
  }

  override add(a: Value, b: Value): Value {
    const sum = super.add(a, b);
    if (b.constant !== null) this.addresses.derive(sum, a, Number(b.constant));
    return sum;
  }

  override sub(a: Value, b: Value): Value {
    const difference = super.sub(a, b);
    if (b.constant !== null) this.addresses.derive(difference, a, -Number(b.constant));
    return difference;
  }

  /** Zero-extension happens where the value is used; most addresses in 32-bit code never need it. */
  override extendU(a: Value): Value {
    if (a.type === "i64" || a.constant !== null) return super.extendU(a);
    const extended = new Extended(a);
    this.addresses.derive(extended, a, 0);
    return extended;
  }

  override wrap(a: Value): Value {
    if (isExtended(a)) return a.inner;
    return (a instanceof Relocated ? a.narrow : null) ?? super.wrap(a);
  }

  override zeroExtend(a: Value, bits: number): Value {
    return isExtended(a) && bits >= 32 ? a : super.zeroExtend(a, bits);
  }

  protected override push(value: Value): void {
    if (isExtended(value)) {
      this.push(value.inner);
      this.code.plain("i64.extend_i32_u");
    } else if (value instanceof Relocated) this.pushRelocated(value);
    else if (value === this.record) {
      this.pushRelocated(this.recordAt(this.at));
      this.code.localTee(this.locals.exitRecord.local);
    } else super.push(value);
  }

  private pushRelocated({ type, kind, block, detail }: Relocated): void {
    const meaning = relocation(kind, block, detail);
    if (kind === RelocationKind.LongImmediate) return this.code.markedI64Const(meaning);
    this.code.markedI32Const(meaning);
    if (type === "i64") this.code.plain("i64.extend_i32_s");
  }

  /** Something about a record of the block (i32). */
  protected ofRecord(kind: RelocationKind, record: number, type: "i32" | "i64" = "i32"): Relocated {
    return new Relocated(type, kind, this.block.index, (record - this.block.head) / RECORD_SIZE);
  }

  /** Address of a record of the block (i32). */
  protected recordAt(record: number): Relocated {
    return this.ofRecord(RelocationKind.Record, record);
  }

  protected override callFunction(index: number): void {
    this.code.markedCall(relocation(RelocationKind.Helper, 0, index));
  }

  // -- helpers --------------------------------------------------------------------------------------------------------

  protected override emitCall(name: string, args: readonly Value[], result: ValueType | null): void {
    const pure = isPure(name);
    if (mayWriteMemory(name) && !name.startsWith("writeGuest")) this.mustCheckDeath = true;
    const vectors = touchesVectors(name);
    // Devices may ask what time it is, which on a virtual clock follows from the budget.
    if (mayReachDevice(name)) this.storeState("i32.store", "budget", this.value(this.locals.budget));
    if (!pure) {
      this.flags.storeLazily();
      this.flags.settle();
      this.locals.useEverything(vectors);
      this.locals.spill(this, vectors);
    }
    super.emitCall(name, args, result);
    this.recordInCall = args.includes(this.record);
    if (maySetEvent(name, this.recordInCall)) this.assign(this.locals.event, this.loadState("i32.load", "event"));
    if (selectsTlb(name)) {
      this.addresses.reset();
      this.locals.reloadTlb(this);
    }
    if (!pure) {
      this.flags.state = "stored";
      this.addresses.reset();
      this.locals.reload(this, this.i64(this.block.delta), vectors);
    }
  }
}
