// SPDX-License-Identifier: Apache-2.0
import { RecordField, RECORD_SIZE, TLB_ENTRIES, TlbField, type Value, type Variable } from "@isola/engine";
import { memoryOps, type MemoryOpName } from "@isola/wasm";
import { cpu as layout } from "../cpu-layout.js";
import { Special } from "../interpreter/special.js";
import { Gpr, integerLoad, integerStore } from "../semantics/x86-emitter.js";
import { AccessGroup, type AddressState } from "./access-group.js";
import type { RegionBlock } from "./region.js";
import { isExtended } from "./region-locals.js";
import { RegionOperands } from "./region-operands.js";

/** Entries are 32 bytes, so the index, times that, is bits 12 and up of the address shifted right by 7. */
const INDEX_SHIFT = 7;
const INDEX_MASK = (TLB_ENTRIES - 1) << 5;

/** Instructions that access the stack below or above RSP as it is. */
const STACK_OPERATIONS: ReadonlySet<string> = new Set(["push", "pop", "call", "ret"]);

const GPR = layout.at("gpr");
const ZERO = layout.at("zero");

/** An access to bytes that an {@link AccessGroup} has a host address of. */
interface GroupedAccess {
  readonly group: AccessGroup;
  /** From the group's root. */
  readonly offset: number;
  /** Whether the host address is known (i32). */
  readonly hit: Value;
  /** The TLB entry, if this is the access that probes. */
  readonly probed: Value | null;
}

/** Accesses to guest memory: through the soft TLB, or by a helper that fills it. */
export abstract class RegionMemory extends RegionOperands {
  /** Memory operands of the block that are based on each register. */
  private readonly uses = new Array<number>(16).fill(0);
  /** Locals of groups of earlier blocks. */
  private readonly freeHosts: Variable[] = [];

  loadGuest(op: MemoryOpName, bytes: number, linear: Value, stack = false): Value {
    const { type } = memoryOps[op];
    const access = this.groupedAccess(linear, bytes, false);
    if (access === null) {
      const entry = this.probe(linear, bytes, TlbField.TagRead);
      this.push(entry.hit);
      this.code.if(type, "likely");
      this.push(this.hostAddress(entry.address, linear));
      this.code.memory(op, 0);
      this.code.else();
    } else {
      this.push(access.hit);
      this.code.if(type, "likely");
      this.emitGrouped(access, linear, op, null);
      this.code.else();
      this.missGroup(access);
    }
    this.push(this.loadSlowly(op, bytes, linear, stack, "Compiled"));
    this.code.end();
    return this.result(type);
  }

  storeGuest(op: MemoryOpName, bytes: number, linear: Value, value: Value, stack = false): void {
    const access = this.groupedAccess(linear, bytes, true);
    if (access === null) {
      const entry = this.probe(linear, bytes, TlbField.TagWrite);
      this.push(entry.hit);
      this.code.if(undefined, "likely");
      this.storeHost(op, this.hostAddress(entry.address, linear), value);
      this.code.else();
    } else {
      this.push(access.hit);
      this.code.if(undefined, "likely");
      this.emitGrouped(access, linear, op, value);
      this.code.else();
      this.missGroup(access);
    }
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
    const type = bytes === 8 ? "i64" : "i32";
    const args = [this.cpu, this.record, linear, this.i32(bytes)];
    const access = this.groupedAccess(linear, bytes, true);
    // 0 = slow path; no guest byte is at host address 0.
    const host = access?.group.host ?? this.variable("i32");
    if (access === null) {
      const entry = this.probe(linear, bytes, TlbField.TagWrite);
      this.push(entry.hit);
      this.code.if(type, "likely");
      this.assign(host, this.hostAddress(entry.address, linear));
      this.push(this.value(host));
      this.code.memory(load, 0);
      this.code.else();
      this.assign(host, this.i32(0));
    } else {
      this.push(access.hit);
      this.code.if(type, "likely");
      this.emitGrouped(access, linear, load, null);
      this.code.else();
      this.missGroup(access);
    }
    const slow = this.callFaultingValue("readForWriteCompiled", args, "i64");
    this.push(bytes === 8 ? slow : this.wrap(slow));
    this.code.end();
    const changed = change(this.result(type));
    this.push(this.value(host));
    this.code.if(undefined, "likely");
    if (access === null) this.storeHost(store, this.value(host), changed);
    else this.emitGrouped({ ...access, probed: null }, linear, store, changed);
    this.code.else();
    this.callFaulting("writeGuest", [...args, this.extendU(changed)]);
    this.code.end();
  }

  // -- accesses that share a probe ------------------------------------------------------------------------------------

  /** The block begins; `before` is what is known if control comes from one other block only. */
  protected beginGroups(block: RegionBlock, before: AddressState | undefined): void {
    this.addresses.begin(before);
    this.uses.fill(0);
    this.countBases(block);
    for (const heir of this.port.heirs()) this.countBases(heir);
  }

  /** Counts in advance how many memory operands of a block are based on each register. */
  private countBases(block: RegionBlock): void {
    const { view } = this.port;
    const use = (register: number): void => void (this.uses[register] = (this.uses[register] ?? 0) + 1);
    for (let i = 1; i < block.records; i++) {
      const record = block.head + i * RECORD_SIZE;
      const handler = view.getUint32(record + RecordField.Handler, true);
      if (handler < Special.Count) continue;
      const form = this.port.formOf(handler);
      if (STACK_OPERATIONS.has(form.opcode.name)) use(Gpr.RSP);
      const base = view.getUint16(record + RecordField.Base, true);
      if (form.addressing !== "none" && base < ZERO && view.getUint16(record + RecordField.Index, true) === ZERO)
        use((base - GPR) >> 3);
    }
  }

  /** The block has been emitted. */
  protected endGroups(): void {
    for (const group of this.addresses.end()) {
      group.finish(this.code, TlbField.TagRead, TlbField.TagWrite);
      this.freeHosts.push(group.host);
    }
  }

  /** How an access shares a probe with others, or null if it does not. If it is the first, the probe is emitted here. */
  private groupedAccess(linear: Value, bytes: number, write: boolean): GroupedAccess | null {
    const origin = this.addresses.originOf(linear);
    if (origin === undefined) return null;
    const { root, offset } = origin;
    const known = this.addresses.groupOf(root);
    if (known !== undefined) {
      // What runs under a condition must not change what the probe is for.
      const joins =
        this.armDepth > 0
          ? known.covers(offset, bytes, write)
          : known.join(offset, bytes, write, this.addresses.isCertain(known));
      if (joins) return { group: known, offset, hit: this.value(known.host), probed: null };
    }
    if (this.armDepth > 0 || (this.uses[root.register] ?? 0) < 2) return null;
    const group = new AccessGroup(root, offset, bytes, this.freeHosts.pop() ?? this.locals.variable("i32"));
    group.join(offset, bytes, write, true);
    this.addresses.open(group);
    const probed = this.probeGroup(group, linear);
    return { group, offset, hit: probed.hit, probed: probed.address };
  }

  /** Like {@link probe}, for all bytes that the group will turn out to have. */
  private probeGroup(group: AccessGroup, linear: Value): { hit: Value; address: Value } {
    const { locals, code } = this;
    const base = isExtended(linear) ? linear.inner : linear;
    const type = base.type === "i32" ? "i32" : "i64";
    const plus = (place: (at: number) => void): Value => {
      this.push(base);
      place(code.constWithPlace(type));
      code.plain(`${type}.add`);
      return this.result(type);
    };
    const first = this.wrap(plus((at) => group.lowest(at)));
    const index = this.and(this.shrU(first, INDEX_SHIFT), this.i32(INDEX_MASK));
    const address = this.add(this.value(locals.tlbBase), index);
    const last = plus((at) => group.highest(at));
    const page = this.extendU(this.and(last, this.constantLike(base, -4096)));
    this.push(this.or(page, this.value(locals.tlbKey)));
    this.push(address);
    group.tag(code.memoryWithPlace("i64.load"));
    code.plain("i64.eq");
    return { hit: this.result("i32"), address };
  }

  /** The access itself, where the group's bytes are at hand. A load leaves its value on the stack. */
  private emitGrouped(access: GroupedAccess, linear: Value, op: MemoryOpName, value: Value | null): void {
    const { group, offset, probed } = access;
    const { code } = this;
    if (probed !== null) {
      this.push(this.hostAddress(probed, linear));
      group.lowest(code.constWithPlace("i32"));
      code.plain("i32.add");
      code.localSet(group.host.local);
    }
    this.push(this.value(group.host));
    if (value !== null) this.push(value);
    group.distance(code.memoryWithPlace(op), offset);
  }

  private missGroup({ group, probed }: GroupedAccess): void {
    if (probed !== null) this.assign(group.host, this.i32(0));
  }

  // -- the soft TLB ---------------------------------------------------------------------------------------------------

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
