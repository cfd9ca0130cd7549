// SPDX-License-Identifier: Apache-2.0
import { TLB_ENTRIES, TlbField, type Value } from "@isola/engine";
import { memoryOps, type MemoryOpName } from "@isola/wasm";
import { integerLoad, integerStore } from "../semantics/x86-emitter.js";
import { isExtended } from "./region-locals.js";
import { RegionOperands } from "./region-operands.js";

/** Entries are 32 bytes, so the index, times that, is bits 12 and up of the address shifted right by 7. */
const INDEX_SHIFT = 7;
const INDEX_MASK = (TLB_ENTRIES - 1) << 5;

/** Accesses to guest memory: through the soft TLB, or by a helper that fills it. */
export abstract class RegionMemory extends RegionOperands {
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
    const index = this.and(this.shrU(this.wrap(base), INDEX_SHIFT), this.i32(INDEX_MASK));
    const address = this.add(this.value(locals.tlbBase), index);
    const last = bytes === 1 ? base : this.add(base, this.constantLike(base, bytes - 1));
    const page = this.extendU(this.and(last, this.constantLike(base, -4096)));
    const wanted = this.or(page, this.value(locals.tlbKey));
    return { hit: this.eq(wanted, this.loadHost("i64.load", address, tag)), address };
  }
}
