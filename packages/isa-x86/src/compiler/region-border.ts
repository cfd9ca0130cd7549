// SPDX-License-Identifier: Apache-2.0
import { Exit, HeadField, Link, RecordField, RECORD_SIZE, type Value } from "@isola/engine";
import { ColdExit, ExitKind } from "./exits.js";
import { RegionJumps } from "./region-jumps.js";

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

/** The code around the blocks of a region: in front of the first one, and behind the labels where control leaves. */
export abstract class RegionBorder extends RegionJumps {
  /** Emits the code behind one of the labels. */
  emitExit(kind: ExitKind, parts: ExitTargets): void {
    const { locals, flags } = this;
    const record = this.value(locals.exitRecord);
    flags.state = "stored";
    switch (kind) {
      case ExitKind.Link:
        locals.spill(this);
        this.emitLink(record, parts);
        break;
      case ExitKind.Lookup:
        locals.spill(this);
        this.emitLookup(parts);
        break;
      default:
        flags.settle();
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
    this.flags.settle();
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
    this.flags.settle();
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
   * @param promotion see RegionContext
   */
  emitPrologue(several: boolean, promotion: number): void {
    const head = this.parameter(0, "i32");
    const { locals } = this;
    this.flags.state = "stored";
    // Inside the region only helpers can set the event word.
    this.push(this.ltS(this.loadState("i32.load", "event"), this.i32(0)));
    this.code.if(undefined, "unlikely");
    this.flags.settle();
    this.storeState("i64.store", "rip", this.ripOfRecord(head));
    this.push(this.i32(Exit.Event));
    this.code.return();
    this.code.end();
    if (promotion > 0) this.countEntry(head, promotion);
    const delta = several ? this.loadHost("i64.load32_s", head, HeadField.Delta) : this.i64(0);
    locals.reload(this, delta);
    if (several) this.assign(locals.selector, this.loadHost("i32.load16_u", head, HeadField.Index));
    locals.endInstruction();
  }
  private countEntry(head: Value, promotion: number): void {
    const heat = this.add(this.loadHost("i32.load", head, HeadField.Heat), this.i32(1));
    this.storeHost("i32.store", head, heat, HeadField.Heat);
    this.push(this.eq(heat, this.i32(promotion)));
    this.code.if(undefined, "unlikely");
    this.callVoid("noteHot", [this.cpu, head]);
    this.code.end();
  }
}
