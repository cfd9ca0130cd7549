// SPDX-License-Identifier: Apache-2.0
import { Link, RecordField, TlbField, type Value } from "@isola/engine";
import type { Vector } from "../semantics/x86-emitter.js";
import { ColdExit, ExitKind } from "./exits.js";
import type { Edge } from "./region.js";
import { mayLeaveImage, Relocated, RelocationKind } from "./relocation.js";
import { RegionMemory } from "./region-memory.js";

const PAGE = 4096;

/** Faults and jumps: where control leaves an instruction other than at its end. */
export abstract class RegionJumps extends RegionMemory {
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
  protected ripAt(offset: number): Value {
    const from = this.value(this.locals.codeBase);
    const by = this.block.delta + offset;
    if (this.wide) return this.add(from, this.i64(by));
    return this.extendU(this.add(this.wrap(from), this.i32(by)));
  }

  nextRip(): Value {
    return this.ripAt(this.pageOffset + this.port.view.getUint8(this.at + RecordField.Length));
  }

  private directTarget(): Value {
    const displacement = this.port.view.getInt32(this.at + RecordField.Displacement, true);
    const rip = mayLeaveImage(displacement) ? this.farTarget() : this.ripAt(displacement);
    return this.form.operandSize === 16 ? this.zeroExtend(rip, 16) : rip;
  }

  /** A target that is elsewhere when the same code is loaded again: a kernel's, seen from one of its modules. */
  private farTarget(): Value {
    const from = this.value(this.locals.codeBase);
    if (this.wide) return this.add(from, this.ofRecord(RelocationKind.FarDisplacement, this.at, "i64"));
    return this.extendU(this.add(this.wrap(from), this.ofRecord(RelocationKind.FarDisplacement, this.at, "i32")));
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

  protected follow(edge: Edge | null, slot: RecordField.LinkTaken | RecordField.LinkNotTaken, rip: () => Value): void {
    if (edge?.kind === "block") return this.goTo(edge.index, rip);
    this.flags.storeLazily();
    this.assign(this.locals.exitRip, rip());
    const link = this.port.view.getUint32(this.at + slot, true);
    if (edge === null || link === Link.Never) return this.exit(ExitKind.Lookup);
    const kind = slot === RecordField.LinkTaken ? RelocationKind.LinkTaken : RelocationKind.LinkNotTaken;
    this.assign(this.locals.exitLink, this.ofRecord(kind, this.at));
    this.assign(this.locals.exitRecord, this.recordAt(this.at));
    this.exit(ExitKind.Link);
  }

  /** Goes on at another block of the region; if that is in another page, only while the page is still mapped there. */
  private goTo(index: number, rip: () => Value): void {
    const target = this.port.block(index);
    if (target.delta !== this.block.delta) {
      const start = this.pageAt(target.delta);
      this.leaveUnlessMapped(start, new Relocated("i32", RelocationKind.Page, index, 0), rip);
      this.storeState("i64.store", "codeBase", start);
    }
    // An instruction that ends in another page.
    if (target.secondFrame >= 0) {
      const second = new Relocated("i32", RelocationKind.SecondPage, index, 0);
      this.leaveUnlessMapped(this.pageAt(target.delta + PAGE), second, rip);
    }
    this.port.reach(index);
    this.port.jumpToBlock(index);
    this.left = true;
  }

  /** Linear address of a page, by its distance from the region's first. */
  private pageAt(delta: number): Value {
    const page = this.add(this.value(this.locals.codeBase), this.i64(delta));
    return this.wide ? page : this.zeroExtend(page, 32);
  }

  /** Looks `rip` up outside the region unless the code at linear address `page` is that at offset `ram` of RAM. */
  private leaveUnlessMapped(page: Value, ram: Value, rip: () => Value): void {
    const entry = this.probe(page, 1, TlbField.TagExecute);
    const mapped = this.loadHost("i32.load", entry.address, TlbField.RamPage);
    const same = this.and(entry.hit, this.eq(mapped, ram));
    this.coldIf(this.eqz(same), () => {
      const { state } = this.flags;
      this.flags.storeLazily();
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
    this.flags.storeLazily();
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
  protected leaveAt(reason: ColdExit, record: number): void {
    this.assign(this.locals.exitRecord, this.recordAt(record));
    this.leaveFor(reason);
  }

  /** Leaves for a rare reason, with the record already in its place. */
  private leaveFor(reason: ColdExit): void {
    // The local is 0 until the region is left.
    if (reason !== ColdExit.Fault) this.assign(this.locals.exitReason, this.i32(reason));
    this.flags.storeLazily();
    this.exit(ExitKind.Cold);
  }

  private exit(kind: ExitKind): void {
    this.code.br(this.code.depth - this.port.exitLevel(kind));
    this.left = true;
  }
}
