// SPDX-License-Identifier: Apache-2.0
import { assert } from "@isola/base";
import { BlockField, FAULT_INTERPRET, RecordField, RECORD_SIZE, type Value } from "@isola/engine";
import { cpu as layout } from "../cpu-layout.js";
import { Special } from "../interpreter/special.js";
import { ColdExit } from "./exits.js";
import type { AddressState } from "./access-group.js";
import type { RegionBlock } from "./region.js";
import { Relocated, RelocationKind } from "./relocation.js";
import { RegionBorder } from "./region-border.js";

const ZERO = layout.at("zero");

/**
 * The second implementation of {@link X86Emitter}: emits one instruction after the other into the function of a region.
 * Operands come from the decoded record as constants; registers and flags are in locals; jumps inside the region are
 * branches.
 */
export class RegionEmitter extends RegionBorder {
  /**
   * Emits all instructions of a block.
   * @param before what is known of addresses if control comes from one other block only
   */
  emitBlock(block: RegionBlock, before?: AddressState): void {
    this.block = block;
    this.left = false;
    this.beginGroups(block, before);
    this.enterBlock();
    for (let i = 1; i < block.records && !this.left; i++) this.emitRecord(block.head + i * RECORD_SIZE);
    assert(this.left, "a block ends with a jump");
    this.endGroups();
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
    const left = this.or(this.value(locals.budget), this.value(locals.event));
    this.coldIf(this.ltS(left, this.i32(0)), () => this.leaveAt(ColdExit.Event, block.head));
    locals.endInstruction();
  }

  private emitRecord(record: number): void {
    const { view } = this.port;
    this.at = record;
    this.linear = null;
    this.mustCheckDeath = false;
    const handler = view.getUint32(record + RecordField.Handler, true);
    this.isSpecial = handler < Special.Count;
    if (this.isSpecial) this.emitSpecial(handler);
    else {
      this.form = this.port.formOf(handler);
      this.form.opcode.semantics(this, this.form.operands, this.form);
    }
    if (this.mustCheckDeath && !this.left) this.leaveIfDead();
    this.locals.endInstruction();
    this.addresses.endInstruction();
  }

  private emitSpecial(special: Special): void {
    const { view } = this.port;
    switch (special) {
      case Special.FallThrough:
        return this.follow(this.block.taken, RecordField.LinkTaken, () => this.ripAt(this.pageOffset));
      case Special.AddressLong: {
        const offset = this.and(this.computeAddress(true), this.immediate());
        return this.assign(this.locals.effectiveAddress, this.add(this.segmentBase(), offset));
      }
      case Special.AddressSegmented: {
        const segment = this.i32(view.getUint16(this.at + RecordField.Reg, true));
        const access = this.i32(view.getUint16(this.at + RecordField.Vvvv, true));
        const offset = this.and(this.computeAddress(true), this.immediate());
        const args = [this.cpu, this.record, segment, offset, access];
        return this.assign(this.locals.effectiveAddress, this.callFaultingValue("segmentAddress", args, "i64"));
      }
      case Special.AddressAbsolute:
        return this.assign(this.locals.effectiveAddress, this.add(this.segmentBase(), this.immediate()));
      default:
        return this.interpret();
    }
  }

  /** Base of the segment that the record of an address names, or 0. */
  private segmentBase(): Value {
    const segment = this.port.view.getUint16(this.at + RecordField.Reg, true);
    return segment === ZERO ? this.i64(0) : this.loadHost("i64.load", this.cpu, segment);
  }

  /** Leaves the instruction, and the rest of the block, to the interpreter. */
  private interpret(): void {
    this.storeState("i32.store", "fault", this.i32(FAULT_INTERPRET));
    this.leaveAt(ColdExit.Fault, this.at);
  }

  /** A helper may have written this block's own code. */
  private leaveIfDead(): void {
    const next = this.at + RECORD_SIZE;
    const header = new Relocated("i32", RelocationKind.Header, this.block.index, 0);
    const dead = this.loadHost("i32.load16_u", header, BlockField.Dead);
    this.coldIf(dead, () => this.leaveAt(ColdExit.Resync, next));
  }
}
