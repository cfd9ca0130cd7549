// SPDX-License-Identifier: Apache-2.0
import type { IoHandler, IrqLine } from "@isola/memory";
import type { Timers } from "@isola/ports";
import { partOf } from "../access-width.js";
import { checkState, copyState, type Device } from "../device.js";
import type { ApicBus, ApicTarget } from "./apic-bus.js";
import { type ApicAddress, x2apicLogicalId } from "./destination.js";
import { sendIpi } from "./ipi.js";
import { LocalVectorTable } from "./local-vector-table.js";
import { APIC_VERSION, ApicBase, Delivery, Esr, FIRST_VECTOR, Icr, Lvt, Reg, Svr } from "./registers.js";
import { type LapicState, lapicResetState } from "./state.js";
import { LapicTimer } from "./timer.js";
import { VectorSet } from "./vector-set.js";

/** `pendingVector()` while the 8259 asks: its vector is only known from `acknowledge()`. */
export const EXTERNAL_INTERRUPT = 0x100;

/** What a local APIC tells its vCPU. None of these may run guest code before returning. */
export interface LapicEvents {
  /** `pendingVector()` went from -1 to something: the vCPU should look before its next instruction. */
  onInterrupt(): void;
  nmi(): void;
  smi(): void;
  /** INIT arrived; the APIC has reset itself already. */
  init(): void;
  /** Start-up IPI: a waiting vCPU begins at `vector << 12` in real mode. */
  sipi(vector: number): void;
}

export interface LapicPorts {
  /** The APIC ID; 32 bits in x2APIC mode, of which xAPIC mode shows eight. */
  readonly id: number;
  /** Whether this is the bootstrap processor. */
  readonly bsp: boolean;
  readonly bus: ApicBus;
  readonly timers: Timers;
  /** Machine time in ns at which this vCPU's time-stamp counter reaches a value. */
  readonly tscToNs: (tsc: number) => number;
  readonly events: LapicEvents;
  /** The interrupt-acknowledge cycle of the 8259 behind LINT0; returns its vector. */
  readonly externalVector: () => number;
}

/**
 * The local APIC of one vCPU. In xAPIC mode the guest reaches it through `handler`, which the machine calls for the
 * vCPU that made the access; in x2APIC mode through `LapicMsrs`. A relocated base address is stored but not followed.
 */
export class Lapic implements Device<LapicState>, ApicTarget {
  readonly handler: IoHandler = {
    // Registers are 32 bits wide on 16-byte boundaries; narrower reads see their bytes, the gaps read as zero.
    read: (offset, size) => {
      if (this.x2apic || (offset & 15) + size > 4) return 0;
      return partOf(this.readRegister(offset >> 4), offset, size);
    },
    write: (offset, size, value) => {
      if (this.x2apic || (offset & 15) !== 0 || size !== 4) return;
      this.writeRegister(offset >> 4, value);
    },
  };
  /** Local interrupt pins; the machine ties LINT0 to the 8259 and LINT1 to NMI. */
  readonly lint0: IrqLine = { set: (asserted) => this.setPin(0, asserted) };
  readonly lint1: IrqLine = { set: (asserted) => this.setPin(1, asserted) };
  readonly timer: LapicTimer;
  readonly address: ApicAddress;

  private s: LapicState;
  private readonly lvt: LocalVectorTable;
  private readonly irr = new VectorSet();
  private readonly isr = new VectorSet();
  private readonly tmr = new VectorSet();
  private pending = -1;
  private ppr = 0;

  constructor(private readonly ports: LapicPorts) {
    this.s = lapicResetState(ports.bsp);
    this.lvt = new LocalVectorTable({
      request: (vector, level) => this.request(vector, level),
      nmi: () => ports.events.nmi(),
      smi: () => ports.events.smi(),
      init: () => this.receiveInit(),
    });
    this.lvt.entries = this.s.lvt;
    this.timer = new LapicTimer(
      ports.timers,
      ports.tscToNs,
      () => this.lvt.timerMode,
      () => this.lvt.fire(Reg.LvtTimer),
    );
    this.address = this.makeAddress();
    ports.bus.attach(this);
  }

  reset(): void {
    this.clear();
    this.lvt.pins = [false, false];
    this.update();
  }

  save(): LapicState {
    const state = copyState(this.s);
    state.irr = this.irr.save();
    state.isr = this.isr.save();
    state.tmr = this.tmr.save();
    state.lvt = [...this.lvt.entries];
    state.lint = [...this.lvt.pins];
    state.timer = { ...this.timer.state };
    return state;
  }

  restore(state: LapicState): void {
    checkState(state, "lapic", 1);
    this.s = copyState(state);
    this.irr.restore(state.irr);
    this.isr.restore(state.isr);
    this.tmr.restore(state.tmr);
    this.lvt.entries = [...state.lvt];
    this.lvt.pins = [...state.lint];
    this.timer.restore(state.timer);
    this.update();
  }

  /**
   * What the firmware of a PC leaves behind on the bootstrap processor: APIC on, the 8259 through LINT0, NMI on LINT1
   * (MultiProcessor Specification 1.4, 3.6.2.2 "Virtual Wire Mode"). For machines that boot without firmware.
   */
  enterVirtualWireMode(): void {
    this.s.svr = Svr.Enable | 0x0f;
    this.lvt.write(Reg.LvtLint0, Delivery.ExtInt << Lvt.ModeShift, true);
    this.lvt.write(Reg.LvtLint1, Delivery.Nmi << Lvt.ModeShift, true);
    this.update();
  }

  /** Highest interrupt that may be delivered now, {@link EXTERNAL_INTERRUPT}, or -1. Constant time. */
  pendingVector(): number {
    return this.pending;
  }

  /** Takes the pending interrupt into service and returns its vector; the spurious vector if there is none. */
  acknowledge(): number {
    const vector = this.pending;
    if (vector === EXTERNAL_INTERRUPT) {
      this.s.extIntMessage = false;
      const external = this.ports.externalVector();
      this.update();
      return external;
    }
    if (vector < 0) return this.s.svr & Svr.Vector;
    this.irr.remove(vector);
    this.isr.add(vector);
    this.update();
    return vector;
  }

  /** Task priority; CR8 is its upper four bits. */
  get taskPriority(): number {
    return this.s.tpr;
  }

  set taskPriority(value: number) {
    this.s.tpr = value & 0xff;
    this.update();
  }

  get x2apic(): boolean {
    return (this.s.baseLow & ApicBase.X2apic) !== 0;
  }

  get present(): boolean {
    return (this.s.baseLow & ApicBase.Enable) !== 0;
  }

  get enabled(): boolean {
    return (this.s.svr & Svr.Enable) !== 0;
  }

  get priority(): number {
    return this.ppr;
  }

  /** IA32_APIC_BASE, low half. */
  get baseLow(): number {
    return this.s.baseLow;
  }

  get baseHigh(): number {
    return this.s.baseHigh;
  }

  /** Stores a checked value of IA32_APIC_BASE; switching the APIC off forgets everything but the pins. */
  setBase(low: number, high: number): void {
    const wasPresent = this.present;
    if (wasPresent && (low & ApicBase.Enable) === 0) this.clear();
    this.s.baseLow = low >>> 0;
    this.s.baseHigh = high >>> 0;
    this.update();
  }

  accept(mode: Delivery, vector: number, level: boolean): void {
    switch (mode) {
      case Delivery.Fixed:
      case Delivery.LowestPriority:
        if (this.enabled) this.request(vector, level);
        break;
      case Delivery.Smi:
        this.ports.events.smi();
        break;
      case Delivery.Nmi:
        this.ports.events.nmi();
        break;
      case Delivery.Init:
        this.receiveInit();
        break;
      case Delivery.StartUp:
        this.ports.events.sipi(vector);
        break;
      case Delivery.ExtInt:
        this.s.extIntMessage = true;
        this.update();
        break;
      default:
        break;
    }
  }

  /** Register by number, as both the MMIO page and the x2APIC MSRs show it. */
  readRegister(reg: number): number {
    const s = this.s;
    switch (reg) {
      case Reg.Id:
        return this.x2apic ? this.ports.id : (this.ports.id << 24) >>> 0;
      case Reg.Version:
        return APIC_VERSION;
      case Reg.Tpr:
        return s.tpr;
      case Reg.Ppr:
        return this.ppr;
      case Reg.Ldr:
        return this.x2apic ? x2apicLogicalId(this.ports.id) : s.ldr;
      case Reg.Dfr:
        return s.dfr;
      case Reg.Svr:
        return s.svr;
      case Reg.Esr:
        return s.esr;
      case Reg.IcrLow:
        return s.icrLow;
      case Reg.IcrHigh:
        return s.icrHigh;
      case Reg.InitialCount:
        return this.timer.initialCount();
      case Reg.CurrentCount:
        return this.timer.currentCount();
      case Reg.DivideConfig:
        return this.timer.state.divideConfig;
      default:
        if (reg >= Reg.LvtTimer && reg <= Reg.LvtError) return this.lvt.read(reg);
        if (reg >= Reg.Isr && reg < Reg.Isr + 8) return this.isr.word(reg);
        if (reg >= Reg.Tmr && reg < Reg.Tmr + 8) return this.tmr.word(reg);
        if (reg >= Reg.Irr && reg < Reg.Irr + 8) return this.irr.word(reg);
        return 0;
    }
  }

  writeRegister(reg: number, value: number): void {
    const s = this.s;
    switch (reg) {
      case Reg.Tpr:
        this.taskPriority = value;
        break;
      case Reg.Eoi:
        this.endOfInterrupt();
        break;
      case Reg.Ldr:
        s.ldr = (value & 0xff00_0000) >>> 0;
        break;
      case Reg.Dfr:
        s.dfr = (value | 0x0fff_ffff) >>> 0;
        break;
      case Reg.Svr:
        this.writeSpurious(value);
        break;
      case Reg.Esr:
        // A write of any value shows the errors gathered so far and starts a new collection.
        s.esr = s.newErrors;
        s.newErrors = 0;
        break;
      case Reg.IcrLow:
        s.icrLow = value & Icr.Writable;
        this.sendIpi();
        break;
      case Reg.IcrHigh:
        s.icrHigh = this.x2apic ? value >>> 0 : (value & 0xff00_0000) >>> 0;
        break;
      case Reg.InitialCount:
        this.timer.setInitialCount(value);
        break;
      case Reg.DivideConfig:
        this.timer.setDivideConfig(value & 0xb);
        break;
      case Reg.SelfIpi:
        if (this.x2apic) this.sendSelf(value & 0xff);
        break;
      default:
        if (reg >= Reg.LvtTimer && reg <= Reg.LvtError) this.writeLvt(reg, value);
        break;
    }
  }

  /** One object for the life of the APIC, so that matching allocates nothing. */
  private makeAddress(): ApicAddress {
    const state = (): LapicState => this.s;
    const id = this.ports.id;
    return {
      id,
      get x2apic() {
        return (state().baseLow & ApicBase.X2apic) !== 0;
      },
      get ldr() {
        return state().ldr;
      },
      get dfr() {
        return state().dfr;
      },
    };
  }

  /** Everything to its reset value but the levels of the pins. */
  private clear(): void {
    this.s = lapicResetState(this.ports.bsp);
    this.lvt.entries = this.s.lvt;
    this.irr.clear();
    this.isr.clear();
    this.tmr.clear();
    this.timer.reset();
  }

  /** INIT leaves the base address, the mode and the pins alone (SDM 3A "Local APIC State After It Receives INIT"). */
  private receiveInit(): void {
    const { baseLow, baseHigh } = this.s;
    this.clear();
    this.s.baseLow = baseLow;
    this.s.baseHigh = baseHigh;
    this.update();
    this.ports.events.init();
  }

  private writeSpurious(value: number): void {
    const s = this.s;
    s.svr = value & Svr.Writable;
    // Switching the APIC off by software masks every LVT entry (SDM 3A "Local APIC State After It Has Been
    // Software Disabled").
    if (!this.enabled) this.lvt.maskAll();
    this.update();
  }

  private writeLvt(reg: number, value: number): void {
    const before = this.lvt.timerMode;
    this.lvt.write(reg, value, this.enabled);
    this.timer.modeChanged(before);
    this.update();
  }

  private setPin(pin: 0 | 1, asserted: boolean): void {
    this.lvt.setPin(pin, asserted, this.present);
    this.update();
  }

  private request(vector: number, level: boolean): void {
    if (vector < FIRST_VECTOR) {
      this.raiseError(Esr.ReceiveIllegalVector);
      return;
    }
    this.irr.add(vector);
    if (level) this.tmr.add(vector);
    else this.tmr.remove(vector);
    this.update();
  }

  private raiseError(bits: number): void {
    this.s.newErrors |= bits;
    const entry = this.lvt.read(Reg.LvtError);
    // An error interrupt with an illegal vector would be an error again, for ever.
    if ((entry & Lvt.Masked) === 0 && (entry & Lvt.Vector) >= FIRST_VECTOR) this.request(entry & Lvt.Vector, false);
  }

  private endOfInterrupt(): void {
    const vector = this.isr.highest();
    if (vector < 0) return;
    this.isr.remove(vector);
    if (this.tmr.has(vector)) {
      this.ports.bus.endOfInterrupt(vector);
      this.lvt.endOfInterrupt(vector);
    }
    this.update();
  }

  private sendSelf(vector: number): void {
    if (vector < FIRST_VECTOR) this.raiseError(Esr.SendIllegalVector);
    else this.accept(Delivery.Fixed, vector, false);
  }

  private sendIpi(): void {
    const wide = this.x2apic;
    const destination = wide ? this.s.icrHigh : this.s.icrHigh >>> 24;
    if (!sendIpi(this.ports.bus, this, this.s.icrLow, destination, wide)) this.raiseError(Esr.SendIllegalVector);
  }

  /** Recomputes the processor priority and what is deliverable, and tells the vCPU when there is news. */
  private update(): void {
    const s = this.s;
    const serviced = this.isr.highest();
    const inService = serviced < 0 ? 0 : serviced & 0xf0;
    this.ppr = (s.tpr & 0xf0) >= inService ? s.tpr : inService;
    const before = this.pending;
    if (s.extIntMessage || this.lvt.external(this.present)) {
      this.pending = EXTERNAL_INTERRUPT;
    } else {
      const top = this.irr.highest();
      this.pending = top >= 0 && this.present && top >> 4 > this.ppr >> 4 ? top : -1;
    }
    if (this.pending >= 0 && before < 0) this.ports.events.onInterrupt();
  }
}
