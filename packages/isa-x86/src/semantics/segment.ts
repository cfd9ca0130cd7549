// SPDX-License-Identifier: Apache-2.0
import type { Value } from "@isola/engine";
import { cpu as layout, SEGMENT_STRIDE } from "../cpu-layout.js";
import type { Operand } from "../table/operand.js";
import { operandAt } from "./integer-operand.js";
import type { Semantics } from "./semantics.js";
import { integerLoad, type X86Emitter } from "./x86-emitter.js";

const ES_BASE = layout.at("esBase");
/** From a segment's base field to its selector. */
const SELECTOR = layout.at("esSel") - ES_BASE;

/** Goes on behind the instruction, in the mode that it may have changed. Ends the handler. */
export function resume(e: X86Emitter): void {
  e.jumpTo(e.nextRip());
}

/** Offset of the segment's base field in the CPU record: how helpers name segment registers. */
function slotOf(e: X86Emitter, operand: Operand): Value {
  if (operand.kind === "fixedSegment") return e.i32(ES_BASE + operand.index * SEGMENT_STRIDE);
  if (operand.kind !== "segment") throw new Error(`${operand.kind} is no segment register`);
  return e.sub(e.slotAddress(operand.slot), e.cpu);
}

/** The visible selector of a segment register. */
function selectorOf(e: X86Emitter, operand: Operand): Value {
  return e.loadHost("i32.load16_u", e.add(e.cpu, slotOf(e, operand)), SELECTOR);
}

/** Writes a 16-bit value to memory, or zero-extended to a register of the operand size. */
export function writeWord(e: X86Emitter, dst: Operand, word: Value): void {
  e.write(dst, dst.kind === "gpr" && dst.size === 64 ? e.extendU(word) : word);
}

/** MOV r/m, Sreg. */
export const storeSegment: Semantics = (e, operands) =>
  writeWord(e, operandAt(operands, 0), selectorOf(e, operandAt(operands, 1)));

/** MOV Sreg, r/m16. */
export const loadSegment: Semantics = (e, operands) => {
  const selector = e.read(operandAt(operands, 1));
  e.callFaulting("moveToSegment", [e.cpu, slotOf(e, operandAt(operands, 0)), selector]);
  resume(e);
};

export const pushSegment: Semantics = (e, operands, form) => {
  const selector = selectorOf(e, operandAt(operands, 0));
  e.callFaulting("pushSelector", [e.cpu, e.record, e.i32(form.operandSize / 8), selector]);
};

export const popSegment: Semantics = (e, operands, form) => {
  e.callFaulting("popSegment", [e.cpu, e.record, e.i32(form.operandSize / 8), slotOf(e, operandAt(operands, 0))]);
  resume(e);
};

/** Offset (i64) and selector (i32) of the far pointer in memory. */
export function readFarPointer(e: X86Emitter, size: 16 | 32 | 64): { offset: Value; selector: Value } {
  const linear = e.linearAddress();
  const offset = e.extendU(e.loadGuest(integerLoad(size), size / 8, linear));
  const selector = e.loadGuest("i32.load16_u", 2, e.add(linear, e.i64(size / 8)));
  return { offset, selector };
}

/** LES, LDS, LSS, LFS, LGS: the register number of the segment, 0 ES to 5 GS. */
export function loadFarPointer(segment: number): Semantics {
  return (e, operands, form) => {
    const { offset, selector } = readFarPointer(e, form.operandSize);
    e.callFaulting("moveToSegment", [e.cpu, e.i32(ES_BASE + segment * SEGMENT_STRIDE), selector]);
    e.write(operandAt(operands, 0), form.operandSize === 64 ? offset : e.wrap(offset));
    resume(e);
  };
}

/** RDFSBASE and RDGSBASE. */
export function readBase(gs: 0 | 1): Semantics {
  return (e, operands, form) => {
    const base = e.callFaultingValue("readSegmentBase", [e.cpu, e.i32(gs)], "i64");
    e.write(operandAt(operands, 0), form.operandSize === 64 ? base : e.wrap(base));
  };
}

/** WRFSBASE and WRGSBASE. */
export function writeBase(gs: 0 | 1): Semantics {
  return (e, operands) =>
    e.callFaulting("writeSegmentBase", [e.cpu, e.i32(gs), e.extendU(e.read(operandAt(operands, 0)))]);
}

/** LAR and LSL: the destination is written only if ZF says that the selector was good. */
export function inspectSelector(helper: "loadAccessRights" | "loadSegmentLimit"): Semantics {
  return (e, operands, form) => {
    const [dst, src] = [operandAt(operands, 0), operandAt(operands, 1)];
    e.callFaulting("requireDescriptors", [e.cpu]);
    const result = e.callFaultingValue(helper, [e.cpu, e.read(src)], "i64");
    e.if(e.flags.zero(), () =>
      e.write(dst, form.operandSize === 64 ? result : e.zeroExtend(e.wrap(result), form.operandSize)),
    );
  };
}

/** VERR and VERW. */
export function verify(write: 0 | 1): Semantics {
  return (e, operands) => {
    e.callFaulting("requireDescriptors", [e.cpu]);
    e.callFaulting("verifySegment", [e.cpu, e.read(operandAt(operands, 0)), e.i32(write)]);
  };
}

/** ARPL: raises the RPL of a selector to that of the caller. */
export const arpl: Semantics = (e, operands) => {
  const [dst, src] = [operandAt(operands, 0), operandAt(operands, 1)];
  e.callFaulting("requireDescriptors", [e.cpu]);
  const selector = e.read(dst);
  const rpl = e.and(e.read(src), e.i32(3));
  const lower = e.ltU(e.and(selector, e.i32(3)), rpl);
  e.if(lower, () => {
    if (dst.kind === "mem") e.callFaulting("checkSegmentWritable", [e.cpu, e.record]);
    e.write(dst, e.or(e.and(selector, e.i32(0xfffc)), rpl));
  });
  e.flags.setZero(lower);
};

/** SLDT and STR. */
export function storeSystemSelector(field: "ldtrSel" | "trSel"): Semantics {
  return (e, operands) => {
    e.callFaulting("requireDescriptors", [e.cpu]);
    writeWord(e, operandAt(operands, 0), e.loadState("i32.load16_u", field));
  };
}

/** LLDT and LTR. */
export function loadSystemSelector(helper: "loadLocalTable" | "loadTaskRegister"): Semantics {
  return (e, operands) => {
    e.callFaulting("requireDescriptors", [e.cpu]);
    requirePrivilege(e);
    e.callFaulting(helper, [e.cpu, e.read(operandAt(operands, 0))]);
  };
}

/** #GP(0) outside ring 0. */
export function requirePrivilege(e: X86Emitter): void {
  e.callFaulting("requirePrivilege", [e.cpu]);
}

/** SGDT and SIDT: 16-bit limit, then the base: 64 bits in 64-bit mode, else 32, of which a 16-bit operand keeps 24. */
export function storeTable(table: "gdtr" | "idtr"): Semantics {
  return (e, _operands, form) => {
    const linear = e.linearAddress();
    const long = form.model === "long";
    e.call("checkWrite", [e.cpu, e.record, linear, e.i32(long ? 10 : 6)], "i32");
    e.leaveOnFault();
    const base = e.loadState("i64.load", `${table}Base`);
    e.storeGuest("i32.store16", 2, linear, e.loadState("i32.load", `${table}Limit`));
    const at = e.add(linear, e.i64(2));
    if (long) e.storeGuest("i64.store", 8, at, base);
    else
      e.storeGuest("i32.store", 4, at, form.operandSize === 16 ? e.and(e.wrap(base), e.i32(0xff_ffff)) : e.wrap(base));
  };
}

/** LGDT and LIDT. */
export function loadTable(table: "gdtr" | "idtr"): Semantics {
  return (e, _operands, form) => {
    requirePrivilege(e);
    const linear = e.linearAddress();
    const limit = e.loadGuest("i32.load16_u", 2, linear);
    const at = e.add(linear, e.i64(2));
    const long = form.model === "long";
    let base = long ? e.loadGuest("i64.load", 8, at) : e.extendU(e.loadGuest("i32.load", 4, at));
    if (!long && form.operandSize === 16) base = e.and(base, e.i64(0xff_ffff));
    e.callFaulting("loadDescriptorTable", [e.cpu, e.i32(table === "idtr" ? 1 : 0), limit, base]);
  };
}
