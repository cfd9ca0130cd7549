// SPDX-License-Identifier: Apache-2.0
import type { Emitter, Value, Variable } from "@isola/engine";
import type { CodeBuilder, ValueType } from "@isola/wasm";
import { cpu as layout } from "../cpu-layout.js";

/** An i32 that is to be zero-extended to i64 where it is used. */
export class Extended implements Value {
  readonly type = "i64";
  readonly local = -1;
  readonly constant = null;
  constructor(readonly inner: Value) {}
}

export function isExtended(value: Value): value is Extended {
  return value instanceof Extended;
}

/** A value that stands for a register's local until that local changes. */
class RegisterValue implements Value {
  readonly constant = null;
  constructor(
    readonly type: ValueType,
    public local: number,
  ) {}
}

/** Locals of one type for the values of an instruction; the first `used` of them are taken. */
class Temporaries {
  readonly locals: number[] = [];
  used = 0;
}

const GPR_COUNT = 16;
const VECTOR_COUNT = 16;

/**
 * The locals of a region's function: registers, what every block needs, and temporaries that each instruction uses anew,
 * so that a function has as many locals as its busiest instruction needs and not as many as it has values.
 */
export class RegionLocals {
  readonly budget: Variable;
  /** The event word, loaded again after whatever may have set it; 0 from the start, since the prologue looks at it. */
  readonly event: Variable;
  /** RIP of the start of the region's first page. */
  readonly codeBase: Variable;
  readonly tlbBase: Variable;
  readonly tlbKey: Variable;
  readonly effectiveAddress: Variable;
  /** Block to go on with where a label stands for several. */
  readonly selector: Variable;
  readonly exitReason: Variable;
  readonly exitRecord: Variable;
  readonly exitLink: Variable;
  readonly exitRip: Variable;

  /** Locals that do not change in the middle of an instruction, so that values may stand for them. */
  readonly stable: ReadonlySet<number>;

  private readonly gprs = new Array<number>(GPR_COUNT).fill(-1);
  private readonly vectors = new Array<number>(VECTOR_COUNT).fill(-1);
  private readonly gprWritten = new Array<boolean>(GPR_COUNT).fill(false);
  private readonly vectorWritten = new Array<boolean>(VECTOR_COUNT).fill(false);
  /** Values of the current instruction that still stand for a register, by its local. */
  private readonly attached = new Map<number, RegisterValue[]>();
  private readonly temporaries: { readonly [K in ValueType]: Temporaries } = {
    i32: new Temporaries(),
    i64: new Temporaries(),
    f32: new Temporaries(),
    f64: new Temporaries(),
    v128: new Temporaries(),
  };

  constructor(
    private readonly code: CodeBuilder,
    private readonly wide: boolean,
    /** Emits code that leaves a value on the stack. */
    private readonly push: (value: Value) => void,
  ) {
    this.budget = this.variable("i32");
    this.event = this.variable("i32");
    this.codeBase = this.variable("i64");
    this.tlbBase = this.variable("i32");
    this.tlbKey = this.variable("i64");
    this.effectiveAddress = this.variable("i64");
    this.selector = this.variable("i32");
    this.exitReason = this.variable("i32");
    this.exitRecord = this.variable("i32");
    this.exitLink = this.variable("i32");
    this.exitRip = this.variable("i64");
    const stable = [
      this.event,
      this.codeBase,
      this.tlbBase,
      this.tlbKey,
      this.effectiveAddress,
      this.exitRecord,
      this.exitLink,
    ];
    this.stable = new Set([...stable, this.exitRip, this.exitReason, this.budget].map(({ local }) => local));
  }

  /** A local for the whole region. */
  variable(type: ValueType): Variable {
    return { type, local: this.code.newLocal(type) };
  }

  /** A local until the end of the instruction. */
  temporary(type: ValueType): number {
    const temporaries = this.temporaries[type];
    const { locals } = temporaries;
    if (temporaries.used === locals.length) locals.push(this.code.newLocal(type));
    return locals[temporaries.used++] as number;
  }

  /** Temporaries become free; values of the instruction must not be used any more. */
  endInstruction(): void {
    const { i32, i64, f32, f64, v128 } = this.temporaries;
    i32.used = i64.used = f32.used = f64.used = v128.used = 0;
    this.attached.clear();
  }

  // -- registers ------------------------------------------------------------------------------------------------------

  /** A whole general-purpose register: i64 in 64-bit code, else i32. */
  readGpr(index: number): Value {
    return this.read(this.gprs, index, this.wide ? "i64" : "i32");
  }

  writeGpr(index: number, value: Value): void {
    this.gprWritten[index] = true;
    this.write(this.gprs, index, this.wide ? "i64" : "i32", value);
  }

  readVector(index: number): Value {
    return this.read(this.vectors, index, "v128");
  }

  writeVector(index: number, value: Value): void {
    this.vectorWritten[index] = true;
    this.write(this.vectors, index, "v128", value);
  }

  private localOf(bank: number[], index: number, type: ValueType): number {
    let local = bank[index] ?? -1;
    if (local < 0) {
      local = this.code.newLocal(type);
      bank[index] = local;
    }
    return local;
  }

  private read(bank: number[], index: number, type: ValueType): Value {
    const local = this.localOf(bank, index, type);
    const value = new RegisterValue(type, local);
    const list = this.attached.get(local);
    if (list === undefined) this.attached.set(local, [value]);
    else list.push(value);
    return value;
  }

  private write(bank: number[], index: number, type: ValueType, value: Value): void {
    const local = this.localOf(bank, index, type);
    this.push(value);
    // After the value has been pushed, so that it may be the register's own old one.
    this.detach(local);
    this.code.localSet(local);
  }

  /** Gives values that stand for a register's local a copy of their own. */
  private detach(local: number): void {
    const list = this.attached.get(local);
    const first = list?.[0];
    if (list === undefined || first === undefined) return;
    const copy = this.temporary(first.type);
    this.code.localGet(local);
    this.code.localSet(copy);
    for (const value of list) value.local = copy;
    this.attached.delete(local);
  }

  /** The same for all registers. */
  detachAll(): void {
    for (const local of [...this.attached.keys()]) this.detach(local);
  }

  /** All registers are read and written: by a helper that works on the CPU record. */
  useEverything(vectors: boolean): void {
    this.detachAll();
    const type = this.wide ? "i64" : "i32";
    const count = this.wide ? GPR_COUNT : GPR_COUNT / 2;
    for (let i = 0; i < count; i++) {
      this.localOf(this.gprs, i, type);
      this.gprWritten[i] = true;
    }
    for (let i = 0; vectors && i < VECTOR_COUNT; i++) {
      this.localOf(this.vectors, i, "v128");
      this.vectorWritten[i] = true;
    }
  }

  // -- the CPU record -------------------------------------------------------------------------------------------------

  /** Stores budget and all registers that the region writes anywhere. Final only when all blocks have been emitted. */
  spill(e: Emitter & { readonly cpu: Value }, vectors = true): void {
    e.storeHost("i32.store", e.cpu, e.value(this.budget), layout.at("budget"));
    this.gprs.forEach((local, i) => {
      if (local < 0 || !this.gprWritten[i]) return;
      const value = e.value({ type: this.wide ? "i64" : "i32", local });
      e.storeHost("i64.store", e.cpu, e.extendU(value), layout.at("gpr", i));
    });
    this.vectors.forEach((local, i) => {
      if (vectors && local >= 0 && this.vectorWritten[i])
        e.storeHost("v128.store", e.cpu, e.value({ type: "v128", local }), layout.at("vec", i));
    });
  }

  /** Loads what selects the soft TLB. */
  reloadTlb(e: Emitter & { readonly cpu: Value }): void {
    e.assign(this.tlbBase, e.loadHost("i32.load", e.cpu, layout.at("tlbBase")));
    e.assign(this.tlbKey, e.loadHost("i64.load", e.cpu, layout.at("tlbKey")));
  }

  /**
   * Loads all registers that the region uses and what every block needs. Final only when all blocks have been emitted.
   * @param delta of the block that control is in: see RegionBlock
   */
  reload(e: Emitter & { readonly cpu: Value }, delta: Value, vectors = true): void {
    e.assign(this.budget, e.loadHost("i32.load", e.cpu, layout.at("budget")));
    e.assign(this.codeBase, e.sub(e.loadHost("i64.load", e.cpu, layout.at("codeBase")), delta));
    this.reloadTlb(e);
    this.gprs.forEach((local, i) => {
      if (local < 0) return;
      const type = this.wide ? "i64" : "i32";
      e.assign({ type, local }, e.loadHost(`${type}.load`, e.cpu, layout.at("gpr", i)));
    });
    this.vectors.forEach((local, i) => {
      if (vectors && local >= 0) e.assign({ type: "v128", local }, e.loadHost("v128.load", e.cpu, layout.at("vec", i)));
    });
  }
}
