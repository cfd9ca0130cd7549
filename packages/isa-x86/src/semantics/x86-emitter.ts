// SPDX-License-Identifier: Apache-2.0
import { Emitter, JUMP_CACHE_ENTRIES, JUMP_CACHE_ENTRY_SIZE, TlbField, type Value } from "@isola/engine";
import { memoryOps, type MemoryOpName } from "@isola/wasm";
import { cpu as layout, type CpuField } from "../cpu-layout.js";
import type { Form } from "../table/form.js";
import type { Operand } from "../table/operand.js";
import type { Flags } from "./flags.js";

/** Beside a byte count in calls of the slow path: the access is to the stack. */
const STACK = 0x100;

/** Exception vectors (SDM 3A, table 6-1). */
export const enum Vector {
  DE = 0,
  DB = 1,
  BP = 3,
  OF = 4,
  BR = 5,
  UD = 6,
  NM = 7,
  DF = 8,
  TS = 10,
  NP = 11,
  SS = 12,
  GP = 13,
  PF = 14,
  MF = 16,
  AC = 17,
  XM = 19,
}

export const enum Gpr {
  RAX = 0,
  RCX = 1,
  RDX = 2,
  RBX = 3,
  RSP = 4,
  RBP = 5,
  RSI = 6,
  RDI = 7,
}

/** A register operand of 128 or 256 bits. */
export type VectorRegister = Extract<Operand, { readonly kind: "vec" }>;
/** 0 = bits 0-127, 1 = bits 128-255. */
export type VectorHalf = 0 | 1;
const HALF_SIZE = 16;

/**
 * The Emitter with what x86 adds: operands, flags, guest memory, faults and jumps.
 *
 * Integer values of 8, 16 and 32 bits are i32, zero-extended; 64-bit values are i64. Vectors are v128.
 */
export abstract class X86Emitter extends Emitter {
  /** Lazy arithmetic flags. */
  abstract readonly flags: Flags;
  abstract readonly form: Form;

  // -- what an implementation provides --------------------------------------------------------------------------------

  /** Address of the CPU record (i32). */
  abstract readonly cpu: Value;
  /** The instruction being executed, to be passed to helpers that take a record (i32). */
  abstract readonly record: Value;
  abstract readGprSlot(slot: "reg" | "rm" | "vvvv", size: 8 | 16 | 32 | 64): Value;
  abstract writeGprSlot(slot: "reg" | "rm" | "vvvv", size: 8 | 16 | 32 | 64, value: Value): void;
  /** The low 128 bits of the vector register that a slot names. */
  abstract readVectorSlot(slot: "reg" | "rm" | "vvvv"): Value;
  abstract writeVectorSlot(slot: "reg" | "rm" | "vvvv", value: Value): void;
  /** The low 128 bits of vector register `index`, for instructions that imply one. */
  abstract readXmm(index: number): Value;
  abstract writeXmm(index: number, value: Value): void;
  /** Address (i32) of the register that an MMX or segment slot names: of its bytes in the CPU record. */
  abstract slotAddress(slot: "reg" | "rm" | "vvvv"): Value;
  /** The immediate as an i64, extended as the operand code says. */
  abstract immediate(): Value;
  /** Linear address of the memory operand (i64). */
  abstract linearAddress(): Value;
  /** Effective address without segment base (i64), for LEA. */
  abstract effectiveAddress(): Value;
  /** RIP of the next instruction (i64), truncated to the code size. */
  abstract nextRip(): Value;

  /** Reads guest memory with any load instruction of 1 to 16 bytes; leaves the handler on a fault. */
  abstract loadGuest(op: MemoryOpName, bytes: number, linear: Value, stack?: boolean): Value;
  /** Writes guest memory; leaves the handler on a fault. */
  abstract storeGuest(op: MemoryOpName, bytes: number, linear: Value, value: Value, stack?: boolean): void;
  /**
   * Read-modify-write of guest memory: checks for writing first, so that `change` may update flags and registers.
   * With `locked` it is one atomic operation.
   */
  abstract modifyGuest(bytes: 1 | 2 | 4 | 8, linear: Value, locked: boolean, change: (old: Value) => Value): void;

  /** Looks an access up in the soft TLB: whether it hits (i32), and the address of the entry. */
  protected abstract probe(linear: Value, bytes: number, tag: number): { hit: Value; address: Value };
  /** Host address of guest memory at `linear`, in the page of a TLB entry that was hit. */
  protected hostAddress(entry: Value, linear: Value): Value {
    return this.add(this.wrap(linear), this.loadHost("i32.load", entry, TlbField.Addend));
  }

  /** Leaves the handler with an exception. The instruction has no effect. */
  abstract raise(vector: Vector, errorCode?: number): void;
  /** Leaves the handler if the helper just called has raised an exception. */
  abstract leaveOnFault(): void;

  /** Jumps to the direct target. Ends the handler. */
  abstract jump(): void;
  /** Jumps to the direct target if `condition`, else to the next instruction. Ends the handler. */
  abstract branch(condition: Value): void;
  /** Jumps to `rip` (i64, already truncated and checked). Ends the handler. */
  abstract jumpTo(rip: Value): void;
  /** Goes on at the RIP in the CPU record: after a helper changed it or the mode. Ends the handler. */
  abstract reenter(): void;
  /**
   * Leaves to the run loop, which emulates the instruction in TypeScript (trap and emulate). Memory operand: its linear
   * address is in `effectiveAddress` of the CPU record. Ends the handler.
   */
  abstract trap(): void;

  // -- state ----------------------------------------------------------------------------------------------------------

  /** Offset of a field in the CPU record. */
  stateOffset(field: CpuField, index = 0): number {
    return layout.at(field, index);
  }

  /** Reads a field of the CPU record. */
  loadState(op: MemoryOpName, field: CpuField, index = 0): Value {
    return this.loadHost(op, this.cpu, layout.at(field, index));
  }

  /** Writes a field of the CPU record. */
  storeState(op: MemoryOpName, field: CpuField, value: Value, index = 0): void {
    this.storeHost(op, this.cpu, value, layout.at(field, index));
  }

  /** Reads a general-purpose register by number. Size 8 is the low byte. */
  readGpr(index: Gpr, size: 8 | 16 | 32 | 64): Value {
    const op = size === 8 ? "i32.load8_u" : size === 16 ? "i32.load16_u" : size === 32 ? "i32.load" : "i64.load";
    return this.loadState(op, "gpr", index);
  }

  /** Writes a general-purpose register by number; 32-bit writes clear the upper half. */
  writeGpr(index: Gpr, size: 8 | 16 | 32 | 64, value: Value): void {
    if (size === 8) this.storeState("i32.store8", "gpr", value, index);
    else if (size === 16) this.storeState("i32.store16", "gpr", value, index);
    else this.storeState("i64.store", "gpr", this.extendU(value), index);
  }

  /** Entry of the jump cache for `linear`: the same hash as in assembly/jump-cache.ts. */
  jumpCacheEntry(linear: Value): Value {
    const low = this.wrap(linear);
    const hash = this.and(this.xor(low, this.wrap(this.shrU(linear, 12))), this.i32(JUMP_CACHE_ENTRIES - 1));
    return this.add(this.loadState("i32.load", "jumpCache"), this.shl(hash, Math.log2(JUMP_CACHE_ENTRY_SIZE)));
  }

  // -- operands -------------------------------------------------------------------------------------------------------

  /** Value of an integer operand. Immediates are truncated to their size. */
  read(operand: Operand): Value {
    switch (operand.kind) {
      case "gpr":
        return this.readGprSlot(operand.slot, operand.size);
      case "fixed":
        return this.readGpr(operand.index, operand.size);
      case "mem":
        return this.loadGuest(integerLoad(operand.size), operand.size / 8, this.linearAddress());
      case "imm": {
        const value = this.immediate();
        return operand.size === 64 ? value : this.zeroExtend(this.wrap(value), operand.size);
      }
      case "one":
        return this.i32(1);
      default:
        throw new Error(`${this.form.opcode.name}: cannot read a ${operand.kind} operand as an integer`);
    }
  }

  /** Writes an integer operand. */
  write(operand: Operand, value: Value): void {
    switch (operand.kind) {
      case "gpr":
        return this.writeGprSlot(operand.slot, operand.size, value);
      case "fixed":
        return this.writeGpr(operand.index, operand.size, value);
      case "mem":
        return this.storeGuest(integerStore(operand.size), operand.size / 8, this.linearAddress(), value);
      default:
        throw new Error(`${this.form.opcode.name}: cannot write a ${operand.kind} operand`);
    }
  }

  /**
   * `operand = change(operand)`. For memory the write is checked before `change` runs, so `change` may set flags.
   */
  modify(operand: Operand, change: (old: Value) => Value): void {
    if (operand.kind === "mem")
      this.modifyGuest(
        (operand.size / 8) as 1 | 2 | 4 | 8,
        this.linearAddress(),
        this.form.opcode.attributes.lock === true,
        change,
      );
    else this.write(operand, change(this.read(operand)));
  }

  /** 128 bits of a vector register: half 0 is the XMM register, half 1 the upper half of the YMM register. */
  readVectorHalf(operand: VectorRegister, half: VectorHalf): Value {
    if (half === 0) return this.readVectorSlot(operand.slot);
    return this.loadHost("v128.load", this.slotAddress(operand.slot), HALF_SIZE);
  }

  /** Writes 128 bits of a vector register; the rest of it stays. */
  writeVectorHalf(operand: VectorRegister, half: VectorHalf, value: Value): void {
    if (half === 0) this.writeVectorSlot(operand.slot, value);
    else this.storeHost("v128.store", this.slotAddress(operand.slot), value, HALF_SIZE);
  }

  /** Clears all bits from 128 on, as VEX instructions with a result of 128 bits do. */
  zeroUpperHalf(operand: VectorRegister): void {
    this.writeVectorHalf(operand, 1, this.v128(ZERO_VECTOR));
  }

  /** Like {@link readVectorHalf}, of the register with a number that the opcode implies or the immediate names. */
  readVectorRegister(index: number | Value, half: VectorHalf): Value {
    const number = typeof index === "number" ? index : index.constant === null ? -1 : Number(index.constant);
    if (number >= 0 && half === 0) return this.readXmm(number);
    if (number >= 0) return this.loadHost("v128.load", this.cpu, layout.at("vec", number) + HALF_SIZE);
    const offset = this.mul(index as Value, this.i32(layout.fields.vec.stride));
    return this.loadHost("v128.load", this.add(this.cpu, offset), layout.at("vec") + HALF_SIZE * half);
  }

  /** Like {@link writeVectorHalf}, of the register with a number. */
  writeVectorRegister(index: number, half: VectorHalf, value: Value): void {
    if (half === 0) this.writeXmm(index, value);
    else this.storeHost("v128.store", this.cpu, value, layout.at("vec", index) + HALF_SIZE);
  }

  /** Writes the low 64 bits of `value` to an MMX register; sign and exponent of the x87 register become ones. */
  writeMmx(operand: Operand, value: Value): void {
    if (operand.kind !== "mmx") throw new Error(`${this.form.opcode.name}: not an MMX register`);
    const address = this.slotAddress(operand.slot);
    this.storeHost("i64.store", address, this.lane("i64x2.extract_lane", 0, value));
    this.storeHost("i32.store16", address, this.i32(0xffff), 8);
  }

  /**
   * Reads 32 bytes of guest memory as two vectors, the lower one first; leaves the handler on a fault.
   * @param variant end of the helper's name
   */
  loadGuestPair(linear: Value, variant: "" | "Compiled" = ""): readonly [low: Value, high: Value] {
    const low = this.variable("v128");
    const high = this.variable("v128");
    const entry = this.probe(linear, 32, TlbField.TagRead);
    this.if(
      entry.hit,
      () => {
        const host = this.hostAddress(entry.address, linear);
        this.assign(low, this.loadHost("v128.load", host));
        this.assign(high, this.loadHost("v128.load", host, HALF_SIZE));
      },
      () => {
        this.callFaulting(`readGuest256${variant}`, [this.cpu, this.record, linear]);
        this.assign(low, this.readScratch(0, 0));
        this.assign(high, this.readScratch(0, 1));
      },
    );
    return [this.value(low), this.value(high)];
  }

  /**
   * Writes 32 bytes of guest memory; leaves the handler on a fault, with nothing written.
   * @param variant end of the helper's name
   */
  storeGuestPair(linear: Value, low: Value, high: Value, variant: "" | "Compiled" = ""): void {
    const entry = this.probe(linear, 32, TlbField.TagWrite);
    this.if(
      entry.hit,
      () => {
        const host = this.hostAddress(entry.address, linear);
        this.storeHost("v128.store", host, low);
        this.storeHost("v128.store", host, high, HALF_SIZE);
      },
      () => {
        this.writeScratch(0, 0, low);
        this.writeScratch(0, 1, high);
        this.callFaulting(`writeGuest256${variant}`, [this.cpu, this.record, linear]);
      },
    );
  }

  /** Half of a scratch vector: how helpers give their results back. */
  readScratch(slot: number, half: VectorHalf): Value {
    return this.loadHost("v128.load", this.cpu, layout.at("scratch", slot) + HALF_SIZE * half);
  }

  /** Writes half of a scratch vector: how helpers get their operands. */
  writeScratch(slot: number, half: VectorHalf, value: Value): void {
    this.storeHost("v128.store", this.cpu, value, layout.at("scratch", slot) + HALF_SIZE * half);
  }

  /**
   * A vector operand of up to 128 bits as v128; shorter memory operands are zero-extended. Memory of 128 bits must be
   * aligned (#GP) unless `unaligned`.
   */
  readVector(operand: Operand, unaligned = false): Value {
    if (operand.kind === "vec") return this.readVectorHalf(operand, 0);
    if (operand.kind === "mmx") return this.loadHost("v128.load64_zero", this.slotAddress(operand.slot));
    if (operand.kind !== "mem") throw new Error(`${this.form.opcode.name}: not a vector operand`);
    const linear = this.linearAddress();
    switch (operand.size) {
      case 128:
        if (!unaligned) this.requireAligned(linear, 16);
        return this.loadGuest("v128.load", 16, linear);
      case 64:
        return this.loadGuest("v128.load64_zero", 8, linear);
      case 32:
        return this.loadGuest("v128.load32_zero", 4, linear);
      default: {
        const value = this.loadGuest(integerLoad(operand.size), operand.size / 8, linear);
        return this.lane("i32x4.replace_lane", 0, this.v128(ZERO_VECTOR), value);
      }
    }
  }

  /**
   * Writes a whole 128-bit register (upper bits of YMM unchanged, as legacy SSE does), an MMX register (low 64 bits), or
   * memory of the operand's size (low bytes of `value`; 128 bits must be aligned unless `unaligned`).
   */
  writeVector(operand: Operand, value: Value, unaligned = false): void {
    if (operand.kind === "vec") return this.writeVectorHalf(operand, 0, value);
    if (operand.kind === "mmx")
      return this.storeHost("i64.store", this.slotAddress(operand.slot), this.lane("i64x2.extract_lane", 0, value));
    if (operand.kind !== "mem") throw new Error(`${this.form.opcode.name}: not a vector operand`);
    const linear = this.linearAddress();
    switch (operand.size) {
      case 128:
        if (!unaligned) this.requireAligned(linear, 16);
        return this.storeGuest("v128.store", 16, linear, value);
      case 64:
        return this.storeGuest("i64.store", 8, linear, this.lane("i64x2.extract_lane", 0, value));
      default:
        return this.storeGuest(
          integerStore(operand.size),
          operand.size / 8,
          linear,
          this.lane("i32x4.extract_lane", 0, value),
        );
    }
  }

  /** #GP(0) unless `linear` is a multiple of `bytes`. */
  requireAligned(linear: Value, bytes: number): void {
    this.raiseIf(this.and(this.wrap(linear), this.i32(bytes - 1)), Vector.GP, 0);
  }

  /**
   * Reads guest memory by a helper, when the soft TLB does not know the page.
   * @param variant end of the helpers' names
   */
  protected loadSlowly(
    op: MemoryOpName,
    bytes: number,
    linear: Value,
    stack: boolean,
    variant: "" | "Compiled" = "",
  ): Value {
    if (op === "v128.load") {
      this.callFaulting(`readGuest128${variant}`, [this.cpu, this.record, linear]);
      return this.loadState("v128.load", "scratch");
    }
    const size = this.i32(bytes | (stack ? STACK : 0));
    const value = this.callFaultingValue(`readGuest${variant}`, [this.cpu, this.record, linear, size], "i64");
    switch (op) {
      case "v128.load64_zero":
      case "v128.load32_zero":
        return this.lane("i64x2.replace_lane", 0, this.v128(ZERO_VECTOR), value);
      case "i32.load8_s":
        return this.signExtend(this.wrap(value), 8);
      case "i32.load16_s":
        return this.signExtend(this.wrap(value), 16);
      case "i64.load32_s":
        return this.signExtend(value, 32);
      default:
        return memoryOps[op].type === "i32" ? this.wrap(value) : value;
    }
  }

  /**
   * Writes guest memory by a helper.
   * @param variant end of the helpers' names
   */
  protected storeSlowly(
    op: MemoryOpName,
    bytes: number,
    linear: Value,
    value: Value,
    stack: boolean,
    variant: "" | "Compiled" = "",
  ): void {
    if (op === "v128.store") {
      this.storeState("v128.store", "scratch", value);
      this.callFaulting(`writeGuest128${variant}`, [this.cpu, this.record, linear]);
      return;
    }
    const size = this.i32(bytes | (stack ? STACK : 0));
    this.callFaulting(`writeGuest${variant}`, [this.cpu, this.record, linear, size, this.extendU(value)]);
  }

  // -- faults and stack -----------------------------------------------------------------------------------------------

  /** Raises an exception if `condition` (i32) is not zero. */
  raiseIf(condition: Value, vector: Vector, errorCode?: number): void {
    this.if(condition, () => this.raise(vector, errorCode));
  }

  /** Calls a helper that may raise an exception, and leaves the handler if it did. */
  callFaulting(name: string, args: readonly Value[]): void {
    this.callVoid(name, args);
    this.leaveOnFault();
  }

  /** Calls a helper that returns a status which says no more than CPU_FAULT does, and leaves the handler on a fault. */
  callVoidStatus(name: string, args: readonly Value[]): void {
    this.call(name, args, "i32");
    this.leaveOnFault();
  }

  /** Like {@link callFaulting}, with a result. */
  callFaultingValue(name: string, args: readonly Value[], result: "i32" | "i64"): Value {
    const value = this.call(name, args, result);
    this.leaveOnFault();
    return value;
  }

  /**
   * Pushes `value` of 16, 32 or 64 bits. The stack pointer changes only if the store does not fault. Forms with the
   * `model` attribute only.
   */
  pushStack(size: 16 | 32 | 64, value: Value): void {
    const bytes = size / 8;
    if (this.form.model === "segmented") {
      this.callFaulting("pushSegmented", [this.cpu, this.record, this.i32(bytes), this.extendU(value)]);
      return;
    }
    const top = this.stackPointerPlus(-bytes);
    this.storeGuest(integerStore(size), bytes, top, value, true);
    this.writeGpr(Gpr.RSP, 64, top);
  }

  /** Value on top of the stack (`skip` bytes above it), without popping. */
  peekStack(size: 16 | 32 | 64, skip = 0): Value {
    if (this.form.model === "segmented") {
      const value = this.callFaultingValue(
        "peekSegmented",
        [this.cpu, this.record, this.i32(size / 8), this.i32(skip)],
        "i64",
      );
      return size === 64 ? value : this.wrap(value);
    }
    return this.loadGuest(integerLoad(size), size / 8, this.stackPointerPlus(skip), true);
  }

  /** Adds `bytes` to the stack pointer, of the width that the memory model has. */
  adjustStack(bytes: number | Value): void {
    if (this.form.model === "segmented") {
      this.callVoid("adjustStackSegmented", [this.cpu, typeof bytes === "number" ? this.i32(bytes) : this.wrap(bytes)]);
      return;
    }
    this.writeGpr(Gpr.RSP, 64, this.stackPointerPlus(bytes));
  }

  /** Stack pointer plus `bytes`, wrapped as the (non-segmented) memory model wraps it. */
  private stackPointerPlus(bytes: number | Value): Value {
    if (this.form.model === "long") {
      const by = typeof bytes === "number" ? this.i64(bytes) : this.extendS(bytes);
      return this.add(this.readGpr(Gpr.RSP, 64), by);
    }
    const by = typeof bytes === "number" ? this.i32(bytes) : this.wrap(bytes);
    return this.extendU(this.add(this.readGpr(Gpr.RSP, 32), by));
  }
}

export const ZERO_VECTOR: readonly number[] = Object.freeze(new Array<number>(16).fill(0));

/** Load instruction for an integer of `size` bits: i32 up to 32 bits, else i64. */
export function integerLoad(size: number): MemoryOpName {
  return size === 8 ? "i32.load8_u" : size === 16 ? "i32.load16_u" : size === 32 ? "i32.load" : "i64.load";
}

/** Store instruction for an integer of `size` bits. */
export function integerStore(size: number): MemoryOpName {
  return size === 8 ? "i32.store8" : size === 16 ? "i32.store16" : size === 32 ? "i32.store" : "i64.store";
}
