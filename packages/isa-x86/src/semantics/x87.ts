// SPDX-License-Identifier: Apache-2.0
// x87: handlers move operands between guest memory and the helpers of assembly/x87, which do whole instructions.
import type { Value } from "@isola/engine";
import type { Semantics } from "./semantics.js";
import { Vector, type X86Emitter } from "./x86-emitter.js";

/** What a memory operand of the arithmetic and load groups is. */
export type X87Memory = "f32" | "f64" | "i16" | "i32" | "i64";

/** Number of the x87 register that ModRM.rm names. */
function stackIndex(e: X86Emitter): Value {
  return e.wrap(e.immediate());
}

const FSW_ES = 0x80;

/** A pending unmasked exception comes before the memory operand is touched. */
function wait(e: X86Emitter): void {
  const pending = e.and(e.loadState("i32.load16_u", "fsw"), e.i32(FSW_ES));
  e.if(pending, () => e.callVoidStatus("x87Wait", [e.cpu]));
}

function loadMemory(e: X86Emitter, kind: X87Memory): Value {
  wait(e);
  const linear = e.linearAddress();
  switch (kind) {
    case "f32":
    case "i32":
      return e.loadGuest("i32.load", 4, linear);
    case "i16":
      return e.loadGuest("i32.load16_s", 2, linear);
    default:
      return e.loadGuest("i64.load", 8, linear);
  }
}

/** A helper that takes the CPU record and constants: FCHS, FSIN, FINCSTP. */
export function plain(helper: string, ...constants: readonly number[]): Semantics {
  return (e) => e.callVoidStatus(helper, [e.cpu, ...constants.map((value) => e.i32(value))]);
}

/** A helper that takes the CPU record, the register number and constants: FXCH, FCOM ST(i). */
export function withRegister(helper: string, ...constants: readonly number[]): Semantics {
  return (e) => e.callVoidStatus(helper, [e.cpu, stackIndex(e), ...constants.map((value) => e.i32(value))]);
}

/** `op` of the groups D8 to DE with ST(0) as destination. */
export function arithmeticRegister(op: number): Semantics {
  return (e) => e.callVoidStatus("x87ArithmeticRegister", [e.cpu, e.i32(op), stackIndex(e)]);
}

/** The same with ST(i) as destination, perhaps popping. */
export function arithmeticTo(op: number, pops: 0 | 1): Semantics {
  return (e) => e.callVoidStatus("x87ArithmeticTo", [e.cpu, e.i32(op), stackIndex(e), e.i32(pops)]);
}

const ARITHMETIC = {
  f32: "x87ArithmeticF32",
  f64: "x87ArithmeticF64",
  i16: "x87ArithmeticInteger",
  i32: "x87ArithmeticInteger",
} as const;

export function arithmeticMemory(op: number, kind: "f32" | "f64" | "i16" | "i32"): Semantics {
  return (e) => {
    const value = loadMemory(e, kind);
    e.callVoidStatus(ARITHMETIC[kind], [e.cpu, e.i32(op), value]);
  };
}

const LOAD = {
  f32: "x87LoadF32",
  f64: "x87LoadF64",
  i16: "x87LoadInteger",
  i32: "x87LoadInteger",
  i64: "x87LoadInteger",
} as const;

/** FLD and FILD from memory. */
export function load(kind: X87Memory): Semantics {
  return (e) => {
    const value = loadMemory(e, kind);
    e.callVoidStatus(LOAD[kind], [e.cpu, kind === "i16" || kind === "i32" ? e.extendS(value) : value]);
  };
}

/** FLD m80. */
export const loadF80: Semantics = (e) => {
  wait(e);
  e.callFaulting("readBlock", [e.cpu, e.record, e.linearAddress(), e.i32(10)]);
  const significand = e.loadState("i64.load", "scratch");
  const signExponent = e.loadHost("i32.load16_u", e.cpu, e.stateOffset("scratch") + 8);
  e.callVoidStatus("x87LoadF80", [e.cpu, significand, signExponent]);
};

/** FBLD. */
export const loadBcd: Semantics = (e) => {
  wait(e);
  e.callFaulting("readBlock", [e.cpu, e.record, e.linearAddress(), e.i32(10)]);
  e.callVoidStatus("x87LoadBcd", [e.cpu]);
};

/**
 * A store: the helper leaves `bytes` in the scratch area and says whether to store them; popping comes after the store,
 * so that a page fault leaves the stack alone.
 */
export function store(helper: string, bytes: 2 | 4 | 8 | 10, pops: 0 | 1, ...constants: readonly number[]): Semantics {
  return (e) => {
    // The address must be known on every path of what follows.
    const linear = e.linearAddress();
    const status = e.call(helper, [e.cpu, ...constants.map((value) => e.i32(value))], "i32");
    e.if(
      status,
      () => {
        if (bytes === 10) e.callFaulting("writeBlock", [e.cpu, e.record, linear, e.i32(10)]);
        else if (bytes === 8) e.storeGuest("i64.store", 8, linear, e.loadState("i64.load", "scratch"));
        else if (bytes === 4) e.storeGuest("i32.store", 4, linear, e.loadState("i32.load", "scratch"));
        else e.storeGuest("i32.store16", 2, linear, e.loadState("i32.load", "scratch"));
        e.callVoid("x87StoreDone", [e.cpu, e.i32(pops)]);
      },
      () => e.leaveOnFault(),
    );
  };
}

/** FCMOVcc: conditions B, E, BE, U and their negations. */
export function conditionalMove(condition: number): Semantics {
  return (e) => e.callVoidStatus("x87ConditionalMove", [e.cpu, stackIndex(e), e.flags.condition(condition)]);
}

/** FNINIT, FNCLEX: no wait, no fault. */
export function control(helper: string): Semantics {
  return (e) => e.callVoid(helper, [e.cpu]);
}

/** FNSTSW and FNSTCW. */
export function storeWord(helper: string): Semantics {
  return (e, [destination]) => {
    if (destination === undefined) throw new Error("FNSTSW and FNSTCW have an operand");
    e.write(destination, e.call(helper, [e.cpu], "i32"));
  };
}

export const loadControlWord: Semantics = (e) => {
  wait(e);
  e.callVoidStatus("x87LoadControlWord", [e.cpu, e.loadGuest("i32.load16_u", 2, e.linearAddress())]);
};

/** FWAIT: #NM when CR0.MP and CR0.TS are both set, whatever CR0.EM says. */
export const fwait: Semantics = (e) => {
  const both = e.and(e.loadState("i32.load", "cr0"), e.i32(0b1010));
  e.raiseIf(e.eq(both, e.i32(0b1010)), Vector.NM);
  wait(e);
};

// -- environment and state images -----------------------------------------------------------------------------------------

const CR0_PE = 1;
const EFLAGS_VM = 1 << 17;

/** Layout of an environment: bit 0 = 32-bit operand size, bit 1 = real-address or virtual-8086 format. */
function environmentLayout(e: X86Emitter): Value {
  const wide = e.form.operandSize === 16 ? 0 : 1;
  const real = e.eqz(e.and(e.loadState("i32.load", "cr0"), e.i32(CR0_PE)));
  const virtual = e.ne(e.and(e.loadState("i32.load", "eflags"), e.i32(EFLAGS_VM)), e.i32(0));
  return e.or(e.i32(wide), e.shl(e.or(real, virtual), 1));
}

function environmentBytes(e: X86Emitter): number {
  return e.form.operandSize === 16 ? 14 : 28;
}

export const storeEnvironment: Semantics = (e) => {
  e.callVoid("x87StoreEnvironment", [e.cpu, environmentLayout(e)]);
  e.callFaulting("writeBlock", [e.cpu, e.record, e.linearAddress(), e.i32(environmentBytes(e))]);
  e.callVoid("x87StoreEnvironmentDone", [e.cpu]);
};

export const loadEnvironment: Semantics = (e) => {
  wait(e);
  e.callFaulting("readBlock", [e.cpu, e.record, e.linearAddress(), e.i32(environmentBytes(e))]);
  e.callVoidStatus("x87LoadEnvironment", [e.cpu, environmentLayout(e)]);
};

const REGISTER_BYTES = 80;

export const save: Semantics = (e) => {
  e.callVoid("x87Save", [e.cpu, environmentLayout(e)]);
  e.callFaulting("writeBlock", [e.cpu, e.record, e.linearAddress(), e.i32(environmentBytes(e) + REGISTER_BYTES)]);
  e.callVoid("x87Init", [e.cpu]);
};

export const restore: Semantics = (e) => {
  wait(e);
  e.callFaulting("readBlock", [e.cpu, e.record, e.linearAddress(), e.i32(environmentBytes(e) + REGISTER_BYTES)]);
  e.callVoidStatus("x87Restore", [e.cpu, environmentLayout(e)]);
};

/** The address of an FXSAVE area that may be accessed. */
function fxArea(e: X86Emitter, write: 0 | 1): Value {
  const linear = e.linearAddress();
  e.callFaulting("checkFxArea", [e.cpu, e.record, linear, e.i32(write)]);
  return linear;
}

/** FXSAVE and FXRSTOR know from the form: REX.W, and from the mode key whether there are 16 XMM registers. */
function fxFormat(e: X86Emitter): [long: Value, wide: Value] {
  const code64 = e.eq(e.and(e.loadState("i32.load", "modeKey"), e.i32(3)), e.i32(2));
  return [e.i32(e.form.operandSize === 64 ? 1 : 0), code64];
}

export const fxsave: Semantics = (e) => {
  const linear = fxArea(e, 1);
  const [long, wide] = fxFormat(e);
  e.callVoid("x87FxSave", [e.cpu, long, wide]);
  e.callFaulting("writeBlock", [e.cpu, e.record, linear, e.call("x87FxSaveSize", [wide], "i32")]);
};

export const fxrstor: Semantics = (e) => {
  const linear = fxArea(e, 0);
  const [long, wide] = fxFormat(e);
  e.callFaulting("readBlock", [e.cpu, e.record, linear, e.i32(416)]);
  e.callVoidStatus("x87FxRestore", [e.cpu, long, wide]);
};
