// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import {
  BlockField,
  Exit,
  FAULT_INTERPRET,
  HeadField,
  type HelperResolver,
  Link,
  RecordField,
  RECORD_SIZE,
  TLB_ENTRIES,
  TlbField,
  type Value,
  type Variable,
} from "@isola/engine";
import { type CodeBuilder, memoryOps, type MemoryOpName, type ValueType } from "@isola/wasm";
import { cpu as layout } from "../cpu-layout.js";
import { Special } from "../interpreter/special.js";
import { integerLoad, integerStore, type Vector, X86Emitter } from "../semantics/x86-emitter.js";
import type { Form } from "../table/form.js";
import { ColdExit, ExitKind } from "./exits.js";
import { isPure, mayReachDevice, mayWriteMemory, touchesVectors } from "./helper-effects.js";
import { LazyFlags } from "./lazy-flags.js";
import type { Edge, RegionBlock } from "./region.js";
import { Extended, isExtended, RegionLocals } from "./region-locals.js";

/** Entries are 32 bytes, so the index, times that, is bits 12 and up of the address shifted right by 7. */
const INDEX_SHIFT = 7;
const PAGE = 4096;
const INDEX_MASK = (TLB_ENTRIES - 1) << 5;

const GPR = layout.at("gpr");
const VEC = layout.at("vec");
const VEC_STRIDE = layout.fields.vec.stride;
const ZERO = layout.at("zero");
const CODE_BASE = layout.at("codeBase");
const EA = layout.at("effectiveAddress");

type Slot = "reg" | "rm" | "vvvv";
type GprSize = 8 | 16 | 32 | 64;
const SLOT_FIELD = { reg: RecordField.Reg, rm: RecordField.Rm, vvvv: RecordField.Vvvv } as const;

/** Functions of the interpreter that a region continues in, as its module imports them. */
export interface ExitTargets {
  /** Type of handlers and regions: (record: i32, cpu: i32) -> exit reason. */
  readonly handlerType: number;
  readonly raise: number;
  readonly goto: number;
  readonly enter: number;
  readonly linkTaken: number;
  readonly linkNotTaken: number;
  readonly trap: number;
}

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
  /** Tells in what state the flags come to a block. */
  flagsReach(index: number): void;
}

/**
 * The second implementation of {@link X86Emitter}: emits one instruction after the other into the function of a region.
 * Operands come from the decoded record as constants; registers and flags are in locals; jumps inside the region are
 * branches.
 */
export class RegionEmitter extends X86Emitter {
  readonly cpu: Value = this.parameter(1, "i32");
  readonly flags: LazyFlags;
  readonly locals: RegionLocals;
  form: Form;
  private at = 0;
  private block: RegionBlock;
  private left = false;
  private linear: Value | null = null;
  private mustCheckDeath = false;
  /** The helper called last was given the record. */
  private recordInCall = false;

  constructor(
    code: CodeBuilder,
    helpers: HelperResolver,
    private readonly port: RegionPort,
    /** Registers have 64 bits: 64-bit code. */
    readonly wide: boolean,
    first: RegionBlock,
    form: Form,
  ) {
    super(code, helpers);
    this.locals = new RegionLocals(code, wide);
    this.flags = new LazyFlags(this, (type) => this.locals.variable(type));
    this.block = first;
    this.form = form;
  }

  // -- one block ------------------------------------------------------------------------------------------------------

  /** Emits all instructions of a block. */
  emitBlock(block: RegionBlock): void {
    this.block = block;
    this.left = false;
    this.enterBlock();
    for (let i = 1; i < block.records && !this.left; i++) this.emitRecord(block.head + i * RECORD_SIZE);
    assert(this.left, "a block ends with a jump");
  }

  /** What the head of a block does in the interpreter: takes the instructions off the budget and looks for events. */
  private enterBlock(): void {
    const { block, locals } = this;
    const count = this.port.view.getUint8(block.head + RecordField.Remaining);
    // Whoever leaves here gives the instructions back.
    this.push(this.value(locals.budget));
    this.code.i32Const(count);
    this.code.plain("i32.sub");
    this.code.localSet(locals.budget.local);
    const budget = this.value(locals.budget);
    const event = this.loadState("i32.load", "event");
    this.coldIf(this.ltS(this.or(event, budget), this.i32(0)), () => this.leaveAt(ColdExit.Event, block.head));
    locals.endInstruction();
  }

  private emitRecord(record: number): void {
    const { view } = this.port;
    this.at = record;
    this.linear = null;
    this.mustCheckDeath = false;
    const handler = view.getUint32(record + RecordField.Handler, true);
    if (handler < Special.Count) this.emitSpecial(handler);
    else {
      this.form = this.port.formOf(handler);
      this.form.opcode.semantics(this, this.form.operands, this.form);
    }
    if (this.mustCheckDeath && !this.left) this.leaveIfDead();
    this.locals.endInstruction();
  }

  private emitSpecial(special: Special): void {
    const { view } = this.port;
    switch (special) {
      case Special.FallThrough:
        return this.follow(this.block.taken, RecordField.LinkTaken, () => this.ripAt(this.pageOffset));
      case Special.AddressLong: {
        const segment = view.getUint16(this.at + RecordField.Reg, true);
        const offset = this.and(this.computeAddress(true), this.immediate());
        const base = segment === ZERO ? this.i64(0) : this.loadHost("i64.load", this.cpu, segment);
        return this.assign(this.locals.effectiveAddress, this.add(base, offset));
      }
      case Special.AddressSegmented: {
        const segment = this.i32(view.getUint16(this.at + RecordField.Reg, true));
        const access = this.i32(view.getUint16(this.at + RecordField.Vvvv, true));
        const offset = this.and(this.computeAddress(true), this.immediate());
        const args = [this.cpu, this.record, segment, offset, access];
        return this.assign(this.locals.effectiveAddress, this.callFaultingValue("segmentAddress", args, "i64"));
      }
      case Special.AddressAbsolute: {
        const segment = view.getUint16(this.at + RecordField.Reg, true);
        const base = segment === ZERO ? this.i64(0) : this.loadHost("i64.load", this.cpu, segment);
        return this.assign(this.locals.effectiveAddress, this.add(base, this.immediate()));
      }
      default:
        return this.interpret();
    }
  }

  /** Leaves the instruction, and the rest of the block, to the interpreter. */
  private interpret(): void {
    this.storeState("i32.store", "fault", this.i32(FAULT_INTERPRET));
    this.leaveAt(ColdExit.Fault, this.at);
  }

  /** A helper may have written this block's own code. */
  private leaveIfDead(): void {
    const next = this.at + RECORD_SIZE;
    const dead = this.loadHost("i32.load16_u", this.i32(this.block.address), BlockField.Dead);
    this.coldIf(dead, () => this.leaveAt(ColdExit.Resync, next));
  }

  // -- operands -------------------------------------------------------------------------------------------------------

  /** A constant that is put into `exitRecord` on the way, in case that the helper to which it is passed faults. */
  readonly record: Value = { type: "i32", local: -1, constant: null };

  private get pageOffset(): number {
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

  /** @param high bits 8-15: AH CH DH BH */
  private readRegister(index: number, size: GprSize, high: boolean): Value {
    const whole = this.locals.readGpr(index);
    if (size === 64) return this.extendU(whole);
    const low = this.wrap(whole);
    if (size === 32) return low;
    return this.zeroExtend(high ? this.shrU(low, 8) : low, size);
  }

  private writeRegister(index: number, size: GprSize, high: boolean, value: Value): void {
    const { locals, wide } = this;
    if (size >= 32) return locals.writeGpr(index, wide ? this.extendU(value) : this.wrap(value));
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
    return this.i64(this.port.view.getBigInt64(this.at + RecordField.Immediate, true));
  }

  linearAddress(): Value {
    this.linear ??= this.computeAddress(this.form.addressing !== "flat32");
    return this.linear;
  }

  effectiveAddress(): Value {
    return this.linearAddress();
  }

  /** @param long the sum has 64 bits, else 32 */
  private computeAddress(long: boolean): Value {
    const { view } = this.port;
    const base = view.getUint16(this.at + RecordField.Base, true);
    const index = view.getUint16(this.at + RecordField.Index, true);
    const scale = view.getUint8(this.at + RecordField.Scale);
    let displacement = view.getInt32(this.at + RecordField.Displacement, true);
    let sum: Value | null = null;
    if (base === EA) sum = this.value(this.locals.effectiveAddress);
    else if (base === CODE_BASE) {
      sum = this.value(this.locals.codeBase);
      displacement += this.block.delta;
    } else if (base !== ZERO) sum = this.locals.readGpr((base - GPR) >> 3);
    const narrow = (value: Value): Value => (long ? this.extendU(value) : this.wrap(value));
    if (sum !== null) sum = narrow(sum);
    if (index !== ZERO) {
      const scaled = this.shl(narrow(this.locals.readGpr((index - GPR) >> 3)), scale);
      sum = sum === null ? scaled : this.add(sum, scaled);
    }
    const offset = long ? this.i64(displacement) : this.i32(displacement);
    const address = sum === null ? offset : this.add(sum, offset);
    return this.extendU(address);
  }

  // -- guest memory ---------------------------------------------------------------------------------------------------

  loadGuest(op: MemoryOpName, bytes: number, linear: Value, stack = false): Value {
    const { type } = memoryOps[op];
    const entry = this.probe(linear, bytes, TlbField.TagRead);
    this.push(entry.hit);
    this.code.if(type, "likely");
    this.push(this.hostAddress(entry.address, linear));
    this.code.memory(op, 0);
    this.code.else();
    this.push(this.loadSlowly(op, bytes, linear, stack, "Compiled"));
    this.code.end();
    return this.result(type);
  }

  storeGuest(op: MemoryOpName, bytes: number, linear: Value, value: Value, stack = false): void {
    const entry = this.probe(linear, bytes, TlbField.TagWrite);
    this.push(entry.hit);
    this.code.if(undefined, "likely");
    this.storeHost(op, this.hostAddress(entry.address, linear), value);
    this.code.else();
    this.storeSlowly(op, bytes, linear, value, stack, "Compiled");
    this.code.end();
  }

  override loadGuestPair(linear: Value): readonly [low: Value, high: Value] {
    return super.loadGuestPair(linear, "Compiled");
  }

  override storeGuestPair(linear: Value, low: Value, high: Value): void {
    super.storeGuestPair(linear, low, high, "Compiled");
  }

  modifyGuest(bytes: 1 | 2 | 4 | 8, linear: Value, _locked: boolean, change: (old: Value) => Value): void {
    const load = integerLoad(bytes * 8);
    const store = integerStore(bytes * 8);
    const entry = this.probe(linear, bytes, TlbField.TagWrite);
    // 0 = slow path; no guest byte is at host address 0.
    const host = this.variable("i32");
    const type = bytes === 8 ? "i64" : "i32";
    this.push(entry.hit);
    this.code.if(type, "likely");
    this.assign(host, this.hostAddress(entry.address, linear));
    this.push(this.value(host));
    this.code.memory(load, 0);
    this.code.else();
    this.assign(host, this.i32(0));
    const args = [this.cpu, this.record, linear, this.i32(bytes)];
    const slow = this.callFaultingValue("readForWriteCompiled", args, "i64");
    this.push(bytes === 8 ? slow : this.wrap(slow));
    this.code.end();
    const changed = change(this.result(type));
    this.push(this.value(host));
    this.code.if(undefined, "likely");
    this.storeHost(store, this.value(host), changed);
    this.code.else();
    this.callFaulting("writeGuest", [...args, this.extendU(changed)]);
    this.code.end();
  }

  /** Looks `linear` up in the soft TLB. An access that crosses a page never hits, since its last byte has another tag. */
  protected probe(linear: Value, bytes: number, tag: number): { hit: Value; address: Value } {
    const { locals } = this;
    // Inside 4 GiB everything but the comparison is done in 32 bits.
    const base = isExtended(linear) ? linear.inner : linear;
    const index = this.and(this.wrap(this.shrU(base, INDEX_SHIFT)), this.i32(INDEX_MASK));
    const address = this.add(this.value(locals.tlbBase), index);
    const last = bytes === 1 ? base : this.add(base, this.constantLike(base, bytes - 1));
    const page = this.extendU(this.and(last, this.constantLike(base, -4096)));
    const wanted = this.or(page, this.value(locals.tlbKey));
    return { hit: this.eq(wanted, this.loadHost("i64.load", address, tag)), address };
  }

  // -- faults ---------------------------------------------------------------------------------------------------------

  raise(vector: Vector, errorCode = 0): void {
    this.storeState("i32.store", "fault", this.i32(vector + 1));
    this.storeState("i32.store", "faultError", this.i32(errorCode));
    this.leaveAt(ColdExit.Fault, this.at);
  }

  override raiseIf(condition: Value, vector: Vector, errorCode?: number): void {
    this.coldIf(condition, () => this.raise(vector, errorCode));
  }

  leaveOnFault(): void {
    this.coldIf(this.loadState("i32.load", "fault"), () => {
      if (this.recordInCall) this.leaveFor(ColdExit.Fault);
      else this.leaveAt(ColdExit.Fault, this.at);
    });
  }

  trap(): void {
    if (this.form.addressing !== "none") this.storeState("i64.store", "effectiveAddress", this.linearAddress());
    this.leaveAt(ColdExit.Trap, this.at);
  }

  // -- jumps ----------------------------------------------------------------------------------------------------------

  /** RIP at an offset from the start of the block's page. */
  private ripAt(offset: number): Value {
    const from = this.value(this.locals.codeBase);
    const by = this.block.delta + offset;
    if (this.wide) return this.add(from, this.i64(by));
    return this.extendU(this.add(this.wrap(from), this.i32(by)));
  }

  nextRip(): Value {
    return this.ripAt(this.pageOffset + this.port.view.getUint8(this.at + RecordField.Length));
  }

  private directTarget(): Value {
    const rip = this.ripAt(this.port.view.getInt32(this.at + RecordField.Displacement, true));
    return this.form.operandSize === 16 ? this.zeroExtend(rip, 16) : rip;
  }

  jump(): void {
    this.follow(this.block.taken, RecordField.LinkTaken, () => this.directTarget());
  }

  branch(condition: Value): void {
    // A value that stands for a register must not get its own copy in one of the arms only.
    this.locals.detachAll();
    if (condition.constant !== null) {
      if (condition.constant !== 0n) this.jump();
      else this.follow(this.block.notTaken, RecordField.LinkNotTaken, () => this.nextRip());
      return;
    }
    this.push(condition);
    this.code.if();
    const { state } = this.flags;
    this.jump();
    this.code.end();
    this.flags.state = state;
    this.follow(this.block.notTaken, RecordField.LinkNotTaken, () => this.nextRip());
  }

  private follow(edge: Edge | null, slot: RecordField.LinkTaken | RecordField.LinkNotTaken, rip: () => Value): void {
    if (edge?.kind === "block") return this.goTo(edge.index, rip);
    this.flags.compute();
    this.assign(this.locals.exitRip, rip());
    const link = this.port.view.getUint32(this.at + slot, true);
    if (edge === null || link === Link.Never) return this.exit(ExitKind.Lookup);
    this.assign(this.locals.exitLink, this.i32(this.at + slot));
    this.assign(this.locals.exitRecord, this.i32(this.at));
    this.exit(ExitKind.Link);
  }

  /** Goes on at another block of the region; if that is in another page, only while the page is still mapped there. */
  private goTo(index: number, rip: () => Value): void {
    const target = this.port.block(index);
    if (target.delta !== this.block.delta) {
      const start = this.pageAt(target.delta);
      this.leaveUnlessMapped(start, target.frame, rip);
      this.storeState("i64.store", "codeBase", start);
    }
    // An instruction that ends in another page.
    if (target.secondFrame >= 0) this.leaveUnlessMapped(this.pageAt(target.delta + PAGE), target.secondFrame, rip);
    this.port.flagsReach(index);
    this.port.jumpToBlock(index);
    this.left = true;
  }

  /** Linear address of a page, by its distance from the region's first. */
  private pageAt(delta: number): Value {
    const page = this.add(this.value(this.locals.codeBase), this.i64(delta));
    return this.wide ? page : this.zeroExtend(page, 32);
  }

  /** Looks `rip` up outside the region unless the code at linear address `page` is that of `frame`. */
  private leaveUnlessMapped(page: Value, frame: number, rip: () => Value): void {
    const entry = this.probe(page, 1, TlbField.TagExecute);
    const mapped = this.loadHost("i32.load", entry.address, TlbField.RamPage);
    const same = this.and(entry.hit, this.eq(mapped, this.i32(frame * PAGE)));
    this.coldIf(this.eqz(same), () => {
      const { state } = this.flags;
      this.flags.compute();
      this.assign(this.locals.exitRip, rip());
      this.exit(ExitKind.Lookup);
      this.flags.state = state;
    });
  }

  jumpTo(rip: Value): void {
    // As in branch(): the target may be the value of a register.
    this.locals.detachAll();
    for (const index of this.block.guesses) {
      const site = this.port.block(index);
      const offset = site.delta + this.port.view.getUint16(site.head + RecordField.PageOffset, true);
      const here = this.ripOf(offset);
      this.push(this.eq(rip, here));
      this.code.if();
      const { state } = this.flags;
      this.goTo(index, () => rip);
      this.code.end();
      this.flags.state = state;
    }
    this.flags.compute();
    this.assign(this.locals.exitRip, rip);
    this.exit(ExitKind.Lookup);
  }

  /** RIP at an offset from the region's first page. */
  private ripOf(offset: number): Value {
    return this.ripAt(offset - this.block.delta);
  }

  reenter(): void {
    this.leaveAt(ColdExit.Reenter, this.at);
  }

  /** Leaves for a rare reason. */
  private leaveAt(reason: ColdExit, record: number): void {
    this.assign(this.locals.exitRecord, this.i32(record));
    this.leaveFor(reason);
  }

  /** Leaves for a rare reason, with the record already in its place. */
  private leaveFor(reason: ColdExit): void {
    // The local is 0 until the region is left.
    if (reason !== ColdExit.Fault) this.assign(this.locals.exitReason, this.i32(reason));
    this.flags.publish();
    this.exit(ExitKind.Cold);
  }

  private exit(kind: ExitKind): void {
    this.code.br(this.code.depth - this.port.exitLevel(kind));
    this.left = true;
  }

  /** Emits the code behind one of the labels. */
  emitExit(kind: ExitKind, parts: ExitTargets): void {
    const { locals, flags } = this;
    const record = this.value(locals.exitRecord);
    switch (kind) {
      case ExitKind.Link:
        flags.spill();
        locals.spill(this);
        this.emitLink(record, parts);
        break;
      case ExitKind.Lookup:
        flags.spill();
        locals.spill(this);
        this.emitLookup(parts);
        break;
      default:
        flags.state = "dynamic";
        flags.spillDynamic();
        locals.spill(this);
        this.emitColdExit(record, parts);
    }
    locals.endInstruction();
  }

  private emitColdExit(record: Value, parts: ExitTargets): void {
    const reason = this.value(this.locals.exitReason);
    const on = (which: ColdExit, leave: () => void): void => {
      this.push(this.eq(reason, this.i32(which)));
      this.code.if();
      leave();
      this.code.end();
    };
    on(ColdExit.Event, () => {
      this.storeState("i64.store", "rip", this.ripOfRecord(record));
      // If the block has died, its head says 0; the first instruction's record still counts them all.
      this.giveBack(this.add(record, this.i32(RECORD_SIZE)));
      this.push(this.i32(Exit.Event));
      this.code.return();
    });
    on(ColdExit.Resync, () => {
      this.storeState("i64.store", "rip", this.ripOfRecord(record));
      this.giveBack(record);
      this.continueIn(parts.enter, record);
    });
    on(ColdExit.Trap, () => this.continueIn(parts.trap, record));
    on(ColdExit.Reenter, () => this.continueIn(parts.goto, record));
    this.storeState("i64.store", "effectiveAddress", this.value(this.locals.effectiveAddress));
    this.continueIn(parts.raise, record);
  }

  /** Puts the instructions of a block from `record` on back into the budget. */
  private giveBack(record: Value): void {
    const rest = this.loadHost("i32.load8_u", record, RecordField.Remaining);
    this.storeState("i32.store", "budget", this.add(this.value(this.locals.budget), rest));
  }

  /** RIP of a record's instruction; codeBase of the CPU record is that of the block. */
  private ripOfRecord(record: Value): Value {
    const offset = this.loadHost("i32.load16_u", record, RecordField.PageOffset);
    const rip = this.add(this.loadState("i64.load", "codeBase"), this.extendU(offset));
    return this.wide ? rip : this.extendU(this.wrap(rip));
  }

  private emitLink(record: Value, parts: ExitTargets): void {
    const link = this.value(this.locals.exitLink);
    const target = this.loadHost("i32.load", link);
    this.push(this.gtU(target, this.i32(Link.Never)));
    this.code.if(undefined, "likely");
    this.dispatch(target, parts);
    this.code.end();
    this.storeState("i64.store", "rip", this.value(this.locals.exitRip));
    this.push(this.eq(link, this.add(record, this.i32(RecordField.LinkTaken))));
    this.code.if();
    this.continueIn(parts.linkTaken, record);
    this.code.end();
    this.continueIn(parts.linkNotTaken, record);
  }

  /** The same as the interpreter's "goto": probes the jump cache. */
  private emitLookup(parts: ExitTargets): void {
    const rip = this.value(this.locals.exitRip);
    const entry = this.jumpCacheEntry(rip);
    const sameAddress = this.eq(this.loadHost("i64.load", entry), rip);
    const sameContext = this.eq(this.loadHost("i32.load", entry, 8), this.loadState("i32.load", "jumpContext"));
    this.push(this.and(sameAddress, sameContext));
    this.code.if(undefined, "likely");
    const target = this.loadHost("i32.load", entry, 12);
    const offset = this.loadHost("i32.load16_u", target, RecordField.PageOffset);
    this.storeState("i64.store", "codeBase", this.sub(rip, this.extendU(offset)));
    this.dispatch(target, parts);
    this.code.end();
    this.storeState("i64.store", "rip", rip);
    this.continueIn(parts.enter, this.i32(0));
  }

  private dispatch(record: Value, parts: ExitTargets): void {
    this.push(record);
    this.push(this.cpu);
    this.push(this.loadHost("i32.load", record, RecordField.Handler));
    this.code.returnCallIndirect(parts.handlerType, 0);
  }

  private continueIn(part: number, record: Value): void {
    this.push(record);
    this.push(this.cpu);
    this.code.returnCall(part);
  }

  /**
   * What comes before all blocks: loads registers and the block to begin with. Emitted last, when it is known which
   * registers the region uses.
   * @param several the region has several entries, so that the head says which one this is
   */
  emitPrologue(several: boolean): void {
    const head = this.parameter(0, "i32");
    const { locals } = this;
    this.flags.load();
    const delta = several ? this.loadHost("i64.load32_s", head, HeadField.Delta) : this.i64(0);
    locals.reload(this, delta);
    if (several) this.assign(locals.selector, this.loadHost("i32.load16_u", head, HeadField.Index));
    locals.endInstruction();
  }

  // -- control flow inside an instruction ------------------------------------------------------------------------------

  /** A path that ends in leaving the region and is hardly ever taken. */
  private coldIf(condition: Value, leave: () => void): void {
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
    flags.publish();
    const ends: { left: boolean; state: typeof before }[] = [];
    const arm = (part: () => void): void => {
      this.left = false;
      flags.state = before;
      part();
      if (!this.left && flags.state !== before) flags.publish();
      if (!this.left) locals.detachAll();
      ends.push({ left: this.left, state: flags.state });
    };
    this.push(condition);
    this.code.if();
    arm(then);
    if (otherwise !== undefined) {
      this.code.else();
      arm(otherwise);
    } else ends.push({ left: false, state: before });
    this.code.end();
    const going = ends.filter((end) => !end.left);
    this.left = wasLeft || going.length === 0;
    if (going.length === 0) this.code.unreachable();
    else flags.state = going.every((end) => end.state === going[0]?.state) ? (going[0]?.state ?? before) : "dynamic";
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

  /** Zero-extension happens where the value is used; most addresses in 32-bit code never need it. */
  override extendU(a: Value): Value {
    if (a.type === "i64" || a.constant !== null) return super.extendU(a);
    return new Extended(a);
  }

  override wrap(a: Value): Value {
    return isExtended(a) ? a.inner : super.wrap(a);
  }

  override zeroExtend(a: Value, bits: number): Value {
    return isExtended(a) && bits >= 32 ? a : super.zeroExtend(a, bits);
  }

  protected override push(value: Value): void {
    if (isExtended(value)) {
      super.push(value.inner);
      this.code.plain("i64.extend_i32_u");
    } else if (value === this.record) {
      this.code.i32Const(this.at);
      this.code.localTee(this.locals.exitRecord.local);
    } else super.push(value);
  }

  // -- helpers --------------------------------------------------------------------------------------------------------

  protected override emitCall(name: string, args: readonly Value[], result: ValueType | null): void {
    const pure = isPure(name);
    if (mayWriteMemory(name) && !name.startsWith("writeGuest")) this.mustCheckDeath = true;
    const vectors = touchesVectors(name);
    // Devices may ask what time it is, which on a virtual clock follows from the budget.
    if (mayReachDevice(name)) this.storeState("i32.store", "budget", this.value(this.locals.budget));
    if (!pure) {
      this.flags.compute();
      this.flags.spill();
      this.locals.useEverything(vectors);
      this.locals.spill(this, vectors);
    }
    super.emitCall(name, args, result);
    this.recordInCall = args.includes(this.record);
    if (!pure) {
      this.flags.load();
      this.locals.reload(this, this.i64(this.block.delta), vectors);
    }
  }
}
