// SPDX-License-Identifier: Apache-2.0
import { assert, InternalError } from "@isola/base";
import {
  type CodeBuilder,
  laneOps,
  type LaneOpName,
  memoryOps,
  type MemoryOpName,
  plainOps,
  type PlainOpName,
  type ValueType,
} from "@isola/wasm";

/** A typed value of the function being emitted: a local that is assigned once, or an integer constant. */
export interface Value {
  readonly type: ValueType;
  /** Index of the local, or -1 for a constant. */
  readonly local: number;
  /** The constant, or null for a local. */
  readonly constant: bigint | null;
}

/** A local that may be assigned many times: loop counters, results of branches. */
export interface Variable {
  readonly type: ValueType;
  readonly local: number;
}

/** Resolves a helper's name to a function index of the module; the signature is the one of the first use. */
export type HelperResolver = (name: string, parameters: readonly ValueType[], result: ValueType | null) => number;

/**
 * The language in which the semantics of guest instructions are written: typed values, host memory, structured control
 * flow, calls of helpers. It knows nothing of the guest; subclasses add registers, flags, guest memory and jumps, and
 * decide whether an operand comes from a decoded record (interpreter) or is a constant (region compiler).
 *
 * Every operation emits code at once, in order. Values are assigned once and may be used any number of times.
 */
export abstract class Emitter {
  constructor(
    protected readonly code: CodeBuilder,
    private readonly helpers: HelperResolver,
  ) {}

  // -- constants ------------------------------------------------------------------------------------------------------

  /** A 32-bit constant. */
  i32(value: number): Value {
    return { type: "i32", local: -1, constant: BigInt(value | 0) };
  }

  /** A 64-bit constant. */
  i64(value: bigint | number): Value {
    return { type: "i64", local: -1, constant: BigInt.asIntN(64, BigInt(value)) };
  }

  /** An integer constant of the type of `like`. */
  constantLike(like: Value, value: bigint | number): Value {
    return like.type === "i32" ? this.i32(Number(BigInt.asIntN(32, BigInt(value)))) : this.i64(value);
  }

  /** A vector constant of 16 bytes, lowest address first. */
  v128(bytes: readonly number[]): Value {
    this.code.v128Const(bytes);
    return this.result("v128");
  }

  // -- plain WebAssembly operations -----------------------------------------------------------------------------------

  /** Any WebAssembly instruction without immediates, for example `op("i8x16.add", a, b)`. */
  op(name: PlainOpName, ...args: readonly Value[]): Value {
    const { args: expected, result } = plainOps[name];
    if (args.length !== expected.length) throw new InternalError(`${name} takes ${expected.length} operands`);
    for (let i = 0; i < args.length; i++) {
      const arg = args[i] as Value;
      if (arg.type !== expected[i]) throw new InternalError(`${name}: operand ${i} is ${arg.type}, not ${expected[i]}`);
      this.push(arg);
    }
    this.code.plain(name);
    return this.result(result);
  }

  /** Reads or replaces one lane of a vector. */
  lane(name: LaneOpName, lane: number, vector: Value, scalar?: Value): Value {
    const op = laneOps[name];
    assert(lane >= 0 && lane < op.lanes && op.replace === (scalar !== undefined), `${name}: bad lane or operand`);
    this.push(vector);
    if (scalar !== undefined) this.push(scalar);
    this.code.lane(name, lane);
    return this.result(op.replace ? "v128" : op.type);
  }

  /** `i8x16.shuffle`: byte i of the result is byte `lanes[i]` of `a` followed by `b`. */
  shuffle(a: Value, b: Value, lanes: readonly number[]): Value {
    assert(lanes.length === 16, "a shuffle has 16 lanes");
    this.push(a);
    this.push(b);
    this.code.shuffle(lanes);
    return this.result("v128");
  }

  add(a: Value, b: Value): Value {
    if (b.constant === 0n) return a;
    if (a.constant === 0n) return b;
    return this.integer("add", a, b);
  }

  sub(a: Value, b: Value): Value {
    return b.constant === 0n ? a : this.integer("sub", a, b);
  }

  mul(a: Value, b: Value): Value {
    return this.integer("mul", a, b);
  }

  and(a: Value, b: Value): Value {
    return this.integer("and", a, b);
  }

  or(a: Value, b: Value): Value {
    return this.integer("or", a, b);
  }

  xor(a: Value, b: Value): Value {
    return this.integer("xor", a, b);
  }

  /** Bitwise complement. */
  not(a: Value): Value {
    return this.xor(a, this.constantLike(a, -1));
  }

  neg(a: Value): Value {
    return this.sub(this.constantLike(a, 0), a);
  }

  /** Shift left; WebAssembly takes the count modulo the width of the type. */
  shl(a: Value, count: Value | number): Value {
    return this.shift("shl", a, count);
  }

  /** Logical shift right. */
  shrU(a: Value, count: Value | number): Value {
    return this.shift("shr_u", a, count);
  }

  /** Arithmetic shift right. */
  shrS(a: Value, count: Value | number): Value {
    return this.shift("shr_s", a, count);
  }

  rotl(a: Value, count: Value | number): Value {
    return this.shift("rotl", a, count);
  }

  rotr(a: Value, count: Value | number): Value {
    return this.shift("rotr", a, count);
  }

  eqz(a: Value): Value {
    return this.op(a.type === "i32" ? "i32.eqz" : "i64.eqz", a);
  }

  eq(a: Value, b: Value): Value {
    return this.integer("eq", a, b);
  }

  ne(a: Value, b: Value): Value {
    return this.integer("ne", a, b);
  }

  ltU(a: Value, b: Value): Value {
    return this.integer("lt_u", a, b);
  }

  ltS(a: Value, b: Value): Value {
    return this.integer("lt_s", a, b);
  }

  leU(a: Value, b: Value): Value {
    return this.integer("le_u", a, b);
  }

  gtU(a: Value, b: Value): Value {
    return this.integer("gt_u", a, b);
  }

  gtS(a: Value, b: Value): Value {
    return this.integer("gt_s", a, b);
  }

  geU(a: Value, b: Value): Value {
    return this.integer("ge_u", a, b);
  }

  clz(a: Value): Value {
    return this.op(a.type === "i32" ? "i32.clz" : "i64.clz", a);
  }

  ctz(a: Value): Value {
    return this.op(a.type === "i32" ? "i32.ctz" : "i64.ctz", a);
  }

  popcnt(a: Value): Value {
    return this.op(a.type === "i32" ? "i32.popcnt" : "i64.popcnt", a);
  }

  /** Low 32 bits of an i64; an i32 stays as it is. */
  wrap(a: Value): Value {
    if (a.type === "i32") return a;
    if (a.constant !== null) return this.i32(Number(BigInt.asIntN(32, a.constant)));
    return this.op("i32.wrap_i64", a);
  }

  /** Zero-extends an i32 to i64; an i64 stays as it is. */
  extendU(a: Value): Value {
    if (a.type === "i64") return a;
    if (a.constant !== null) return this.i64(BigInt.asUintN(32, a.constant));
    return this.op("i64.extend_i32_u", a);
  }

  /** Sign-extends an i32 to i64; an i64 stays as it is. */
  extendS(a: Value): Value {
    if (a.type === "i64") return a;
    if (a.constant !== null) return this.i64(a.constant);
    return this.op("i64.extend_i32_s", a);
  }

  /** Sign-extends the low `bits` (8, 16, 32 or 64) of `a` to the width of its type. */
  signExtend(a: Value, bits: number): Value {
    if (bits === 64 || (bits === 32 && a.type === "i32")) return a;
    if (bits === 32) return this.op("i64.extend32_s", a);
    if (bits === 16) return this.op(a.type === "i32" ? "i32.extend16_s" : "i64.extend16_s", a);
    return this.op(a.type === "i32" ? "i32.extend8_s" : "i64.extend8_s", a);
  }

  /** Keeps the low `bits` of `a`. */
  zeroExtend(a: Value, bits: number): Value {
    if (bits === 64 || (bits === 32 && a.type === "i32")) return a;
    return this.and(a, this.constantLike(a, (1n << BigInt(bits)) - 1n));
  }

  /** `condition != 0 ? a : b`; both are evaluated. */
  select(condition: Value, a: Value, b: Value): Value {
    assert(a.type === b.type, "select needs operands of one type");
    this.push(a);
    this.push(b);
    this.push(condition);
    this.code.select();
    return this.result(a.type);
  }

  // -- variables and control flow -------------------------------------------------------------------------------------

  variable(type: ValueType, initial?: Value): Variable {
    const variable = { type, local: this.newLocal(type) };
    if (initial !== undefined) this.assign(variable, initial);
    return variable;
  }

  assign(variable: Variable, value: Value): void {
    if (variable.type !== value.type) throw new InternalError(`cannot assign ${value.type} to ${variable.type}`);
    this.push(value);
    this.code.localSet(variable.local);
  }

  /** The variable's value now. */
  value(variable: Variable): Value {
    this.code.localGet(variable.local);
    return this.result(variable.type);
  }

  /** Emits `then` under `condition != 0`, `otherwise` (if given) under the opposite. */
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.code.if();
    then();
    if (otherwise !== undefined) {
      this.code.else();
      otherwise();
    }
    this.code.end();
  }

  /** The value of `then()` or of `otherwise()`; only one of them runs. */
  choose(condition: Value, type: ValueType, then: () => Value, otherwise: () => Value): Value {
    const result = this.variable(type);
    this.if(
      condition,
      () => this.assign(result, then()),
      () => this.assign(result, otherwise()),
    );
    return { type, local: result.local, constant: null };
  }

  /** Repeats `body` while it returns a non-zero condition. */
  doWhile(body: () => Value): void {
    this.code.loop();
    this.push(body());
    this.code.brIf(0);
    this.code.end();
  }

  // -- host memory and helpers ----------------------------------------------------------------------------------------

  /** Reads linear memory at `address + offset`. */
  loadHost(name: MemoryOpName, address: Value, offset = 0): Value {
    this.push(address);
    this.code.memory(name, offset);
    return this.result(memoryOps[name].type);
  }

  /** Writes linear memory at `address + offset`. */
  storeHost(name: MemoryOpName, address: Value, value: Value, offset = 0): void {
    if (memoryOps[name].type !== value.type) throw new InternalError(`${name} cannot store ${value.type}`);
    this.push(address);
    this.push(value);
    this.code.memory(name, offset);
  }

  /** Calls a helper that returns a value. */
  call(name: string, args: readonly Value[], result: ValueType): Value {
    this.emitCall(name, args, result);
    return this.result(result);
  }

  /** Calls a helper that returns nothing. */
  callVoid(name: string, args: readonly Value[]): void {
    this.emitCall(name, args, null);
  }

  // -- for subclasses -------------------------------------------------------------------------------------------------

  protected push(value: Value): void {
    if (value.constant === null) this.code.localGet(value.local);
    else if (value.type === "i32") this.code.i32Const(Number(value.constant));
    else this.code.i64Const(value.constant);
  }

  /** A local for a value or a variable. */
  protected newLocal(type: ValueType): number {
    return this.code.newLocal(type);
  }

  /** Takes the value on top of the stack. */
  protected result(type: ValueType): Value {
    const local = this.newLocal(type);
    this.code.localSet(local);
    return { type, local, constant: null };
  }

  protected parameter(index: number, type: ValueType): Value {
    return { type, local: index, constant: null };
  }

  protected emitCall(name: string, args: readonly Value[], result: ValueType | null): void {
    for (const arg of args) this.push(arg);
    this.callFunction(
      this.helpers(
        name,
        args.map((arg) => arg.type),
        result,
      ),
    );
  }

  /** Calls what {@link HelperResolver} has given for a helper. */
  protected callFunction(index: number): void {
    this.code.call(index);
  }

  private integer(name: IntegerOp, a: Value, b: Value): Value {
    if (a.type !== b.type) throw new InternalError(`${name}: operands are ${a.type} and ${b.type}`);
    if (a.constant !== null && b.constant !== null) {
      const folded = fold(name, a.constant, b.constant);
      if (folded !== null) return this.constantLike(a, folded);
    }
    const op = OPS[name][a.type === "i32" ? 0 : 1];
    // What has just been computed is best used first.
    return b.constant === null && COMMUTATIVE.has(name) && this.code.hasJustSet(b.local)
      ? this.op(op, b, a)
      : this.op(op, a, b);
  }

  private shift(name: ShiftOp, a: Value, count: Value | number): Value {
    if (count === 0) return a;
    const by =
      typeof count === "number"
        ? this.constantLike(a, count)
        : a.type === "i64"
          ? this.extendU(count)
          : this.wrap(count);
    return this.op(OPS[name][a.type === "i32" ? 0 : 1], a, by);
  }
}

const ARITHMETIC = ["add", "sub", "mul", "and", "or", "xor"] as const;
const RELATIONS = ["eq", "ne", "lt_u", "lt_s", "le_u", "gt_u", "gt_s", "ge_u"] as const;
const SHIFTS = ["shl", "shr_u", "shr_s", "rotl", "rotr"] as const;
type IntegerOp = (typeof ARITHMETIC)[number] | (typeof RELATIONS)[number];
type ShiftOp = (typeof SHIFTS)[number];

/** Names of the i32 and i64 forms. To put them together every time would cost more than to emit the instruction. */
const OPS = Object.fromEntries(
  [...ARITHMETIC, ...RELATIONS, ...SHIFTS].map((name) => [name, [`i32.${name}`, `i64.${name}`] as const]),
) as { readonly [K in IntegerOp | ShiftOp]: readonly [`i32.${K}`, `i64.${K}`] };

const COMMUTATIVE: ReadonlySet<IntegerOp> = new Set<IntegerOp>(["add", "mul", "and", "or", "xor", "eq", "ne"]);

function fold(name: IntegerOp, a: bigint, b: bigint): bigint | null {
  switch (name) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    default:
      return null;
  }
}
