// SPDX-License-Identifier: Apache-2.0
import { Exit, HeadField, RecordField } from "@isola/engine";
import { assertNever } from "@isola/base";
import { beginMmx, checkPendingX87 } from "../semantics/sse-operands.js";
import type { InterpreterEmitter } from "./interpreter-emitter.js";
import { Special } from "./special.js";

/** Emits one of the handlers that belong to no opcode. */
export function emitSpecial(e: InterpreterEmitter, special: Exclude<Special, Special.Count>): void {
  switch (special) {
    case Special.Head:
      return head(e);
    case Special.Resync:
      settleFlags(e);
      e.storeState("i64.store", "rip", e.ownRip());
      // The instructions from here on were taken off the budget but do not run in this block.
      refund(e);
      // The jump cache may still name the dead block.
      return e.lookUp();
    case Special.Breakpoint:
      e.storeState("i64.store", "rip", e.ownRip());
      refund(e);
      return e.leave(e.i32(Exit.Breakpoint));
    case Special.FallThrough:
      return e.fallThrough();
    case Special.AddressLong:
      return addressLong(e);
    case Special.AddressSegmented:
      return addressSegmented(e);
    case Special.AddressMmxStore:
      checkPendingX87(e);
      beginMmx(e);
      return addressSegmented(e);
    case Special.AddressAbsolute:
      e.storeState("i64.store", "effectiveAddress", e.add(e.loadHost("i64.load", e.slotAddress("reg")), e.immediate()));
      return e.next();
    case Special.Unavailable:
      e.callVoid("raiseUnavailable", [e.cpu, e.loadHost("i32.load", e.record, RecordField.Immediate)]);
      return e.callRaise();
    case Special.ProbeStack: {
      const bytes = e.loadHost("i32.load", e.record, RecordField.Immediate);
      e.callFaultingValue("peekSegmented", [e.cpu, e.record, bytes, e.i32(0)], "i64");
      return e.next();
    }
    case Special.AddressDeferred:
      return addressDeferred(e);
    case Special.WaitX87:
      e.callVoidStatus("x87Wait", [e.cpu]);
      return e.next();
    case Special.Raise:
      e.storeState("i32.store", "fault", e.add(e.loadHost("i32.load", e.record, RecordField.Immediate), e.i32(1)));
      e.storeState("i32.store", "faultError", e.i32(0));
      return e.callRaise();
    default:
      return assertNever(special);
  }
}

/** Blocks are where compiled code continues in the interpreter; it may have left the flags as operands. */
function settleFlags(e: InterpreterEmitter): void {
  e.if(e.loadState("i32.load", "flagKind"), () => e.callVoid("materializeFlags", [e.cpu]));
}

function head(e: InterpreterEmitter): void {
  settleFlags(e);
  const count = e.loadHost("i32.load8_u", e.record, RecordField.Remaining);
  const budget = e.sub(e.loadState("i32.load", "budget"), count);
  const event = e.loadState("i32.load", "event");
  e.if(e.ltS(e.or(budget, event), e.i32(0)), () => {
    e.storeState("i64.store", "rip", e.ownRip());
    e.leave(e.i32(Exit.Event));
  });
  e.storeState("i32.store", "budget", budget);
  const heat = e.add(e.loadHost("i32.load", e.record, HeadField.Heat), e.i32(1));
  e.storeHost("i32.store", e.record, heat, HeadField.Heat);
  e.if(e.eq(heat, e.loadState("i32.load", "hotThreshold")), () => e.callVoid("noteHot", [e.cpu, e.record]));
  e.next();
}

function refund(e: InterpreterEmitter): void {
  const rest = e.loadHost("i32.load8_u", e.record, RecordField.Remaining);
  e.storeState("i32.store", "budget", e.add(e.loadState("i32.load", "budget"), rest));
}

/** Offset part of an address: base + index * scale + displacement, masked to the address size. */
function maskedOffset(e: InterpreterEmitter): ReturnType<InterpreterEmitter["i64"]> {
  return e.and(e.linearAddress(), e.immediate());
}

function addressLong(e: InterpreterEmitter): void {
  const base = e.loadHost("i64.load", e.slotAddress("reg"));
  e.storeState("i64.store", "effectiveAddress", e.add(base, maskedOffset(e)));
  e.next();
}

/** No linear address outside 64-bit mode has upper bits: the slow memory path takes one for a segment that refused. */
const REFUSED = 1n << 63n;

function addressDeferred(e: InterpreterEmitter): void {
  const segment = e.loadHost("i32.load16_u", e.record, RecordField.Reg);
  const access = e.loadHost("i32.load16_u", e.record, RecordField.Vvvv);
  const linear = e.call("segmentAddress", [e.cpu, e.record, segment, maskedOffset(e), access], "i64");
  const refused = e.loadState("i32.load", "fault");
  e.storeState("i32.store", "fault", e.i32(0));
  e.storeState("i64.store", "effectiveAddress", e.select(refused, e.i64(REFUSED), linear));
  e.next();
}

function addressSegmented(e: InterpreterEmitter): void {
  const segment = e.loadHost("i32.load16_u", e.record, RecordField.Reg);
  const access = e.loadHost("i32.load16_u", e.record, RecordField.Vvvv);
  const linear = e.callFaultingValue("segmentAddress", [e.cpu, e.record, segment, maskedOffset(e), access], "i64");
  e.storeState("i64.store", "effectiveAddress", linear);
  e.next();
}
