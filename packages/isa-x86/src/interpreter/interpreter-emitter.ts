// SPDX-License-Identifier: Apache-2.0
import {
  Link,
  RECORD_SIZE,
  RecordField,
  TARGET_SAMPLE_ENTRIES,
  TARGET_SAMPLES,
  TARGETS_PER_SAMPLE,
  TLB_ENTRIES,
  TLB_ENTRY_SIZE,
  TlbField,
  type HelperResolver,
  type Value,
} from "@isola/engine";
import { type CodeBuilder, memoryOps, type MemoryOpName } from "@isola/wasm";
import { cpu as layout } from "../cpu-layout.js";
import { Flags } from "../semantics/flags.js";
import { integerLoad, integerStore, type Vector, X86Emitter } from "../semantics/x86-emitter.js";
import { type Form, isNearIndirect } from "../table/form.js";

/** Of a number that is as good as random, whose topmost bits choose a slot for a sample: the slot is one that is kept. */
const KEPT_SLOTS = 0x8000_0000 | 0;
/** Unless these are all zero. */
const KEPT_TURNS = 0x07c0_0000;

const SLOT_FIELD = { reg: RecordField.Reg, rm: RecordField.Rm, vvvv: RecordField.Vvvv } as const;

/** Functions of the interpreter module that handlers continue in. */
export interface HandlerTargets {
  /** Type index of handlers: (record: i32, cpu: i32) -> exit reason. */
  readonly handlerType: number;
  /** Delivers the pending exception and goes on there. */
  readonly raise: number;
  /** Goes on at RIP of the CPU record, through the jump cache. */
  readonly goto: number;
  /** Goes on at RIP of the CPU record, through a full lookup. */
  readonly enter: number;
  /** Goes on at the target of the record's taken or not-taken link; RIP is set. */
  readonly linkTaken: number;
  readonly linkNotTaken: number;
  /** Leaves to the run loop with Exit.Trap. */
  readonly trap: number;
}

/**
 * Emits handlers of the record-threaded interpreter: `handler(record, cpu)` finds its operands in the record, does its
 * work on the CPU record, and tail-calls the handler of the next record.
 */
export class InterpreterEmitter extends X86Emitter {
  readonly record: Value = this.parameter(0, "i32");
  readonly cpu: Value = this.parameter(1, "i32");
  readonly flags: Flags = new Flags(this);
  /** Control has left the handler on every path so far. */
  private left = false;
  private linear: Value | null = null;

  constructor(
    code: CodeBuilder,
    helpers: HelperResolver,
    readonly form: Form,
    private readonly targets: HandlerTargets,
  ) {
    super(code, helpers);
  }

  // -- operands -------------------------------------------------------------------------------------------------------

  slotAddress(slot: "reg" | "rm" | "vvvv"): Value {
    return this.add(this.cpu, this.loadHost("i32.load16_u", this.record, SLOT_FIELD[slot]));
  }

  readGprSlot(slot: "reg" | "rm" | "vvvv", size: 8 | 16 | 32 | 64): Value {
    const op = size === 8 ? "i32.load8_u" : size === 16 ? "i32.load16_u" : size === 32 ? "i32.load" : "i64.load";
    return this.loadHost(op, this.slotAddress(slot));
  }

  writeGprSlot(slot: "reg" | "rm" | "vvvv", size: 8 | 16 | 32 | 64, value: Value): void {
    const address = this.slotAddress(slot);
    if (size === 8) this.storeHost("i32.store8", address, value);
    else if (size === 16) this.storeHost("i32.store16", address, value);
    else this.storeHost("i64.store", address, this.extendU(value));
  }

  readVectorSlot(slot: "reg" | "rm" | "vvvv"): Value {
    return this.loadHost("v128.load", this.slotAddress(slot));
  }

  writeVectorSlot(slot: "reg" | "rm" | "vvvv", value: Value): void {
    this.storeHost("v128.store", this.slotAddress(slot), value);
  }

  readXmm(index: number): Value {
    return this.loadState("v128.load", "vec", index);
  }

  writeXmm(index: number, value: Value): void {
    this.storeState("v128.store", "vec", value, index);
  }

  immediate(): Value {
    return this.loadHost("i64.load", this.record, RecordField.Immediate);
  }

  linearAddress(): Value {
    // Computed once: the first use is always on the straight path in front of any branch.
    this.linear ??= this.computeAddress();
    return this.linear;
  }

  effectiveAddress(): Value {
    return this.linearAddress();
  }

  private computeAddress(): Value {
    const registerAt = (field: RecordField): Value =>
      this.add(this.cpu, this.loadHost("i32.load16_u", this.record, field));
    if (this.form.addressing === "flat32") {
      const index = this.shl(
        this.loadHost("i32.load", registerAt(RecordField.Index)),
        this.loadHost("i32.load8_u", this.record, RecordField.Scale),
      );
      const sum = this.add(this.loadHost("i32.load", registerAt(RecordField.Base)), index);
      return this.extendU(this.add(sum, this.loadHost("i32.load", this.record, RecordField.Displacement)));
    }
    const index = this.shl(
      this.loadHost("i64.load", registerAt(RecordField.Index)),
      this.loadHost("i32.load8_u", this.record, RecordField.Scale),
    );
    const sum = this.add(this.loadHost("i64.load", registerAt(RecordField.Base)), index);
    return this.add(sum, this.loadHost("i64.load32_s", this.record, RecordField.Displacement));
  }

  // -- guest memory ---------------------------------------------------------------------------------------------------

  loadGuest(op: MemoryOpName, bytes: number, linear: Value, stack = false): Value {
    const type = memoryOps[op].type;
    const result = this.variable(type);
    const entry = this.probe(linear, bytes, TlbField.TagRead);
    this.if(
      entry.hit,
      () => this.assign(result, this.loadHost(op, this.hostAddress(entry.address, linear))),
      () => this.assign(result, this.loadSlowly(op, bytes, linear, stack)),
    );
    return this.value(result);
  }

  storeGuest(op: MemoryOpName, bytes: number, linear: Value, value: Value, stack = false): void {
    const entry = this.probe(linear, bytes, TlbField.TagWrite);
    this.if(
      entry.hit,
      () => this.storeHost(op, this.hostAddress(entry.address, linear), value),
      () => this.storeSlowly(op, bytes, linear, value, stack),
    );
  }

  modifyGuest(bytes: 1 | 2 | 4 | 8, linear: Value, _locked: boolean, change: (old: Value) => Value): void {
    const load = integerLoad(bytes * 8);
    const store = integerStore(bytes * 8);
    const entry = this.probe(linear, bytes, TlbField.TagWrite);
    // 0 = slow path; no guest byte is at host address 0.
    const host = this.variable("i32");
    const old = this.variable(bytes === 8 ? "i64" : "i32");
    this.if(
      entry.hit,
      () => {
        this.assign(host, this.hostAddress(entry.address, linear));
        this.assign(old, this.loadHost(load, this.value(host)));
      },
      () => {
        this.assign(host, this.i32(0));
        const value = this.callFaultingValue("readForWrite", [this.cpu, this.record, linear, this.i32(bytes)], "i64");
        this.assign(old, bytes === 8 ? value : this.wrap(value));
      },
    );
    const changed = change(this.value(old));
    this.if(
      this.value(host),
      () => this.storeHost(store, this.value(host), changed),
      () => this.callFaulting("writeGuest", [this.cpu, this.record, linear, this.i32(bytes), this.extendU(changed)]),
    );
  }

  /** Looks `linear` up in the soft TLB. An access that crosses a page never hits, since its last byte has another tag. */
  protected probe(linear: Value, bytes: number, tag: number): { hit: Value; address: Value } {
    const page = this.wrap(this.shrU(linear, 12));
    const index = this.shl(this.and(page, this.i32(TLB_ENTRIES - 1)), Math.log2(TLB_ENTRY_SIZE));
    const address = this.add(this.loadState("i32.load", "tlbBase"), index);
    const last = bytes === 1 ? linear : this.add(linear, this.i64(bytes - 1));
    const wanted = this.or(this.and(last, this.i64(-4096)), this.loadState("i64.load", "tlbKey"));
    return { hit: this.eq(wanted, this.loadHost("i64.load", address, tag)), address };
  }

  // -- faults ---------------------------------------------------------------------------------------------------------

  raise(vector: Vector, errorCode = 0): void {
    this.storeState("i32.store", "fault", this.i32(vector + 1));
    this.storeState("i32.store", "faultError", this.i32(errorCode));
    this.continueIn(this.targets.raise);
  }

  /** Leaves with the exception that is already in the CPU record. */
  callRaise(): void {
    this.continueIn(this.targets.raise);
  }

  leaveOnFault(): void {
    this.if(this.loadState("i32.load", "fault"), () => this.continueIn(this.targets.raise));
  }

  trap(): void {
    if (this.form.addressing !== "none") this.storeState("i64.store", "effectiveAddress", this.linearAddress());
    this.continueIn(this.targets.trap);
  }

  // -- jumps ----------------------------------------------------------------------------------------------------------

  nextRip(): Value {
    const { model } = this.form;
    if (model === null || model === "segmented") return this.call("nextRip", [this.cpu, this.record], "i64");
    const offset = this.add(
      this.loadHost("i32.load16_u", this.record, RecordField.PageOffset),
      this.loadHost("i32.load8_u", this.record, RecordField.Length),
    );
    const rip = this.add(this.loadState("i64.load", "codeBase"), this.extendU(offset));
    return model === "long" ? rip : this.zeroExtend(rip, 32);
  }

  private target(): Value {
    const displacement = this.loadHost("i64.load32_s", this.record, RecordField.Displacement);
    const rip = this.add(this.loadState("i64.load", "codeBase"), displacement);
    return this.form.model === "long" ? rip : this.zeroExtend(rip, this.form.operandSize);
  }

  jump(): void {
    this.follow(RecordField.LinkTaken, () => this.target(), this.targets.linkTaken);
  }

  branch(condition: Value): void {
    this.if(
      condition,
      () => this.jump(),
      () => this.follow(RecordField.LinkNotTaken, () => this.nextRip(), this.targets.linkNotTaken),
    );
  }

  /** Goes on behind a block that ends without a jump. */
  fallThrough(): void {
    this.follow(RecordField.LinkTaken, () => this.ownRip(), this.targets.linkTaken);
  }

  /** Goes on at a linked block, or at `rip` if there is no link. */
  private follow(link: RecordField, rip: () => Value, unlinked: number): void {
    const target = this.loadHost("i32.load", this.record, link);
    this.if(this.gtU(target, this.i32(Link.Never)), () => this.dispatch(target));
    this.storeState("i64.store", "rip", rip());
    this.continueIn(unlinked);
  }

  jumpTo(rip: Value): void {
    if (isNearIndirect(this.form)) this.sampleTarget(rip);
    this.storeState("i64.store", "rip", rip);
    this.continueIn(this.targets.goto);
  }

  /** Tells the region former where an indirect jump goes. The entry is the one that `targetSamples` chooses. */
  private sampleTarget(rip: Value): void {
    const count = this.loadHost("i32.load", this.record, RecordField.Samples);
    this.storeHost("i32.store", this.record, this.add(count, this.i32(1)), RecordField.Samples);
    const hash = this.and(this.record, this.i32((TARGET_SAMPLE_ENTRIES - 1) * RECORD_SIZE));
    const entry = this.shl(hash, Math.log2((4 * TARGETS_PER_SAMPLE) / RECORD_SIZE));
    // Which slot is as good as random, since jumps go round in circles. Half of the slots keep what they have for long,
    // since many jumps go one way for a while.
    const random = this.mul(count, this.i32(0x9e37_79b1 | 0));
    const slot = this.shrU(random, 32 - Math.log2(TARGETS_PER_SAMPLE));
    const kept = this.and(random, this.i32(KEPT_SLOTS | KEPT_TURNS));
    this.if(this.leU(kept, this.i32(KEPT_SLOTS)), () => {
      const at = this.add(entry, this.shl(slot, 2));
      this.storeHost("i32.store", at, this.wrap(rip), TARGET_SAMPLES);
    });
  }

  reenter(): void {
    this.continueIn(this.targets.goto);
  }

  /** Goes on at RIP of the CPU record where the jump cache has nothing. */
  lookUp(): void {
    this.continueIn(this.targets.enter);
  }

  /** Goes on with the next record of the block. */
  next(): void {
    this.dispatch(this.add(this.record, this.i32(RECORD_SIZE)));
  }

  /** Whether every path has left the handler, so that there is nothing to be done after the instruction. */
  get hasLeft(): boolean {
    return this.left;
  }

  override if(condition: Value, then: () => void, otherwise?: () => void): void {
    const before = this.left;
    let thenLeft = false;
    const wrapped = (part: () => void) => (): void => {
      this.left = false;
      part();
      thenLeft = this.left;
    };
    let otherwiseLeft = false;
    const wrappedOther =
      otherwise &&
      ((): void => {
        this.left = false;
        otherwise();
        otherwiseLeft = this.left;
      });
    super.if(condition, wrapped(then), wrappedOther);
    this.left = before || (thenLeft && otherwiseLeft);
    // WebAssembly does not know that control cannot come here.
    if (thenLeft && otherwiseLeft) this.code.unreachable();
  }

  /** Tail-calls the handler of the record at `record`. */
  dispatch(record: Value): void {
    this.push(record);
    this.push(this.cpu);
    this.push(this.loadHost("i32.load", record, RecordField.Handler));
    this.code.returnCallIndirect(this.targets.handlerType, 0);
    this.left = true;
  }

  /** Tail-calls another function of the module with the same parameters. */
  continueIn(functionIndex: number): void {
    this.push(this.record);
    this.push(this.cpu);
    this.code.returnCall(functionIndex);
    this.left = true;
  }

  /** Returns to the run loop. */
  leave(reason: Value): void {
    this.push(reason);
    this.code.return();
    this.left = true;
  }

  // -- parts of the special functions ---------------------------------------------------------------------------------

  /** RIP of this record's instruction, by the helper that knows the code size. */
  ownRip(): Value {
    return this.call("recordRip", [this.cpu, this.record], "i64");
  }
}

/** Offset of the register that is always zero, for operands that are absent. */
export const ZERO_REGISTER: number = layout.at("zero");
